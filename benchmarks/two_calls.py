"""Two calls of a distilled model beside 35 of its teacher, along the run: Fréchet distance and processor time.

The run is `mezzotint distill MODEL --snapshot N --out RUN`, begun before; its snapshots of the average are measured in
their order with the sampler that it is for.  The teacher makes its pictures by Heun in 18 steps, 35 calls, and
the base in two calls as it began.  Processor time is the run's own (`processor.jsonl`), also as a share of what the
base was trained for.  All of a kind have the same seeds.  What is measured is kept under ``<out>/work``.

    mezzotint distill fashion --snapshot 100 --threads 1 --out RUN
    python benchmarks/two_calls.py --run RUN [--n 2000] [--base-minutes 196]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import harness

BATCH = 50
HEUN = 18
"""Steps: two calls each, but for the last."""

TARGET = 1.15
"""Fréchet distance in two calls over the teacher's in 35: at most."""


@dataclass(frozen=True)
class Bench:
    """What all are measured with."""

    model: Any
    dtype: Any
    n: int
    judge: Any
    work: Path

    def frechet(self, name: str, stage: Any, solver: Any, levels: Any) -> float:
        """Of n pictures of a stage; kept by name."""
        import torch

        from mezzotint.diffusion.noise import Noise
        from mezzotint.diffusion.sample import sample, start

        path = self.work / f"{name}-{self.n}.json"
        if not path.is_file():
            denoiser, found = stage.denoiser("cpu", self.dtype), []
            with torch.inference_mode():
                for first in range(0, self.n, BATCH):
                    rows = range(first, min(self.n, first + BATCH))
                    noise, cond = Noise(tuple(rows)), {"label": torch.tensor(rows) % fashion.CLASSES}
                    x = start(noise, self.model.main.spec.shape, levels, "cpu")
                    found.append(stage.codec().decode(sample(denoiser, x, levels, solver, noise, cond)))
            path.write_text(json.dumps(self.judge.distance(torch.cat(found)).value))
        value: float = json.loads(path.read_text())
        return value


@dataclass(frozen=True)
class Row:
    """One moment of the run.   seconds: of processor time until then, share: of the base's training."""

    updates: int
    seconds: float
    share: float
    frechet: float
    ratio: float


def moments(model: Any, run: Path) -> Iterator[tuple[int, Any]]:
    """(updates, the stage as it was then)."""
    from mezzotint.fewstep.student import averaged
    from mezzotint.training.posthoc import load_snapshots

    for one in sorted(load_snapshots(run / "run" / "snapshots"), key=lambda s: s.step):
        yield one.step, replace(model.main, network=averaged(model.main.network, one.weights))


def seconds_at(run: Path, step: int) -> float:
    """Processor seconds until an update."""
    lines = [json.loads(line) for line in (run / "processor.jsonl").read_text().splitlines()]
    return float(next(seconds for k, seconds in lines if k >= step))


def table(rows: list[Row], teacher: float) -> str:
    """Aligned columns."""
    cells = [(f"{r.updates}", f"{r.seconds:.0f}", f"{r.share:.1%}", f"{r.frechet:.1f}", f"{r.ratio:.3f}") for r in rows]
    head = ("updates", "processor seconds", "of the base's", "frechet, 2 calls", f"over {teacher:.1f} in 35")
    return harness.table(cells, head)


def main(argv: list[str] | None = None) -> int:
    """Measures and prints."""
    parser = harness.arguments(__doc__ or "", 1)
    parser.add_argument("--run", type=Path, required=True, help="the folder of `mezzotint distill`")
    parser.add_argument("--by", default="trajectory", help="as the run was told")
    parser.add_argument("--calls", type=int, default=2, help="as the run was told")
    parser.add_argument("--last", type=float, help="as the run was told")
    parser.add_argument("--model", default="fashion", help="the base")
    parser.add_argument("--n", type=int, default=2000, help="pictures of each")
    parser.add_argument("--base-minutes", type=float, default=196.0, help="processor minutes of the base's training")
    parser.add_argument("--dtype", default="fastest")
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--limit", type=int, help="held-out pictures at most, in tests of this script")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)

    from mezzotint.fewstep.asked import sampled, way
    from mezzotint.pretrained.device import dtype_for
    from mezzotint.pretrained.model import load
    from mezzotint.pretrained.plan import plan

    model, dtype = load(given.model), dtype_for(given.dtype, "cpu")
    work = given.out / "work" / f"two-calls-{given.run.name}-{model.system.weights_sha256[:8]}-{str(dtype)[6:]}"
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(model, dtype, given.n, fashion.judge(given.data, limit=given.limit), work)
    heun = plan(model.main.spec, solver="heun", grid="karras", steps=HEUN)
    teacher = bench.frechet("heun-35", model.main, heun.solver, heun.levels)
    solver, levels = way(model.main.spec, sampled(model.main.spec, given.by, given.calls, given.last))
    rows = [Row(0, 0.0, 0.0, found := bench.frechet("start", model.main, solver, levels), found / teacher)]
    print(f"teacher {teacher:.2f} in 35 calls, {found:.2f} in 2", file=sys.stderr, flush=True)
    for step, stage in moments(model, given.run):
        found = bench.frechet(f"step-{step}", stage, solver, levels)
        seconds = seconds_at(given.run, step)
        rows.append(Row(step, seconds, seconds / 60 / given.base_minutes, found, found / teacher))
        print(f"{step} updates, {seconds:.0f} s: {found:.2f}", file=sys.stderr, flush=True)
    last = rows[-1]
    compared = harness.compare("frechet: 2 calls, Heun in 35", "1", [last.frechet], [teacher], TARGET)
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    more = {"teacher": teacher, "rows": [vars(r) for r in rows], "table": "\n" + table(rows, teacher)}
    return harness.finish(
        harness.Outcome("two_calls", harness.machine(given.threads), about, [compared], more), given.out
    )


if __name__ == "__main__":
    sys.exit(main())
