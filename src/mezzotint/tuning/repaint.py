"""A photographed product in another colour, so that the words for colours go on meaning them beside its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mezzotint.products.colours import COLOURS, LIGHTNESS_WEIGHT, LUMINANCE, NAMES, encoded, linear, nearest, oklab

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

RARE = 0.02
"""Share of a product's pixels below which a photograph shows next to nothing of a colour."""

GRID = 33
"""Points an axis of the table of colours; between them it is linear."""


def main_colour(shoot: Sequence[tuple[Bytes, Bytes]]) -> str:
    """The name of the most frequent colour of a product, "" where nothing is seen of it.

    shoot: of each photograph, pixels (H, W, 3) and the alpha (H, W) of the product; all count the same.
    """
    count = np.zeros(len(NAMES))
    for pixels, alpha in shoot:
        if len(seen := _seen(pixels, alpha)):
            count += np.bincount(nearest(seen), minlength=len(NAMES)) / len(seen)
    return NAMES[int(count.argmax())] if count.any() else ""


def repainted(pixels: Bytes, alpha: Bytes, main: str, colour: str) -> Bytes:
    r"""Pixels (H, W, 3) whose main colour inside alpha (H, W) is another by name.

    main: its name, of ``main_colour``; where a photograph shows next to nothing of it, the photograph's own.
    A matt surface reflects the light that falls on it times its colour: a pixel of luminance :math:`Y` becomes
    :math:`c\,(Y + g) / (Y_{lit} + g)` in linear light, c the new colour, g ``GLEAM``.  Light and shade stay, and all
    that is of another colour.  A pixel's new colour is a function of its old one: a table does for any size.
    """
    seen = _seen(pixels, alpha)
    if not len(seen):
        return pixels
    table = _table(_of(seen, main), colour)
    made = Image.fromarray(pixels).filter(ImageFilter.Color3DLUT(GRID, table.reshape(-1).tolist()))
    return np.where((alpha > 0)[..., None], np.asarray(made), pixels)


def _seen(pixels: Bytes, alpha: Bytes) -> Bytes:
    """(n, 3): some of the pixels that are surely the product's."""
    inside = pixels[alpha > SURELY]
    return np.asarray(inside[:: max(1, len(inside) // LOOKED_AT)])


def _of(seen: Bytes, main: str) -> Bytes:
    """Of pixels (n, 3): those of a colour by name, or where it is rare, of the colour that most of them have."""
    names = nearest(seen)
    count = np.bincount(names, minlength=len(NAMES))
    wanted = NAMES.index(main) if main else int(count.argmax())
    most = wanted if count[wanted] >= RARE * len(seen) else int(count.argmax())
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
