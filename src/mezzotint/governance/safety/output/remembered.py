"""Whether a prompt's picture may be one that the model remembers: how far the prompt moved the first step of it.

A sign, not a proof: what stands out among harmless prompts is looked at.  What copies really, ``copies`` finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mezzotint.governance.safety.output.policy import OutputPolicy, led_to
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.pictures.png import Pixels

NAME = "first-step"


@dataclass(frozen=True)
class Remembered:
    r"""first: as receipts have it (``Receipt.first_step``); None where no text was told.

    The score is :math:`d / (d + q)` of the distance d and of q, which nearly all harmless prompts stay below: 1/2 is
    where a finding begins.
    """

    first: Mapping[str, Any] | None
    policy: OutputPolicy

    name = NAME

    def __call__(self, pixels: Pixels) -> Found:
        if self.first is None:
            return Found()
        if "apart" not in self.first:
            return Found(unchecked={NAME: str(self.first["silent"])})
        if "usual" not in self.first:
            return Found(unchecked={NAME: "nothing-to-compare-with"})
        apart, usual = float(self.first["apart"]), float(self.first["usual"])
        score = apart / (apart + usual)
        found = finding("copy", "prompt", NAME, led_to(self.policy.remembered), score)
        return Found((found,) if score > 0.5 and self.policy.remembered != "allow" else (), {NAME: score})
