"""Long lists of notes, cut short."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

MOST = 5


def few(notes: Iterable[str]) -> list[str]:
    """The first MOST of notes of one kind, and how many more there are."""
    every = iter(notes)
    shown, more = list(islice(every, MOST)), sum(1 for _ in every)
    return [*shown, f"and {more} more like that"] if more else shown
