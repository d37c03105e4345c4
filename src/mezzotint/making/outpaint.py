"""Outpainting: a picture set into a larger frame, and what is to be painted around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import UsageError
from mezzotint.pictures.png import Pixels


class Margins(NamedTuple):
    """Pixels to paint on each side."""

    left: int
    top: int
    right: int
    bottom: int


class Framed(NamedTuple):
    """pixels: (H, W, C), the picture in its frame.  new: (H, W), the frame.  painted: (H, W), the frame widened to
    whole blocks of the state."""

    pixels: Pixels
    new: NDArray[np.bool_]
    painted: NDArray[np.bool_]


def margins_of(text: str, largest: int) -> Margins:
    """ "LEFT,TOP,RIGHT,BOTTOM" in pixels.  Raises UsageError."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(p.isascii() and p.isdecimal() and len(p) <= 9 for p in parts):
        raise UsageError(f"outpaint {text!r} is not LEFT,TOP,RIGHT,BOTTOM in pixels, such as 0,0,128,0")
    found = Margins(*map(int, parts))
    if not any(found) or max(found) > largest:
        raise UsageError(f"outpaint {text!r}: expected at least one side above 0, and none above {largest}")
    return found


def framed(pixels: Pixels, margins: Margins, block: int) -> Framed:
    """A picture (h, w, C) in a frame that repeats its edge, and what is painted.

    The fill is a state's context at the edge, and what a strength below 1 begins from; a model that is told the mask
    never sees it.   block: pixels of one of the state's, along an axis.
    """
    left, top, right, bottom = margins
    made = np.pad(pixels, ((top, bottom), (left, right), (0, 0)), mode="edge")
    new = np.ones(made.shape[:2], bool)
    new[top : top + pixels.shape[0], left : left + pixels.shape[1]] = False
    return Framed(made, new, _blocks(new, block))


def _blocks(mask: NDArray[np.bool_], block: int) -> NDArray[np.bool_]:
    """True in every whole block that has a True pixel."""
    height, width = mask.shape
    wide = np.pad(mask, ((0, -height % block), (0, -width % block)))
    some = wide.reshape(wide.shape[0] // block, block, -1, block).any((1, 3))
    return some.repeat(block, 0).repeat(block, 1)[:height, :width]
