"""What a picture costs in calls: learned solvers beside diffusers' schedulers on the same network and the same noises.

Three numbers for each: the root mean squared distance to the 100-step solution from the same noise (pixels, cut off at
-1 and 1 as they are when a picture is written), the Fréchet distance to the held-out pictures, whose network no fit has
used, and the sliced distance of patches to them, which needs no network.  Calls are counted on the network.
Solvers are calibrated first where a home of the bench's own has none; the processor time of the fit is part
of the result.  Everything made is kept under ``<out>/work``, and a killed run goes on.

    python benchmarks/few_calls.py [--n 2000] [--calls 4 6 8 10] [--peer-calls 10 15]
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import few_calls_peers
import harness
from few_calls_peers import PEERS

BATCH = 50
EXACT = 100
TARGETS = {4: 10, 6: 15}
"""Ours at so many calls may be no farther than the best peer at so many."""


@dataclass(eq=False)
class Counter:
    """A denoiser that counts rows times calls of the network under it."""

    inner: Any
    rows: int = 0

    def __call__(self, x: Any, level: Any, cond: Any) -> Any:
        self.rows += len(x)
        return self.inner(x, level, cond)


@dataclass(frozen=True)
class Bench:
    """The model, its denoiser counted, the noises, and where pictures are kept."""

    model: Any
    denoiser: Counter
    n: int
    work: Path

    def made(self, name: str, make: Callable[[Any, Any, range], Any]) -> tuple[Any, float]:
        """(ends (n, *), calls a picture) of a method: (unit noise, cond, rows) -> ends; from disk where they are."""
        import numpy as np
        import torch

        from mezzotint.diffusion.noise import Noise

        parts, calls = [], 0.0
        for first in range(0, self.n, BATCH):
            rows = range(first, min(self.n, first + BATCH))
            path = self.work / f"{name.replace(' ', '-')}-{rows.start}-{rows.stop}.npz"
            if not path.is_file():
                self.denoiser.rows = 0
                noise = Noise(tuple(rows))(0, (len(rows), *self.model.main.spec.shape))
                with torch.inference_mode():
                    ends = make(noise, {"label": torch.tensor(rows) % fashion.CLASSES}, rows)
                part = path.with_suffix(".part.npz")
                np.savez(part, ends=ends.float().numpy(), calls=self.denoiser.rows / len(rows))
                part.replace(path)
            kept = np.load(path)
            parts.append(kept["ends"])
            calls += float(kept["calls"]) * len(rows) / self.n
        return torch.from_numpy(np.concatenate(parts)), calls

    def by_plan(self, plan: Any) -> Callable[[Any, Any, range], Any]:
        """A method of ours."""

        def make(noise: Any, cond: Any, rows: range) -> Any:
            from mezzotint.diffusion.noise import Noise
            from mezzotint.diffusion.sample import sample

            x = noise * plan.levels[0].scale.item()
            return sample(self.denoiser, x, plan.levels, plan.solver, Noise(tuple(rows)), cond)

        return make

    def by_peer(self, name: str, calls: int) -> Callable[[Any, Any, range], Any]:
        """A method of diffusers."""
        schedule = self.model.main.spec.schedule

        def make(noise: Any, cond: Any, rows: range) -> Any:
            ends = schedule["sigma_min"], schedule["sigma_max"]
            return few_calls_peers.sample(self.denoiser, PEERS[name], calls, noise, cond, *ends)

        return make


@dataclass(frozen=True)
class Row:
    """One method at one number of calls.   distance: to the 100-step solution.  frechet, patches: to held-out
    pictures."""

    name: str
    asked: int
    calls: float
    distance: float
    frechet: float
    patches: float


def row(bench: Bench, name: str, asked: int, make: Any, exact: Any, judge: Any) -> Row:
    """Made, measured, and said on standard error."""
    from mezzotint.fewstep.problem import in_range

    ends, calls = bench.made(f"{name} {asked}", make)
    pictures = bench.model.main.codec().decode(ends)

    def kept(what: str, find: Callable[[], Any]) -> Any:
        path = bench.work / f"{name.replace(' ', '-')}-{asked}-{bench.n}-{what}.json"
        if not path.is_file():
            path.write_text(json.dumps(find()))
        return json.loads(path.read_text())

    def shown() -> list[float]:
        distance = (in_range(ends) - in_range(exact)).square().mean().sqrt().item()
        return [distance, judge.distance(pictures).value]

    distance, frechet = kept("shown", shown)
    patches = kept("patches", lambda: judge.patches(pictures))
    found = f"distance {distance:.4f}  frechet {frechet:.2f}  patches {patches:.4f}"
    print(f"{name:>18} {calls:5.1f} calls  {found}", file=sys.stderr, flush=True)
    return Row(name, asked, calls, distance, frechet, patches)


def learned(model: Any, calls: int, fits: dict[str, Any], given: Any) -> tuple[Any, str]:
    """(the plan of a learned solver, a hash of its side-car), calibrated first where there is none; ``fits`` keeps what
    that took.

    given: rows, updates and loss of the fit, its own defaults where None.
    """
    import mezzotint as mz
    from mezzotint.pretrained.learned import Asked, plan_of
    from mezzotint.pretrained.sidecar import kept

    described = model.main.described
    if (calls, 1.0) not in kept(described):
        how = {"rows": given.rows, "updates": given.updates, "loss": given.loss}
        made = mz.calibrate(described.folder, calls=(calls,), threads=1, **how).made[0]
        print(f"fitted {calls} calls in {made.seconds:.0f} s: {made.found.checked}", file=sys.stderr, flush=True)
        fits[str(calls)] = {"seconds": made.seconds, **made.found.measured}
    file = kept(described)[calls, 1.0]
    found = plan_of(described, model.main.spec, Asked(solver="learned", steps=calls))[0]
    return found, hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def comparisons(rows: list[Row]) -> list[harness.Comparison]:
    """Ours at 4 calls against the best peer at 10, and so on, by both numbers."""
    found = []
    for few, many in TARGETS.items():
        ours = [r for r in rows if r.name == "learned" and r.asked == few]
        peers = [r for r in rows if r.name in PEERS and r.asked == many]
        for what in ("distance", "frechet", "patches") if ours and peers else ():
            best = min(peers, key=lambda r: getattr(r, what))
            name = f"{what}: learned at {few} calls, {best.name} at {many}"
            value = getattr(ours[0], what), getattr(best, what)
            found.append(harness.compare(name, "1", [value[0]], [value[1]], 1.0))
    return found


def table(rows: list[Row]) -> str:
    """Aligned columns."""
    cells = [
        (r.name, str(r.asked), f"{r.calls:.1f}", f"{r.distance:.4f}", f"{r.frechet:.2f}", f"{r.patches:.4f}")
        for r in rows
    ]
    return harness.table(cells, ("method", "asked", "calls counted", "distance", "frechet", "patches"))


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 1)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--n", type=int, default=2000, help="pictures of each method")
    parser.add_argument("--calls", type=int, nargs="*", default=[4, 6, 8, 10], help="of ours")
    parser.add_argument("--peer-calls", type=int, nargs="*", default=[10, 15])
    parser.add_argument("--peers", nargs="*", default=list(PEERS), help="names, all by default")
    parser.add_argument("--rows", type=int, help="of the fit")
    parser.add_argument("--updates", type=int, help="of the fit")
    parser.add_argument("--loss", help="of the fit")
    parser.add_argument("--dtype", default="fastest")
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--limit", type=int, help="held-out pictures at most, in tests of this script")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    os.environ.setdefault("MEZZOTINT_HOME", str((given.out / "work" / "home").resolve()))

    from mezzotint.files import make_folder
    from mezzotint.pretrained.device import dtype_for
    from mezzotint.pretrained.model import load
    from mezzotint.pretrained.plan import plan

    model = load(given.model)
    dtype = dtype_for(given.dtype, "cpu")
    work = given.out / "work" / f"few-calls-{model.system.weights_sha256[:8]}-{str(dtype)[6:]}"
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(model, Counter(model.main.denoiser("cpu", dtype)), given.n, work)
    judge = fashion.judge(given.data, limit=given.limit)
    solution = plan(model.main.spec, solver="unipc:order=3", grid="karras", steps=EXACT)
    exact, _ = bench.made(f"exact {EXACT}", bench.by_plan(solution))
    fits: dict[str, Any] = {}
    rows = [row(bench, "exact", EXACT, bench.by_plan(solution), exact, judge)]
    for calls in given.calls:
        fitted, digest = learned(model, calls, fits, given)
        own = replace(bench, work=make_folder(work / digest))  # another fit makes other pictures
        rows += [row(own, "learned", calls, bench.by_plan(fitted), exact, judge)]
    for calls in given.peer_calls:
        rows += [row(bench, name, calls, bench.by_peer(name, calls), exact, judge) for name in given.peers]
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    more = {"rows": [vars(r) for r in rows], "fits": fits, "table": "\n" + table(rows)}
    outcome = harness.Outcome("few_calls", harness.machine(given.threads), about, comparisons(rows), more)
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
