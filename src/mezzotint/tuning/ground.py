"""On which plain background a product is judged: white, or one on which a white product can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from mezzotint.products.colours import COLOURS, delta_e
from mezzotint.tuning.masks import NEAR
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.prompts import PLAIN

OTHERS = ("blue", "green", "black")
"""Grounds, by name, for what PLAIN hides; far from each other."""

HIDDEN = 0.05
"""So much of a product may be nearly its background's colour: a gleam, not a seat."""

CLEAR = 30.0
"""CIE76 from which on a product stands out whatever a model makes of both colours."""


def ground_of(photos: Sequence[Photo]) -> str:
    """PLAIN, where no photograph's product has more than HIDDEN of its pixels NEAR it; else the one of OTHERS with the
    fewest pixels of any product within CLEAR of it, the first of those that are equal."""
    cut = [photo.pixels[photo.mask.alpha > 127] for photo in photos if photo.mask is not None]

    def hidden(name: str, within: float) -> float:
        return max((float((delta_e(pixels, COLOURS[name]) <= within).mean()) for pixels in cut), default=0.0)

    return PLAIN if hidden(PLAIN, NEAR) <= HIDDEN else min(OTHERS, key=lambda name: hidden(name, CLEAR))
