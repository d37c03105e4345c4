"""The usual guidance by another rule: the guided answer brought back to the contrast of the conditional one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.diffusion.guidance import Rescaled
    from mezzotint.pretrained.spec import Spec

RESCALED = "rescaled"
USUAL = 0.7
"""Of the paper: ``diffusion.guidance.Rescaled``."""


@dataclass(frozen=True)
class Ruled:
    """phi: 0 < phi <= 1, the share of the correction.   calls: for each of the solver's."""

    phi: float
    calls: int = field(default=2, init=False)

    @property
    def said(self) -> dict[str, Any]:
        """For receipts."""
        return {"name": RESCALED, "phi": self.phi}

    def rule(self, spec: Spec) -> Rescaled:
        """In what a stage's network predicts, as the paper and diffusers' ``guidance_rescale`` read it."""
        from mezzotint.diffusion.guidance import Rescaled
        from mezzotint.pretrained.stage_model import parametrisation_of

        return Rescaled(self.phi, space=parametrisation_of(spec))


def is_ruled(words: str | None) -> bool:
    """Whether words of ``--guidance`` mean it."""
    return words is not None and (words == RESCALED or words.startswith(f"{RESCALED}:"))


def ruled_of(words: str) -> Ruled:
    """Of ``rescaled`` or ``rescaled:PHI``.  Raises UsageError."""
    text = words.removeprefix(RESCALED).removeprefix(":")
    try:
        phi = float(text) if text else USUAL
    except ValueError:
        phi = 0.0
    if not 0 < phi <= 1:
        raise UsageError(f"guidance {words!r}: expected {RESCALED} or {RESCALED}:PHI, PHI above 0 and at most 1")
    return Ruled(phi)
