"""The usual guidance by another rule: brought back to the contrast of the conditional answer, or only across it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.diffusion.guidance.pair import Rule
    from mezzotint.pretrained.spec import Spec

RESCALED, PROJECTED = "rescaled", "apg"
USUAL = 0.7
"""Of the paper: ``diffusion.guidance.Rescaled``."""


@dataclass(frozen=True)
class Contrast:
    """phi: 0 < phi <= 1, the share of the correction."""

    phi: float

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        return {"name": RESCALED, "phi": self.phi}

    def rule(self, spec: Spec) -> Rule:
        """In what a stage's network predicts, as the paper and diffusers' ``guidance_rescale`` read it."""
        from mezzotint.diffusion.guidance import Rescaled
        from mezzotint.pretrained.stage_model import parametrisation_of

        return Rescaled(self.phi, space=parametrisation_of(spec))


@dataclass(frozen=True)
class Across:
    """eta: 0 <= eta <= 1, the share that is kept of what goes along the conditional answer.   norm: the longest step,
    in units of the state; inf is any.
    """

    eta: float = 0.0
    norm: float = math.inf

    @property
    def said(self) -> dict[str, Any]:
        """For receipts; no norm is null."""
        return {"name": PROJECTED, "eta": self.eta, "norm": self.norm if math.isfinite(self.norm) else None}

    def rule(self, spec: Spec) -> Rule:
        """In denoised pictures, as the paper has it, whatever a network predicts."""
        from mezzotint.diffusion.guidance import APG

        return APG(self.eta, self.norm)


@dataclass(frozen=True)
class Ruled:
    """by: the rule.   calls: for each of the solver's."""

    by: Contrast | Across
    calls: int = field(default=2, init=False)

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        return self.by.said

    def rule(self, spec: Spec) -> Rule:
        """For a stage."""
        return self.by.rule(spec)


def is_ruled(words: str | None) -> bool:
    """Whether words of ``--guidance`` mean it."""
    return words is not None and words.partition(":")[0] in (RESCALED, PROJECTED)


def ruled_of(words: str) -> Ruled:
    """Of ``rescaled``, ``rescaled:PHI``, ``apg``, ``apg:ETA`` or ``apg:ETA,NORM``.  Raises UsageError."""
    name, _, text = words.partition(":")
    try:
        numbers = [float(part) for part in text.split(",")] if text else []
    except ValueError:
        numbers = [math.nan]
    return Ruled(_contrast(words, numbers) if name == RESCALED else _across(words, numbers))


def _contrast(words: str, numbers: list[float]) -> Contrast:
    phi, *more = numbers or [USUAL]
    if more or not 0 < phi <= 1:
        raise UsageError(f"guidance {words!r}: expected {RESCALED} or {RESCALED}:PHI, PHI above 0 and at most 1")
    return Contrast(phi)


def _across(words: str, numbers: list[float]) -> Across:
    eta, norm, *more = [*numbers, *(0.0, math.inf)[len(numbers) :]]
    if more or not 0 <= eta <= 1 or not norm > 0:
        expected = f"{PROJECTED}, {PROJECTED}:ETA or {PROJECTED}:ETA,NORM, ETA from 0 to 1, NORM above 0"
        raise UsageError(f"guidance {words!r}: expected {expected}")
    return Across(eta, norm)
