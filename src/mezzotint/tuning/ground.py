"""On which plain background a product is judged: white, or one on which a white product can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from mezzotint.products.colours import COLOURS, delta_e
from mezzotint.tuning.masks import NEAR
from mezzotint.tuning.photos import Photo

GROUNDS = ("white", "blue", "green", "black")
"""By name, in the order in which they are tried; ``prompts`` asks for all of them by words."""

HIDDEN = 0.05
"""So much of a product may be nearly its background's colour: a gleam, not a seat."""


def ground_of(photos: Sequence[Photo]) -> str:
    """The first of GROUNDS on which no photograph's product is hidden by more than HIDDEN, else the one that hides
    least; white where nothing says where the product is."""
    cut = [photo.pixels[photo.mask.alpha > 127] for photo in photos if photo.mask is not None]
    hidden = {
        name: max((float((delta_e(pixels, COLOURS[name]) <= NEAR).mean()) for pixels in cut), default=0.0)
        for name in GROUNDS
    }
    return next((name for name, share in hidden.items() if share <= HIDDEN), min(hidden, key=hidden.__getitem__))
