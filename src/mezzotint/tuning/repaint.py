"""A photographed product in another colour, so that the words for colours go on meaning them beside its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mezzotint.products.colours import COLOURS, LIGHTNESS_WEIGHT, LUMINANCE, encoded, linear, nearest, oklab

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

SAME, OTHER = 0.10, 0.18
"""Distances in OKLab, lightness counted as ``colours`` counts it, up to which a pixel is surely of the product's main
colour, and from which on it is surely of another."""

LIT = 0.75
"""Quantile of the main colour's luminance that is its surface in full light; darker ones are in the shade."""

GLEAM = 0.05
"""Luminance that a surface of every colour reflects: what keeps gleams on black from blinding in another colour."""

SURELY, LOOKED_AT = 127, 20_000
"""Alpha of what is surely the product's, and about how many of its pixels are looked at."""

GRID = 33
"""Points an axis of the table of colours; between them it is linear."""


def repainted(pixels: Bytes, alpha: Bytes, colour: str) -> Bytes:
    r"""Pixels (H, W, 3) whose main colour inside alpha (H, W), the most frequent by name, is another by name.

    A matt surface reflects the light that falls on it times its colour: a pixel of luminance :math:`Y` becomes
    :math:`c\,(Y + g) / (Y_{lit} + g)` in linear light, c the new colour, g ``GLEAM``.  Light and shade stay, and all
    that is of another colour.  A pixel's new colour is a function of its old one: a table does for any size.
    """
    inside = pixels[alpha > SURELY]
    if not len(inside):
        return pixels
    table = _table(_main(inside[:: max(1, len(inside) // LOOKED_AT)]), colour)
    made = Image.fromarray(pixels).filter(ImageFilter.Color3DLUT(GRID, table.reshape(-1).tolist()))
    return np.where((alpha > 0)[..., None], np.asarray(made), pixels)


def _main(seen: Bytes) -> Bytes:
    """Of pixels (n, 3): those of the colour that most of them have."""
    names = nearest(seen)
    most = int(np.bincount(names).argmax())
    return np.asarray(seen[names == most])


def _table(main: Bytes, colour: str) -> Floats:
    """(GRID, GRID, GRID, 3) of blue, green, red: what every sRGB colour becomes, 0 … 1."""
    axis = np.linspace(0, 255, GRID)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    old = np.stack([red, green, blue], -1)
    light = linear(old)
    lit = np.quantile(linear(main) @ LUMINANCE, LIT)
    shade = (light @ LUMINANCE + GLEAM) / (lit + GLEAM)
    share = _share(old, main)[..., None]
    made = encoded(share * linear(COLOURS[colour]) * shade[..., None] + (1 - share) * light)
    return np.where(share > 0, made, old) / 255


def _share(colours: Floats, main: Bytes) -> Floats:
    """How surely colours (…, 3) are the main one, 0 … 1: by their distance from the middle of its pixels (n, 3)."""
    weigh = np.array([LIGHTNESS_WEIGHT, 1.0, 1.0])
    apart = np.linalg.norm((oklab(colours) - np.median(oklab(main), 0)) * weigh, axis=-1)
    return np.asarray(((OTHER - apart) / (OTHER - SAME)).clip(0, 1))
