"""Evidence of an adapter: its pictures and its base's on the same noise, both held against photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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

    def made(self, worn: Worn | None, seed: int = SEED, report: Counted = unheard) -> Shown:
        """Pictures of all prompts."""
        job = self.base.job(self.prompts, seed, worn)
        images = pictures(job, self.work, report, piece=1).images
        return dict(zip(self.asked, parted(images, list(self.asked.values())), strict=True))

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
    turns, n = len(candidates) + 2, len(court.prompts)

    def made(turn: int, worn: Worn | None, seed: int = SEED) -> Shown:
        return court.made(worn, seed, lambda done, _: court.report(turn * n + done, turns * n))

    shown = {0: made(0, None)}
    again = made(1, None, SEED + 10_000)
    shown |= {step: made(turn, worn) for turn, (step, worn) in enumerate(candidates, 2)}
    found = {step: court.marks(pictures, shown[0] if step else None) for step, pictures in shown.items()}
    other = {step: next(iter(pictures.values())).other for step, pictures in shown.items()}
    before = next(iter(again.values())).other
    drifts = {step: drift_of(x, other[0], before, court.features) if step else None for step, x in other.items()}
    return Judged(
        {step: evidence(together(list(of.values())), drifts[step]) for step, of in found.items()},
        {name: {step: evidence(of[name], drifts[step]) for step, of in found.items()} for name in court.asked},
        shown,
    )
