"""A photographed product in another colour, so that the words for colours go on meaning them beside its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mezzotint.products.colours import COLOURS, LIGHTNESS_WEIGHT, LUMINANCE, encoded, linear, nearest, oklab

Bytes = NDArray[np.uint8]

SAME, OTHER = 0.10, 0.18
"""Distances in OKLab, lightness counted as ``colours`` counts it, up to which a pixel is surely of the product's main
colour, and from which on it is surely of another."""

LIT = 0.75
"""Quantile of the main colour's luminance that is its surface in full light; darker ones are in the shade."""

GLEAM = 0.05
"""Luminance that a surface of every colour reflects: what keeps gleams on black from blinding in another colour."""

SURELY = 127


def repainted(pixels: Bytes, alpha: Bytes, colour: str) -> Bytes:
    r"""Pixels (H, W, 3) whose main colour inside alpha (H, W), the most frequent by name, is another by name.

    A matt surface reflects the light that falls on it times its colour: a pixel of luminance :math:`Y` becomes
    :math:`c\,(Y + g) / (Y_{lit} + g)` in linear light, c the new colour, g ``GLEAM``.  Light and shade stay, and all
    that is of another colour.
    """
    inside = alpha > SURELY
    if not inside.any():
        return pixels
    main = _main(pixels, inside)
    light = linear(pixels)
    bright = (light @ LUMINANCE)[..., None]
    shade = (bright + GLEAM) / (np.quantile(bright[main], LIT) + GLEAM)
    share = _share(pixels, main)[..., None]
    made = encoded(share * linear(COLOURS[colour]) * shade + (1 - share) * light)
    return np.where((alpha > 0)[..., None], made.round().astype(np.uint8), pixels)


def _main(pixels: Bytes, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W), where the product has the colour that most of it has."""
    names = nearest(pixels)
    return np.asarray(inside & (names == np.bincount(names[inside]).argmax()))


def _share(pixels: Bytes, main: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(H, W), how surely a pixel is of the main colour, 0 … 1."""
    weigh = np.array([LIGHTNESS_WEIGHT, 1.0, 1.0])
    found = oklab(pixels) * weigh
    apart = np.linalg.norm(found - np.median(found[main], 0), axis=-1)
    return np.asarray(((OTHER - apart) / (OTHER - SAME)).clip(0, 1))
