"""Evidence of an adapter: its pictures and its base's on the same noise, both held against photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mezzotint.evaluation.features import Features
from mezzotint.making.evaluation import Counted, pictures, unheard
from mezzotint.making.tuned.base import Base, Worn
from mezzotint.tuning.evidence import Evidence, Marks, Pictures, Real, drift_of, evidence, marks, parted, together
from mezzotint.tuning.prompts import Asked, prompts_of

SEED = 1_000_000

Shown = Mapping[str, Pictures]
"""Subject -> pictures of it."""


@dataclass(frozen=True, eq=False)
class Court:
    """What judging needs.

    asked, real: by subject.  work: where pictures are kept.  report: told how many pictures are made, of all that
    judging makes.
    """

    base: Base
    asked: Mapping[str, Asked]
    real: Mapping[str, Real]
    features: Features
    work: Path
    report: Counted = unheard

    @property
    def prompts(self) -> tuple[str, ...]:
        """Of one model's pictures."""
        return prompts_of(list(self.asked.values()))

    @property
    def ground(self) -> str:
        """The plain background on which every subject is asked for."""
        return next(iter(self.asked.values())).ground

    def made(self, worn: Worn | None, report: Counted = unheard) -> Shown:
        """Pictures of all prompts."""
        images = self._pictures(self.prompts, SEED, worn, report)
        return dict(zip(self.asked, parted(images, list(self.asked.values())), strict=True))

    @property
    def other(self) -> tuple[str, ...]:
        """The prompts of other things, which all subjects share."""
        return next(iter(self.asked.values())).other

    def elsewhere(self, report: Counted = unheard) -> Tensor:
        """The base's pictures of other things on other noise, (n, 3, S, S) uint8."""
        return self._pictures(self.other, SEED + 10_000, None, report)

    def _pictures(self, prompts: Sequence[str], seed: int, worn: Worn | None, report: Counted) -> Tensor:
        return pictures(self.base.job(prompts, seed, worn), self.work, report, piece=1).images

    def marks(self, made: Shown, before: Shown | None = None) -> dict[str, Marks]:
        """What pictures show, by subject.   before: the base's on the same noise."""
        return {
            name: marks(one, self.asked[name], self.real[name], self.features, before[name] if before else None)
            for name, one in made.items()
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """Step -> what was found there; step 0 is the base itself.

    together: evidence of all subjects' pictures.  each: subject -> of its own alone.  pictures: by subject.
    """

    together: Mapping[int, Evidence]
    each: Mapping[str, Mapping[int, Evidence]]
    pictures: Mapping[int, Shown]


def judged(court: Court, candidates: Sequence[tuple[int, Worn]]) -> Judged:
    """The evidence of several moments.   candidates: (step, what was learnt as it was then)."""
    n, total = len(court.prompts), (1 + len(candidates)) * len(court.prompts) + len(court.other)

    def told(before: int) -> Counted:
        return lambda done, _: court.report(before + done, total)

    turns: list[tuple[int, Worn | None]] = [(0, None), *candidates]
    shown = {step: court.made(worn, told(turn * n)) for turn, (step, worn) in enumerate(turns)}
    again = court.elsewhere(told(len(turns) * n))
    found = {step: court.marks(pictures, shown[0] if step else None) for step, pictures in shown.items()}
    other = {step: next(iter(pictures.values())).other for step, pictures in shown.items()}
    drifts = {step: drift_of(x, other[0], again, court.features) if step else None for step, x in other.items()}
    return Judged(
        {step: evidence(together(list(of.values())), drifts[step]) for step, of in found.items()},
        {name: {step: evidence(of[name], drifts[step]) for step, of in found.items()} for name in court.asked},
        shown,
    )
