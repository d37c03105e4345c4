"""How many pictures, how many of them are computed together, and by how many threads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.making.opened import described
from mezzotint.making.request import Request

MAX_BATCH = 16
MAX_PICTURES = 1_000_000
SMALL_BATCH = 4096


def check_count(name: str, n: int) -> int:
    """The same number.  Raises UsageError for one out of range."""
    if not 1 <= n <= MAX_PICTURES:
        raise UsageError(f"{name} is {n}; expected 1 to {MAX_PICTURES}")
    return n


def rows_for(n: int, batch: int | None) -> int:
    """Rows of every batch.  Raises UsageError for numbers out of range."""
    return min(check_count("n", n), MAX_BATCH) if batch is None else check_count("batch", batch)


def threads_for(asked: Request) -> int | None:
    """The command's number of threads where none is given: 1 for a batch below 4096 values, which more would only
    slow down, else None, torch's own.  Raises as ``find`` and ``describe_system``.
    """
    if asked.sampling.threads is not None or not isinstance(asked.model, str | Path):
        return asked.sampling.threads
    shapes = [m.described.spec.shape for m in described(asked.model, asked.parts).members]
    return 1 if is_small(shapes, rows_for(asked.n * len(asked.prompts), asked.batch)) else None


def is_small(shapes: Iterable[Sequence[int]], rows: int) -> bool:
    """Whether a batch of the largest of these states is small."""
    return max(map(math.prod, shapes)) * rows < SMALL_BATCH
