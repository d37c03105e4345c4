"""One guided picture from end to end: processor seconds and distances of our ways beside a diffusers scheduler's loop.

Both sides run the same network on the same prompts and unit noises at one guidance scale.  The peer as it comes:
float32, DPM-Solver++ 2M on its own grid, 20 steps, each with and without the prompt in one batch of two, as the
pipeline asks.  The peer at its best: the fastest number format, and of all schedulers and grids that the bench of few
calls knows, at each of ``--best-steps``, the one whose Fréchet distance is least.  Ours: ``--ours`` NAME=WORDS, the
words of ``generate``; what they need (``calibrate``, ``guide``, ``distill``) is made before.  A cascade's later stages
and decoding are in the seconds of both.  Seconds are of one picture a call, by turns; distances are of ``--n``
pictures.  Everything made is kept under ``<out>/work``, and a killed run goes on.

    mezzotint guide fashion --scale 2 && mezzotint calibrate fashion --scale 2 --calls 4,6
    mezzotint distill fashion --scale 2 --out RUN
    python benchmarks/one_picture.py --ours six="solver=learned,steps=6,guidance=distilled" two="model=RUN/model"
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import few_calls_peers
import harness
from few_calls_peers import PEERS, Peer

BATCH = 50
STEPS = 20
DEFAULT = "diffusers' default"
PLAIN = Peer(few_calls_peers.DPM, {"solver_order": 2})
TARGETS = ((1.0, 1 / 12, 1 / 4), (1.15, 1 / 30, 1 / 7))
"""(Fréchet distance over the peer's, processor time over its default's, over its best's)."""

Make = Callable[[Sequence[int]], Any]
"""Seeds to pictures (B, C, H, W) uint8."""


@dataclass(frozen=True)
class Way:
    """How pictures are made.   make: of seeds.   evaluations: of the network, for one picture.   stem: of the names of
    kept files, another one wherever other pictures would be made."""

    name: str
    stem: str
    make: Make
    evaluations: int


@dataclass(frozen=True)
class Row:
    """One way.   seconds: of processor time for a picture alone."""

    name: str
    evaluations: int
    seconds: float
    frechet: float
    patches: float


def short(*values: object) -> str:
    """Of what is written as the same text."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:12]


def words_of(text: str) -> tuple[str, dict[str, Any]]:
    """NAME=WORD=VALUE,… as (name, words of a request)."""
    name, _, rest = text.partition("=")
    said: dict[str, Any] = dict(pair.split("=", 1) for pair in rest.split(",") if pair)
    for word, kind in (("steps", int), ("scale", float)):
        if word in said:
            said[word] = kind(said[word])
    return name, said


def job_of(given: Any, prompts: Sequence[str], seed: int, **words: Any) -> Any:
    """Of prompts with seeds from one on.  SystemExit where it would not run as it was asked."""
    import mezzotint as mz
    from mezzotint.making.request import of_words

    said = {"model": given.model, "scale": given.scale, "dtype": "fastest", "threads": given.threads, **words}
    own = {"prompt": tuple(prompts), "seed": seed, "batch": min(BATCH, len(prompts))}
    job = mz.prepare(of_words(mz.Request, {**own, **said}))
    if job.remarks:
        raise SystemExit("; ".join(job.remarks))
    return job


def pixels_of(images: Any) -> Any:
    """uint8 (B, C, H, W) of a job's images."""
    import numpy as np
    import torch

    return torch.from_numpy(np.stack([image.pixels for image in images])).permute(0, 3, 1, 2).contiguous()


def ours(given: Any, name: str, words: dict[str, Any], prompts: Sequence[str]) -> Way:
    """By the words of ``generate``."""
    from mezzotint.making.opened import opened
    from mezzotint.making.run import result_of

    def make(rows: Sequence[int]) -> Any:
        job = job_of(given, [prompts[k] for k in rows], rows[0], **words)
        return pixels_of(result_of(job).images)

    weights = opened(words.get("model", given.model)).weights_sha256
    return Way(name, f"{name}-{short(sorted(words.items()), weights)}", make, _counted(given, lambda: make([0])))


def peer(given: Any, name: str, how: Peer, steps: int, dtype: str, prompts: Sequence[str]) -> Way:
    """By a scheduler of diffusers around the same guided network."""
    import torch

    from mezzotint.diffusion.noise import Noise
    from mezzotint.making.opened import opened
    from mezzotint.making.staged import stages_of

    def make(rows: Sequence[int]) -> Any:
        job = job_of(given, [prompts[k] for k in rows], rows[0], dtype=dtype)
        conds = [p.told.conds(job.dtype) for p in job.pictures]
        (stage,) = stages_of(job, conds[0][1])
        cond = {word: torch.cat([c[word] for c, _ in conds]) for word in conds[0][0]}
        noise = Noise(tuple(rows))(0, (len(rows), *job.main.model.spec.shape))
        ends = job.main.model.spec.schedule
        with torch.inference_mode():
            found = few_calls_peers.sample(
                stage.denoiser, how, steps, noise, cond, ends["sigma_min"], ends["sigma_max"]
            )
            return stage.codec.decode(found)

    weights = opened(given.model).weights_sha256
    stem = f"{name}-{short(how, steps, dtype, weights)}"
    return Way(name, stem, make, _counted(given, lambda: make([0])))


def _counted(given: Any, run: Callable[[], object]) -> int:
    """Rows that networks of the model's class compute."""
    from mezzotint.pretrained.model import load

    main: Any = load(given.model).main
    with harness.counted(type(main.network)) as rows:
        run()
    return sum(rows)


def frechet(given: Any, way: Way, judge: Any, work: Path) -> tuple[float, float]:
    """(Fréchet distance, distance of patches) of n pictures; kept batch by batch, and by who judged."""
    import numpy as np
    import torch

    done = work / f"{way.stem}-{given.n}-{short(str(given.data), given.limit)}.json"
    if not done.is_file():
        parts = []
        for first in range(0, given.n, BATCH):
            rows = range(first, min(given.n, first + BATCH))
            path = work / f"{way.stem}-{rows.start}-{rows.stop}.npy"
            if not path.is_file():
                part = path.with_suffix(".part.npy")
                np.save(part, way.make(rows).numpy())
                part.replace(path)
            parts.append(torch.from_numpy(np.load(path)))
        made = torch.cat(parts)
        done.write_text(json.dumps([judge.distance(made).value, judge.patches(made)]))
    found: list[float] = json.loads(done.read_text())
    print(f"{way.name:>30} {way.evaluations:4d} evaluations  frechet {found[0]:.2f}", file=sys.stderr, flush=True)
    return found[0], found[1]


def best_of(given: Any, prompts: Sequence[str], judge: Any, work: Path) -> Way:
    """The peer whose Fréchet distance is least, in the fastest number format."""
    ways = [
        peer(given, f"best {name} {steps}", PEERS[name], steps, "fastest", prompts)
        for steps in given.best_steps
        for name in given.peers
    ]
    return min(ways, key=lambda way: frechet(given, way, judge, work)[0])


def seconds_of(ways: Sequence[Way], repeats: int) -> list[list[float]]:
    """Of one picture alone, by turns, after one that is not measured; a list a way."""
    kept: list[list[float]] = [[] for _ in ways]
    for way in ways:
        way.make([0])
    for k in range(repeats):
        for i in range(len(ways)):
            j = (i + k) % len(ways)
            kept[j].append(harness.timed(lambda way=ways[j], k=k: way.make([k])).cpu)
    return kept


def comparisons(rows: Sequence[Row], seconds: Sequence[Sequence[float]]) -> list[harness.Comparison]:
    """The rows are ours, then the default, then the best; each of ours beside both, by time, with its distance."""
    found = []
    for k, row in enumerate(rows[:-2]):
        for peers, target in ((-2, 1), (-1, 2)):
            ratio = row.frechet / rows[peers].frechet
            wanted = next((t[target] for t in TARGETS if ratio <= t[0]), None)
            name, note = f"{row.name} beside {rows[peers].name}", f"frechet {ratio:.3f} of the peer's"
            found.append(harness.compare(name, "s", seconds[k], seconds[peers], wanted, note))
    return found


def table(rows: Sequence[Row]) -> str:
    """Aligned columns."""
    cells = [
        (r.name, str(r.evaluations), f"{1000 * r.seconds:.1f}", f"{r.frechet:.1f}", f"{r.patches:.4f}") for r in rows
    ]
    return harness.table(cells, ("way", "evaluations", "CPU ms a picture", "frechet", "patches"))


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 9)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--ours", nargs="*", default=["ten=steps=10"], help="NAME=WORD=VALUE,…")
    parser.add_argument("--n", type=int, default=1000, help="pictures of each way")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), help="those that may be the best")
    parser.add_argument("--best-steps", type=int, nargs="*", default=[10, 15, 20])
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--limit", type=int, help="held-out pictures at most, in tests of this script")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)

    import statistics

    from mezzotint.making.opened import opened

    system = opened(given.model)
    names = [label.name for label in system.labels]
    prompts = [names[k % len(names)] for k in range(max(given.n, given.repeats))]
    work = given.out / "work" / f"one-picture-{system.weights_sha256[:8]}-{given.scale:g}"
    work.mkdir(parents=True, exist_ok=True)
    judge = fashion.judge(given.data, limit=given.limit)
    ways = [
        *(ours(given, *words_of(text), prompts) for text in given.ours),
        peer(given, DEFAULT, PLAIN, STEPS, "float32", prompts),
        best_of(given, prompts, judge, work),
    ]
    shown = [frechet(given, way, judge, work) for way in ways]
    seconds = seconds_of(ways, given.repeats)
    rows = [
        Row(way.name, way.evaluations, statistics.median(s), *two)
        for way, s, two in zip(ways, seconds, shown, strict=True)
    ]
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    more = {"rows": [vars(r) for r in rows], "table": "\n" + table(rows)}
    machine = harness.machine(given.threads)
    return harness.finish(harness.Outcome("one_picture", machine, about, comparisons(rows, seconds), more), given.out)


if __name__ == "__main__":
    sys.exit(main())
