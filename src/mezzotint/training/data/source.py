"""What a data set is to the trainer: numbered shards of numbered items, opened one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Item:
    """One sample as it lies in the data set.

    id: a name for reports, unique within the data set.  image: an encoded picture, or its pixels (H, W) or (C, H, W)
    uint8.
    text: caption or None.  label: class number or None.
    """

    id: str
    image: bytes | NDArray[np.uint8]
    text: str | None = None
    label: int | None = None


class BadItemError(Exception):
    """A sample that cannot be used: it is quarantined by name and the run goes on.  Never leaves ``training.data``."""

    def __init__(self, item: str, reason: str) -> None:
        super().__init__(f"{item}: {reason}")
        self.item, self.reason = item, reason


Report = Callable[[BadItemError], None]
"""Takes in what cannot be used, a sample or the rest of a shard."""


class Shard(Protocol):
    """A part of a data set, as references that fit in memory.  ``[i]`` raises BadItemError for a damaged item."""

    def __len__(self) -> int: ...
    def __getitem__(self, i: int) -> Item: ...


class Source(Protocol):
    """A data set.  Opening a shard costs memory for its references; the trainer holds a few shards at a time.

    classes: class names, () without labels.
    fingerprint: a digest of what is there (names, sizes), so that a resume on other data is noticed.
    open: a damaged shard is reported, and has the items before the damage.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def shards(self) -> int: ...
    def open(self, shard: int, report: Report) -> Shard: ...


@dataclass(frozen=True)
class Data:
    """What one run sees: samples to learn from, and samples that are only measured."""

    train: Source
    held_out: Source | None = None


@dataclass(frozen=True)
class _Part:
    base: Shard
    every: int
    keep: bool

    def __len__(self) -> int:
        held = (len(self.base) + self.every - 1) // self.every
        return held if self.keep else len(self.base) - held

    def __getitem__(self, i: int) -> Item:
        return self.base[i * self.every if self.keep else i + i // (self.every - 1) + 1]


@dataclass(frozen=True)
class Held:
    """Every ``every``-th item of each shard (``keep``), or all the others: a split without a list of it."""

    base: Source
    every: int
    keep: bool

    @property
    def classes(self) -> tuple[str, ...]:
        return self.base.classes

    @property
    def fingerprint(self) -> str:
        return f"{self.base.fingerprint}/{self.every}{'+' if self.keep else '-'}"

    @property
    def shards(self) -> int:
        return self.base.shards

    def open(self, shard: int, report: Report) -> Shard:
        return _Part(self.base.open(shard, report), self.every, self.keep)


def split(source: Source, every: int = 50) -> Data:
    """Holds out items 0, every, 2 every … of each shard.  every >= 2."""
    return Data(Held(source, every, keep=False), Held(source, every, keep=True))
