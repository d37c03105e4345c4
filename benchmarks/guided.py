"""Guidance in one call beside guidance in two, on the same model, prompts and noises: evaluations, distances, time.

Ways: none (scale 1), usual (classifier-free guidance), distilled (what ``mezzotint guide`` made, which is at hand),
auto (away from a worse version, given with --weak).  Each is asked for what held-out pictures show, and measured
against those: the Fréchet distance and the kernel distance, and for models of products the share of pictures that show
what was asked, by a judge of its own.  Evaluations are rows that the network computes, counted on the network.
Everything made is kept under ``<out>/work``, and a killed run goes on.

    mezzotint guide fashion --scale 2
    python benchmarks/guided.py [--model fashion] [--scale 2] [--n 1000] [--data DIR] [--ways none usual distilled]
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import harness

WAYS = ("none", "usual", "distilled")
TARGET = 1.05
"""Evaluations a step."""


@dataclass(frozen=True)
class Row:
    """One way.   evaluations: of the main network, a picture and step.  seconds: of processor time a picture.
    measures: name -> value, low, high."""

    way: str
    evaluations: float
    seconds: float
    measures: dict[str, tuple[float, float, float]]


def job_of(given: Any, way: str, prompts: tuple[str, ...]) -> Any:
    """The job of a way; its pictures are of the same seeds."""
    import mezzotint as mz

    words = {"distilled": "distilled", "auto": f"auto:weak={given.weak}"}
    sampling = mz.Sampling(
        steps=given.steps, scale=1.0 if way == "none" else given.scale, device=given.device, dtype=given.dtype,
        threads=given.threads,
    )  # fmt: skip
    asked = mz.Request(
        prompts, model=given.model, guidance=words.get(way), batch=given.batch, sampling=sampling,
        guidance_interval=None if way == "none" else given.interval,
    )  # fmt: skip
    job = mz.prepare(asked)
    if job.remarks:
        raise SystemExit("; ".join(job.remarks))
    return job


def evaluations(job: Any) -> float:
    """Of the main network, a picture and step, counted while one batch is made."""
    from dataclasses import replace

    from mezzotint.making.run import result_of

    main = job.main
    some = replace(job, pictures=job.pictures[: job.rows])
    with harness.counted(type(main.model.network)) as rows:
        result_of(some)
    return sum(rows) / (job.rows * main.plan.steps)


def row(given: Any, way: str, trial: Any, extract: Any, work: Path) -> Row:
    """Made, measured, kept, and said on standard error."""
    from mezzotint.making.evaluation import put_to

    job = job_of(given, way, trial.prompts)
    path = work / f"{job.made(job.pictures[0]).asset_id}-{len(trial.prompts)}.json"
    if not path.is_file():
        judged = ("adherence",) if job.model.system.text is not None else ()
        found, made = put_to(job, trial, extract, work / "pictures", ("frechet", "kernel", *judged), given.minimum)
        measures = {m.name: (m.made.value, m.made.low, m.made.high) for m in found.measured.measures}
        path.write_text(json.dumps({"e": evaluations(job), "s": made.seconds, "m": measures}))
    kept = json.loads(path.read_text())
    one = Row(way, kept["e"], kept["s"], {name: tuple(value) for name, value in kept["m"].items()})
    said = "  ".join(f"{name} {value[0]:.4g}" for name, value in one.measures.items())
    print(
        f"{way:>10} {one.evaluations:.3f} evaluations a step, {one.seconds:.3f} s  {said}", file=sys.stderr, flush=True
    )
    return one


def comparisons(rows: list[Row]) -> list[harness.Comparison]:
    """Distilled against usual."""
    known = {r.way: r for r in rows}
    if not {"usual", "distilled"} <= set(known):
        return []
    ours, peer = known["distilled"], known["usual"]
    found = [
        harness.compare("evaluations a step, 1 wanted", "", [ours.evaluations], [1.0], TARGET),
        harness.compare("processor seconds a picture", "s", [ours.seconds], [peer.seconds]),
    ]
    for name, value in ours.measures.items():
        lower = not name.startswith("adherence")
        pair = (value[0], peer.measures[name][0]) if lower else (peer.measures[name][0], value[0])
        if min(pair) > 0:
            found.append(harness.compare(name, "", [pair[0]], [pair[1]], 1.0))
    return found


def table(rows: list[Row]) -> str:
    """Aligned columns, each number with its 95 % interval."""
    names = list(rows[0].measures)
    numbers = [["{:.4g} ({:.4g} … {:.4g})".format(*r.measures[n]) for n in names] for r in rows]
    cells = [(r.way, f"{r.evaluations:.3f}", f"{r.seconds:.3f}", *n) for r, n in zip(rows, numbers, strict=True)]
    return harness.table(cells, ("way", "evaluations a step", "seconds", *names))


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 1)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--interval", help="LOW,HIGH, as --guidance-interval")
    parser.add_argument("--steps", type=int, help="of the model's own solver")
    parser.add_argument("--n", type=int, default=1000, help="pictures of each way")
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument("--weak", type=Path, help="a worse version of the model, for the way auto")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="fastest")
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--minimum", type=int, default=2, help="least pictures of a Fréchet distance")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    os.environ.setdefault("MEZZOTINT_HOME", str((given.out / "work" / "home").resolve()))

    from mezzotint.evaluation.features import extractor
    from mezzotint.making.opened import opened
    from mezzotint.making.trials import trial_for

    system = opened(given.model)
    metrics = ("frechet", "kernel", "adherence") if system.text is not None else ("frechet", "kernel")
    trial = trial_for(system, given.data, given.n, metrics)
    work = given.out / "work" / f"guided-{system.weights_sha256[:8]}"
    work.mkdir(parents=True, exist_ok=True)
    extract = extractor(64)
    rows = [row(given, way, trial, extract, work) for way in given.ways]
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    more = {"rows": [vars(r) for r in rows], "table": "\n" + table(rows)}
    outcome = harness.Outcome("guided", harness.machine(given.threads), about, comparisons(rows), more)
    return harness.finish(outcome, given.out)


if __name__ == "__main__":
    sys.exit(main())
