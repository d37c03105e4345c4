"""Every measure of a set of pictures, each with its interval, and beside it what real pictures get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import Tensor

from mezzotint.errors import UsageError, unknown
from mezzotint.evaluation.estimate import Estimate, share_of, spread
from mezzotint.evaluation.features import Features
from mezzotint.evaluation.frechet import between, moments, replicates
from mezzotint.evaluation.kernel import LEAST, kernel_distance
from mezzotint.evaluation.memorisation import COPY_RATIO, Memorisation, evenly, memorisation, ratios
from mezzotint.evaluation.precision_recall import NEIGHBOURS, fidelity
from mezzotint.evaluation.trial import Told, Trial

METRICS = ("frechet", "kernel", "fidelity", "copies", "adherence")
COPIES = "copies of training pictures"
SHARE_LEAST = 30
"""Pictures below which a share of what is right says nothing: 95 % of a share of one half reach from 0.33 to 0.67."""

Better = Literal["lower", "higher", "half"]


@dataclass(frozen=True)
class Measure:
    """One number of a model.

    better: which way is better; "half" means that 1/2 is what a model without fault has.   made: of the generated
    pictures.   real: of as many real ones, None where that says nothing.
    """

    name: str
    better: Better
    made: Estimate
    real: Estimate | None = None


@dataclass(frozen=True)
class Measured:
    """All of them, and the most suspicious pictures: (generated, training, ratio of distances)."""

    measures: tuple[Measure, ...]
    nearest: tuple[tuple[int, int, float], ...] = ()

    @property
    def named(self) -> Mapping[str, Measure]:
        """The measures by their names."""
        return {m.name: m for m in self.measures}


@dataclass(frozen=True, eq=False)
class _Sets:
    """Features of what is compared.  minimum: as in ``frechet.between``.   told: of features of what was learnt."""

    images: Tensor
    trial: Trial
    extract: Features
    minimum: int | None
    told: Told
    made: Tensor
    unseen: Tensor
    train: Tensor

    @cached_property
    def repeats(self) -> Memorisation:
        """What the neighbours of the generated pictures say."""
        return memorisation(self.made, self.train, self.unseen, learnt=self.learnt)

    @cached_property
    def learnt(self) -> Tensor:
        """Of every picture that was learnt from, where the trial knows them."""
        known = self.trial.learnt
        return self.train if known is None else known.features(self.extract, self.told)

    @property
    def real(self) -> Tensor:
        """As many features of training pictures as there are generated ones, of all of them alike: they may be sorted,
        and the first ones all of one kind."""
        return evenly(self.train, len(self.made))


def _frechet(sets: _Sets) -> list[Measure]:
    other = moments(sets.unseen)

    def distance(features: Tensor) -> Estimate:
        found = between(moments(features), other, sets.minimum)
        return spread(found, replicates(features, other), len(features))

    return [Measure(sets.extract.distances[0], "lower", distance(sets.made), distance(sets.real))]


def _kernel(sets: _Sets) -> list[Measure]:
    made, real = (kernel_distance(x, sets.unseen) for x in (sets.made, sets.real))
    return [Measure(sets.extract.distances[1], "lower", made, real)]


def _fidelity(sets: _Sets) -> list[Measure]:
    made, real = (fidelity(x, sets.unseen) for x in (sets.made, sets.real))
    names = ("precision", "recall", "density", "coverage")
    return [Measure(name, "higher", getattr(made, name), getattr(real, name)) for name in names]


def _copies(sets: _Sets) -> list[Measure]:
    unseen = share_of(ratios(sets.unseen, sets.learnt)[0] < COPY_RATIO)
    return [
        Measure(COPIES, "lower", sets.repeats.copies, unseen),
        Measure("nearer to training than to held out", "half", sets.repeats.nearer_train),
    ]


def _adherence(sets: _Sets) -> list[Measure]:
    made, real = sets.trial.judged(sets.images), sets.trial.judged(sets.trial.reference)
    return [Measure(f"{what} right", "higher", made[what], real.get(what)) for what in made]


_OF: Mapping[str, Callable[[_Sets], list[Measure]]] = {
    "frechet": _frechet,
    "kernel": _kernel,
    "fidelity": _fidelity,
    "copies": _copies,
    "adherence": _adherence,
}


def check(metrics: Sequence[str], n: int, extract: Features, minimum: int | None = None) -> None:
    """Raises UsageError: an unknown metric, or n pictures being too few for one; said before pictures are made.

    minimum: of ``frechet``; of ``adherence`` where it is below SHARE_LEAST.
    """
    for name in metrics:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    frechet = extract.dim + 1 if minimum is None else minimum
    share = SHARE_LEAST if minimum is None else min(minimum, SHARE_LEAST)
    least = {"frechet": frechet, "kernel": LEAST, "fidelity": NEIGHBOURS + 1, "copies": 1, "adherence": share}
    enough = [name for name in metrics if n >= least[name]]
    for name in metrics:
        if name not in enough:
            without = f", or leave it out with --metrics {','.join(enough)}" if enough else ""
            raise UsageError(
                f"{n} pictures are too few for {name}: expected at least {least[name]}; make more with -n{without}"
            )


def untold(done: int, total: int) -> None:
    """Nobody is told."""


def measure(
    images: Tensor,
    trial: Trial,
    extract: Features,
    metrics: Sequence[str] = METRICS,
    minimum: int | None = None,
    told: Told = untold,
) -> Measured:
    """Measures pictures uint8 (N, C, H, W), the k-th made for the k-th prompt of the trial.

    minimum: as of ``check``.   told: how many of the pictures that were learnt from have been looked at, of how many.
    Raises UsageError: as ``check``.
    """
    check(metrics, len(images), extract, minimum)
    sets = _Sets(images, trial, extract, minimum, told, *(extract(x) for x in (images, trial.reference, trial.train)))
    found = tuple(m for name in METRICS if name in metrics for m in _OF[name](sets))
    return Measured(found, sets.repeats.nearest if "copies" in metrics else ())
