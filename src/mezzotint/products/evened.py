"""Rare kinds are learnt from more often than they were photographed: their pictures come several times."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mezzotint.products.latents import LatentScenes
from mezzotint.training.data.source import Data, Item, Report, Shard

ENOUGH = 240
"""Photographs of a kind that need not come more than once; half of the kinds have fewer than 30."""

GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Evened:
    r"""A ``Source`` of latents in which a picture of a kind that has n comes :math:`\max(1, \sqrt{enough/n})` times, in
    the mean over its pictures.

    Gupta, Dollár & Girshick, 2019, LVIS: A Dataset for Large Vocabulary Instance Segmentation, app. (repeat factor
    sampling).
    """

    latents: LatentScenes
    enough: int = ENOUGH

    @property
    def classes(self) -> tuple[str, ...]:
        return self.latents.classes

    @property
    def shards(self) -> int:
        return self.latents.shards

    @property
    def fingerprint(self) -> str:
        return f"{self.latents.fingerprint}/evened-{self.enough}"

    def open(self, shard: int, report: Report) -> Shard:
        return _Chosen(self.latents.open(shard, report), self.chosen)

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """The number of each picture, as often as it comes."""
        return repeated([picture.kind for picture in self.latents.scenes.pictures], self.enough)


def repeated(kinds: Sequence[str], enough: int) -> tuple[int, ...]:
    """The place of each, as often as it comes: fractions are shared out evenly along the row."""
    counts = Counter(kinds)
    times = [max(1.0, math.sqrt(enough / counts[kind])) for kind in kinds]
    return tuple(i for i, r in enumerate(times) for _ in range(int(r + i * GOLDEN % 1)))


@dataclass(frozen=True)
class _Chosen:
    base: Shard
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, i: int) -> Item:
        return self.base[self.chosen[i]]


def evened(data: Callable[[Path | None], Data]) -> Callable[[Path | None], Data]:
    """The data of a recipe of latents, in which rare kinds come more often; what is held out stays as it is."""

    def made(folder: Path | None) -> Data:
        found = data(folder)
        assert isinstance(found.train, LatentScenes)
        return Data(Evened(found.train), found.held_out)

    return made
