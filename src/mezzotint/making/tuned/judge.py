"""Evidence of an adapter: its pictures and its base's on the same noise, both held against photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mezzotint.evaluation.features import Features
from mezzotint.making.evaluation import Counted, pictures, unheard
from mezzotint.making.tuned.base import Base, Worn
from mezzotint.tuning.evidence import Evidence, Pictures, Real, against_base, evidence, parted
from mezzotint.tuning.prompts import Asked

SEED = 1_000_000


@dataclass(frozen=True, eq=False)
class Court:
    """What judging needs.   work: where pictures are kept.   report: told how many are made."""

    base: Base
    asked: Asked
    real: Real
    features: Features
    work: Path
    report: Counted = unheard

    def made(self, worn: Worn | None, seed: int = SEED, quality: str = "standard") -> Pictures:
        """Pictures of all prompts."""
        job = self.base.job(self.asked.all, seed, worn, quality)
        return parted(pictures(job, self.work, self.report).images, self.asked)


@dataclass(frozen=True, eq=False)
class Judged:
    """base: evidence of the base itself.  moments: step -> of what was learnt until then.   pictures: of each moment;
    at step 0 the base's."""

    base: Evidence
    moments: Mapping[int, Evidence]
    pictures: Mapping[int, Pictures]


def judged(court: Court, candidates: Sequence[tuple[int, Worn]]) -> Judged:
    """The evidence of several moments.   candidates: (step, what was learnt as it was then)."""
    own, again = court.made(None), court.made(None, SEED + 10_000)
    found: dict[int, Evidence] = {}
    shown: dict[int, Pictures] = {0: own}
    for step, worn in candidates:
        made = court.made(worn)
        alone = evidence(made, court.asked, court.real, court.features)
        found[step] = against_base(alone, made, own, again, court.real, court.features)
        shown[step] = made
    return Judged(evidence(own, court.asked, court.real, court.features), found, shown)
