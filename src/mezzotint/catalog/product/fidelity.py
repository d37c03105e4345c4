"""Fidelity gate: whether a product that was made anew is still the one of its photograph: colour, detail, outline.

Everything is compared within the mask, in the picture's own place:

colour   the 90th percentile over tiles of how far mean colours are apart (CIE76)
detail   the least over tiles of (2 sum g1 g2 + c) / (sum g1^2 + sum g2^2 + c), g the gradients of brightness in the
         photograph and the picture, c what noise of some steps gives: the structure term of SSIM on gradients (Wang,
         Bovik, Sheikh & Simoncelli, 2004, Image Quality Assessment, equation 10)
outline  the most over sections of the border of the mean colour difference just inside it (CIE76)
leak     the most over sections of the share of pixels just outside that look like the product while those further out
         do not

The limits were set on sound pictures and planted defects of the photographs of a sample shop; what they do on others of
its photographs is in the log of experiments.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from mezzotint.pictures.png import Pixels
from mezzotint.products.colours import cielab
from mezzotint.tuning.masks import Bytes

TILES, SECTIONS = 16, 24
"""Tiles along a side; sections of the border, by their direction from the middle."""

NOISE = 6.0
"""Steps of brightness between neighbours that are no detail."""

RIM, FAR = (1.5, 4.5), (9.0, 13.0)
"""Pixels from the border, of 256: what is just beside it, and what is further out."""

DEEP, BLUR = 3.0, 2.0
"""Pixels from the border where colours are the product's alone; over which they are averaged to look for a leak."""

ALIKE, OTHER = 12.0, 18.0
"""CIE76 below which a pixel looks like the product beside it; above which it does not."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fidelity:
    """colour, outline, leak: 0 is equal.   detail: 1 is equal."""

    colour: float
    detail: float
    outline: float
    leak: float


@dataclass(frozen=True)
class Limits:
    """Beyond which a picture is for review."""

    colour: float = 2.5
    detail: float = 0.65
    outline: float = 14.0
    leak: float = 0.6

    def failed(self, found: Fidelity) -> tuple[str, ...]:
        """The measures that are beyond them."""
        beyond = (
            found.colour > self.colour,
            found.detail < self.detail,
            found.outline > self.outline,
            found.leak > self.leak,
        )
        names = ("colour", "detail", "outline", "leak")
        return tuple(name for name, over in zip(names, beyond, strict=True) if over)


def fidelity(photo: Pixels, alpha: Bytes, picture: Pixels) -> Fidelity:
    """Of a picture (H, W, 3), by a photograph of the same size and its product's alpha (H, W)."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    solid = alpha >= 128
    unit = max(1.0, min(photo.shape[:2]) / 256)
    inside = np.asarray(distance_transform_edt(np.pad(solid, 1)))[1:-1, 1:-1]
    outside = np.asarray(distance_transform_edt(~solid))
    soft = [gaussian_filter(one.astype(np.float64), (0.7 * unit, 0.7 * unit, 0)) for one in (photo, picture)]
    labs = [cielab(one) for one in soft]
    core = inside > 2 * unit
    apart = np.linalg.norm(labs[0] - labs[1], axis=-1)
    return Fidelity(
        _colour(labs[0], labs[1], core),
        _detail(soft[0].mean(-1), soft[1].mean(-1), core, unit),
        _outline(apart, (inside > RIM[0] * unit) & (inside <= RIM[1] * unit), solid),
        _leak(photo, picture, inside > DEEP * unit, outside, solid, unit),
    )


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    step = max(4, min(shape[:2]) // TILES)
    return [np.s_[y : y + step, x : x + step] for y in range(0, shape[0], step) for x in range(0, shape[1], step)]


def _colour(a: Array, b: Array, core: NDArray[np.bool_]) -> float:
    found = [
        float(np.linalg.norm(a[tile][core[tile]].mean(0) - b[tile][core[tile]].mean(0)))
        for tile in _tiles(core.shape)
        if core[tile].mean() > 0.5
    ]
    return float(np.percentile(found, 90)) if found else 0.0


def _detail(a: Array, b: Array, core: NDArray[np.bool_], unit: float) -> float:
    """1 where the photograph has no detail."""
    first, second = np.asarray(np.gradient(a)), np.asarray(np.gradient(b))
    both, own, other = (np.asarray(product.sum(0)) for product in (first * second, first**2, second**2))
    found = [1.0]
    for tile in _tiles(core.shape):
        here = core[tile]
        if here.mean() > 0.5:
            c = int(here.sum()) * (NOISE / unit) ** 2
            energy = float(own[tile][here].sum()) + float(other[tile][here].sum())
            found.append((2 * float(both[tile][here].sum()) + c) / (energy + c))
    return min(found)


def _sections(where: NDArray[np.bool_], solid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The section of each pixel, by its direction from the product's middle."""
    y, x = np.nonzero(where)
    middle = np.argwhere(solid).mean(0)
    angle = np.arctan2(y - middle[0], x - middle[1])
    return np.asarray(((angle + np.pi) / (2 * np.pi) * SECTIONS).astype(np.intp) % SECTIONS)


def _worst(values: Array, where: NDArray[np.bool_], solid: NDArray[np.bool_]) -> float:
    """The most over sections with enough pixels of the mean of a value."""
    sections = _sections(where, solid)
    counts = np.bincount(sections, minlength=SECTIONS)
    sums = np.bincount(sections, weights=values, minlength=SECTIONS)
    enough = counts >= max(4, 0.2 * counts.mean())
    return float((sums[enough] / counts[enough]).max()) if enough.any() else 0.0


def _outline(apart: Array, rim: NDArray[np.bool_], solid: NDArray[np.bool_]) -> float:
    return _worst(apart[rim], rim, solid) if rim.any() else 0.0


def _leak(
    photo: Pixels, picture: Pixels, deep: NDArray[np.bool_], outside: Array, solid: NDArray[np.bool_], unit: float
) -> float:
    """deep: where colours are the product's alone."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    beside = (outside > RIM[0] * unit) & (outside <= RIM[1] * unit)
    far = (outside > FAR[0] * unit) & (outside <= FAR[1] * unit)
    if not beside.any() or not far.any() or not deep.any():
        return 0.0
    width = (BLUR * unit, BLUR * unit, 0)
    own, other = (cielab(gaussian_filter(one.astype(np.float64), width)) for one in (photo, picture))
    y, x = distance_transform_edt(~deep, return_distances=False, return_indices=True)
    apart = np.linalg.norm(other - own[y, x], axis=-1)
    sections = _sections(far, solid)
    counts = np.maximum(1, np.bincount(sections, minlength=SECTIONS))
    clear = np.bincount(sections, weights=(apart[far] > OTHER).astype(np.float64), minlength=SECTIONS) / counts
    return _worst((apart[beside] < ALIKE) * clear[_sections(beside, solid)], beside, solid)


def numbers(found: Fidelity) -> dict[str, float]:
    """For the ledger."""
    return dict(zip(("colour", "detail", "outline", "leak"), (round(v, 4) for v in astuple(found)), strict=True))
