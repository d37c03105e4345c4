"""Backgrounds that need no network: a colour, or one that passes into another from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mezzotint.catalog.product.colour import Rgb, colour_of
from mezzotint.pictures.png import Pixels

TO = " to "


@dataclass(frozen=True)
class Backdrop:
    """The colours of the first and of the last row."""

    top: Rgb
    bottom: Rgb

    def painted(self, size: tuple[int, int]) -> Pixels:
        """(H, W, 3) of a size (width, height): row y of H is top + (bottom - top) y / (H - 1), rounded to nearest."""
        width, height = size
        share = np.linspace(0, 1, height)[:, None]
        rows = np.rint((1 - share) * np.array(self.top) + share * np.array(self.bottom)).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(rows[:, None], (height, width, 3)))


def backdrop_of(text: str) -> Backdrop:
    """ "white", "#f4f1ea", "light grey to white".   Raises UsageError."""
    top, _, bottom = text.partition(TO)
    return Backdrop(colour_of(top), colour_of(bottom or top))
