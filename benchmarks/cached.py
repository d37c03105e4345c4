"""What first-block caching saves and what it costs, on one model: thresholds, steps, blocks run, time, distance.

For each number of steps and threshold: the share of the network's blocks that were run, counted on the blocks;
processor time beside that of every block, by turns; the root mean squared distance of pictures (as shown) to those of
every block, and of both to those of four times the steps.

    python benchmarks/cached.py [--model fashion] [--prompts PROMPT …] [--steps 20 50] [--thresholds 0.05 0.1 0.2]
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from harness import Usage


@dataclass(frozen=True)
class Row:
    """blocks: the share run.  ratio: of processor time, over that of every block, the median.  distance: to pictures
    of every block.  exact, plain: to those of four times the steps, of these pictures and of those of every block."""

    steps: int
    threshold: float
    blocks: float
    ratio: float
    distance: float
    exact: float
    plain: float


def pictures(given: Any, steps: int, cache: float | None) -> tuple[Any, Usage]:
    """(pixels in -1 … 1, what it cost to make them once all is prepared)."""
    import numpy as np

    import mezzotint as mz

    asked = mz.Request(
        tuple(given.prompts), model=given.model, n=given.n, cache=cache, batch=given.batch,
        sampling=mz.Sampling(
            steps=steps, scale=given.scale, solver=given.solver, device=given.device, dtype=given.dtype,
            threads=given.threads,
        ),
    )  # fmt: skip
    job = mz.prepare(asked)
    found: list[Any] = []
    used = harness.timed(lambda: found.extend(event.pixels for event in mz.stream(job) if isinstance(event, mz.Image)))
    return np.stack(found) / 127.5 - 1, used


def cost(given: Any, steps: int, cache: float | None) -> Callable[[], Usage]:
    """What pictures cost, once a call."""
    return lambda: pictures(given, steps, cache)[1]


def far(a: Any, b: Any) -> float:
    """Root mean squared."""
    return float(((a - b) ** 2).mean() ** 0.5)


def rows_of(given: Any, steps: int) -> list[Row]:
    """Every threshold at a number of steps."""
    import mezzotint as mz
    from mezzotint.nets.compiled import repeated_blocks

    stage: Any = mz.load(given.model).main
    kind = type(next(iter(repeated_blocks(stage.network))))
    exact, _ = pictures(given, 4 * steps, None)
    with harness.counted(kind) as every:
        plain, _ = pictures(given, steps, None)
    found = []
    for threshold in given.thresholds:
        with harness.counted(kind) as some:
            made, _ = pictures(given, steps, threshold)
        pairs = harness.alternate(cost(given, steps, threshold), cost(given, steps, None), given.repeats)
        ratio = statistics.median(a.cpu / b.cpu for a, b in zip(*pairs, strict=True))
        one = Row(
            steps, threshold, sum(some) / sum(every), ratio, far(made, plain), far(made, exact), far(plain, exact)
        )
        print(one, file=sys.stderr, flush=True)
        found.append(one)
    return found


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 2)
    parser.add_argument("--model", default="fashion")
    parser.add_argument("--prompts", nargs="*", default=["Sneaker", "Bag", "Dress", "Ankle boot"])
    parser.add_argument("--n", type=int, default=4, help="pictures of each prompt")
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--solver", help="the model's own by default")
    parser.add_argument("--steps", type=int, nargs="*", default=[20, 50])
    parser.add_argument("--thresholds", type=float, nargs="*", default=[0.05, 0.1, 0.2])
    parser.add_argument("--batch", type=int, default=1, help="rows computed together: all of them skip, or none")
    parser.add_argument("--dtype", default="fastest")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    os.environ.setdefault("MEZZOTINT_HOME", str((given.out / "work" / "home").resolve()))
    rows = [row for steps in given.steps for row in rows_of(given, steps)]
    cells = [tuple(f"{v:.4g}" for v in vars(r).values()) for r in rows]
    head = (
        "steps",
        "threshold",
        "blocks run",
        "time ratio",
        "to every block",
        "to 4x steps",
        "every block to 4x steps",
    )
    about = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items() if k != "out"}
    more = {"rows": [vars(r) for r in rows], "table": "\n" + harness.table(cells, head)}
    return harness.finish(harness.Outcome("cached", harness.machine(given.threads), about, [], more), given.out)


if __name__ == "__main__":
    sys.exit(main())
