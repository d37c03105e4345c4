"""Whether several products that were learnt together stay apart: each word brings its own product, and no other's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from mezzotint.evaluation.estimate import Estimate, mean_of
from mezzotint.evaluation.features import Features
from mezzotint.tuning.evidence import products, unit_features

BLEED = 0.5
"""A product bleeds where pictures of another's word moved towards it by more than so much of what its own word moved
them."""


@dataclass(frozen=True)
class Separation:
    """names: of the subjects, n.  gains: (n, n), row i and column j: how much nearer, in cosine, pictures made with
    word j are to the photographs of product i than the base's with the same word and noise.

    bleeding: (i, j) where word j brings product i.
    """

    names: tuple[str, ...]
    gains: tuple[tuple[Estimate, ...], ...]

    @property
    def bleeding(self) -> tuple[tuple[int, int], ...]:
        n = range(len(self.names))
        return tuple((i, j) for i in n for j in n if i != j and self._bleeds(i, j))

    def _bleeds(self, i: int, j: int) -> bool:
        across, own = self.gains[i][j], self.gains[i][i]
        return across.low > 0 and across.value > BLEED * own.value

    @property
    def notes(self) -> tuple[str, ...]:
        """For people, one a pair that is not apart."""
        return tuple(
            f"the words {self.names[j]!r} bring something of {self.names[i]!r} ({self.gains[i][j]} against"
            f" {self.gains[i][i]} by its own): tune them apart, or with names that share no word"
            for i, j in self.bleeding
        )


def separation(
    made: Mapping[str, Tensor],
    base: Mapping[str, Tensor],
    real: Mapping[str, Tensor],
    features: Features,
    ground: str,
) -> Separation:
    """The matrix.

    Args: made, base: subject -> pictures of its word, (m, 3, S, S) uint8, by what was tuned and by its base on the same
            noise.  real: subject -> photographs (k, 3, S, S), to hold them against, as ``evidence.real`` shows them.
            ground: what all of them are on, by name.
    """
    names = tuple(real)
    of = {name: unit_features(real[name], features) for name in names}
    after, before = (
        {name: unit_features(products(shown[name], ground), features) for name in names} for shown in (made, base)
    )
    moved = {name: after[name] - before[name] for name in names}
    rows = tuple(tuple(mean_of((moved[j] @ of[i].T).mean(1)) for j in names) for i in names)
    return Separation(names, rows)
