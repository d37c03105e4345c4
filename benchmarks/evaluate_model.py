"""The numbers of a model's card: Fréchet distance over its floor, precision, recall, copies, for a model folder.

    python benchmarks/evaluate_model.py MODEL [--n 10000] [--calls 50] [--dtype fastest]

Pictures already made for the same weights and settings are kept under the results and not made again.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fashion
import harness
import sampling


def report(pictures: Any, judge: fashion.Judge, data: Path, about: dict[str, Any], limit: int | None) -> Any:
    """A ``mezzotint.evaluation.report.Report``."""
    from mezzotint.evaluation.report import evaluate

    held_out = fashion.images(data, "test")[:limit]
    train = judge.train if limit is None else judge.train[: 4 * limit]
    return evaluate(pictures, train, held_out, judge.reference, judge.extract, about, judge.minimum)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or folder of a model")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=50, help="network calls a picture, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quality", default="standard", help="the model's preset of solver, grid and scale")
    parser.add_argument("--dtype", default="fastest", help="of the network: float32, bfloat16, fastest or auto")
    parser.add_argument("--batch", type=int, default=sampling.PIECE)
    parser.add_argument("--threads", type=int, default=harness.cores())
    parser.add_argument("--data", type=Path, default=fashion.DEFAULT)
    parser.add_argument("--distance-only", action="store_true", help="no neighbours: seconds instead of minutes")
    parser.add_argument("--limit", type=int, help="so many test pictures only: for tests of this script, not a result")
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Runs it."""
    given = parse(argv)
    harness.use_threads(given.threads)
    from mezzotint.files import pretty_json, write_atomic
    from mezzotint.pretrained.store import find

    judge = fashion.judge(given.data, limit=given.limit)
    request = sampling.Request(
        find(given.model), given.n, given.calls, given.seed, given.dtype, given.quality, given.batch
    )
    began = time.perf_counter()
    pictures, about = sampling.pictures(request, given.out / "work" / "pictures")
    about |= {"seconds": time.perf_counter() - began, "machine": harness.machine(given.threads)}
    if given.distance_only:
        found, floor = judge.distance(pictures), judge.floor(given.n)
        text = (
            f"{found.metric}: {found.value:.2f}, floor {floor.value:.2f}, ratio {found.over(floor):.3f} (n = {found.n})"
        )
        document = pretty_json({"distance": asdict(found), "floor": asdict(floor), "about": about})
    else:
        whole = report(pictures, judge, given.data, about, given.limit)
        text, document = whole.text(), whole.json()
    print(text)
    print(f"{about['calls']} calls a picture, seeds from {given.seed}, {about['dtype']}")
    path = write_atomic(given.out / f"evaluation-{about['model']}-{given.n}.json", document)
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
