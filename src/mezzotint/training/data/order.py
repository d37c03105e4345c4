"""In which order samples come: a pure function of (seed, epoch), in constant memory, with an exact cursor.

Shards are permuted for each epoch and taken in groups of ``mix``; within a group all items are permuted.  One group's
references
are in memory at a time, so a data set of one shard (a folder, IDX) is shuffled whole and a stream of many within a
window.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mezzotint.errors import InputError
from mezzotint.training.data.source import BadItemError, Item, Report, Shard, Source
from mezzotint.training.keyed import Purpose, hashed, permuted


class Cursor(NamedTuple):
    """The next sample to take: epoch, group within it, offset within the group.  Three integers are the whole state of
    the data."""

    epoch: int = 0
    group: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Group:
    """The open shards of one group and where each begins."""

    shards: tuple[Shard, ...]
    starts: tuple[int, ...]
    total: int

    def __getitem__(self, i: int) -> Item:
        k = bisect_right(self.starts, i) - 1
        return self.shards[k][i - self.starts[k]]


@dataclass(frozen=True)
class Pick:
    """One sample of the order: its place, the group that holds it and its number there."""

    place: Cursor
    group: Group
    index: int


def unreported(bad: BadItemError) -> None:
    """Leaves damage to whoever reports it."""


class Order:
    """Reads a source in its keyed order.  Holds the last group opened, which is a cache and not a state.

    mix: shards in a group, at most.   report: takes in damaged shards.
    """

    def __init__(self, source: Source, seed: int, mix: int, report: Report = unreported) -> None:
        self._source, self._seed, self._report = source, seed, report
        self._groups = -(-source.shards // mix)
        self._last: tuple[int, int, Group] | None = None

    def group(self, epoch: int, group: int) -> Group:
        """Group number ``group`` of an epoch, opened."""
        if self._last is None or self._last[:2] != (epoch, group):
            self._last = None  # the old group's references are freed before the new one's are read
            self._last = (epoch, group, self._load(epoch, group))
        return self._last[2]

    def _load(self, epoch: int, group: int) -> Group:
        n = self._source.shards
        first, end = group * n // self._groups, (group + 1) * n // self._groups
        numbers = permuted(np.arange(first, end, dtype=np.uint64), n, self._seed, Purpose.SHARDS, epoch)
        shards = tuple(self._source.open(int(k), self._report) for k in numbers)
        sizes = [len(s) for s in shards]
        starts = tuple(int(v) for v in np.cumsum([0, *sizes[:-1]]))
        return Group(shards, starts, sum(sizes))

    def take(self, cursor: Cursor, count: int) -> tuple[list[Pick], Cursor]:
        """The next ``count`` samples, and the cursor after them.  Raises InputError when the source has no samples."""
        picks: list[Pick] = []
        idle = 0
        while len(picks) < count:
            here = self.group(cursor.epoch, cursor.group)
            n = min(count - len(picks), here.total - cursor.offset)
            picks += self._picks(here, cursor, n)
            cursor = cursor._replace(offset=cursor.offset + n)
            if cursor.offset >= here.total:
                cursor = self._next(cursor)
            idle = 0 if n else idle + 1
            if idle > 2 * self._groups:
                raise InputError("the data set has no samples; expected at least one picture")
        return picks, cursor

    def _picks(self, group: Group, start: Cursor, n: int) -> list[Pick]:
        if n <= 0:
            return []
        offsets = np.arange(start.offset, start.offset + n, dtype=np.uint64)
        items = permuted(offsets, group.total, self._seed, Purpose.ITEMS, start.epoch, start.group)
        return [Pick(start._replace(offset=start.offset + k), group, int(i)) for k, i in enumerate(items)]

    def _next(self, cursor: Cursor) -> Cursor:
        if cursor.group + 1 < self._groups:
            return Cursor(cursor.epoch, cursor.group + 1)
        return Cursor(cursor.epoch + 1)

    def item(self, pick: Pick, attempt: int = 0) -> Item:
        """The sample picked; attempt k > 0 names its k-th stand-in, another of the same group.  Raises BadItemError."""
        if not attempt:
            return pick.group[pick.index]
        word = hashed(self._seed, Purpose.REFILL, *pick.place, attempt)[0]
        return pick.group[int(word % np.uint64(pick.group.total))]
