"""Which assets are computed together, and in what shape: fixed in the plan, so that a rerun gives the same bits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def rows_of(count: int, most: int) -> int:
    """Rows of every batch of a recipe: a power of two, so that one more row of a manifest seldom changes the shape, and
    with it the rounding, of all others."""
    return min(1 << (count - 1).bit_length(), most)


def batched(items: Sequence[T], rows: int) -> Iterable[Sequence[T]]:
    """In order, the last one with what is left; it is padded to the same shape when it is made."""
    return (items[begin : begin + rows] for begin in range(0, len(items), rows))
