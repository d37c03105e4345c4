"""The interval of noise in which guidance is on: the word of it, read and checked."""

from __future__ import annotations

import math

from mezzotint.errors import UsageError
from mezzotint.pretrained.spec import Spec


def interval_of(text: str) -> tuple[float, float] | None:
    """ "LOW,HIGH", bounds of sigma/alpha, 0 … inf -> (low, high); None for all noise, "0,inf".  Raises UsageError."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = math.nan, math.nan
    if not 0 <= low < high:
        raise UsageError(
            f"guidance-interval {text!r} is not LOW,HIGH; expected 0 <= LOW < HIGH, the noise sigma/alpha between which"
            " guidance is on, such as 0.28,2.9 or 0.28,inf"
        )
    return None if (low, high) == (0, math.inf) else (low, high)


def check_interval(spec: Spec, name: str, scale: float) -> None:
    """Raises UsageError where an interval would have no effect on a model's main stage."""
    if scale == 1:
        raise UsageError(
            "guidance-interval has no effect at scale 1, guidance off; give another scale, or leave it out"
        )
    if spec.net.get("guidance") == "distilled":
        raise UsageError(f"guidance-interval has no effect on {name}, whose guidance is in its weights; leave it out")
