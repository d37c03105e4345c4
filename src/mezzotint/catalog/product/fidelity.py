"""Fidelity gate: whether a product that was made anew is still the one of its photograph: colour, detail, outline.

Everything is compared within the mask, in the picture's own place:

colour   the 90th percentile over tiles of how far mean colours are apart (CIE76)
detail   the least over tiles of (2 sum g1 g2 + c) / (sum g1^2 + sum g2^2 + c), g the gradients of brightness in the
         photograph and the picture, c what noise of some steps gives: the structure term of SSIM on gradients (Wang,
         Bovik, Sheikh & Simoncelli, 2004, Image Quality Assessment, equation 10)
outline  how clearly a part of it is elsewhere, in pixels along its normal (``outline.displaced``)

The limits were set on sound pictures and planted defects of half of some hundred products; what they do on the other
half is in the log of experiments (benchmarks/product_fidelity.py).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from mezzotint.catalog.product.outline import displaced
from mezzotint.pictures.png import Pixels
from mezzotint.products.colours import cielab
from mezzotint.tuning.masks import Bytes

TILES, COVERED = 16, 0.2
"""Along a side; the share of one that is the product's from which it is looked at: thin products fill none."""

NOISE = 6.0
"""Steps of brightness between neighbours that are no detail."""

OPAQUE, CORE = 250, 2.0
"""Alpha that nothing shines through; pixels from what has less, of 256, where colours are the product's alone."""

NAMES = ("colour", "detail", "outline")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fidelity:
    """colour, outline: 0 is equal.   detail: 1 is equal."""

    colour: float
    detail: float
    outline: float


@dataclass(frozen=True)
class Limits:
    """Beyond which a picture is for review."""

    colour: float = 2.5
    detail: float = 0.8
    outline: float = 0.3

    def failed(self, found: Fidelity) -> tuple[str, ...]:
        """The measures that are beyond them."""
        beyond = (
            found.colour > self.colour,
            found.detail < self.detail,
            found.outline > self.outline,
        )
        return tuple(name for name, over in zip(NAMES, beyond, strict=True) if over)


def fidelity(photo: Pixels, alpha: Bytes, picture: Pixels) -> Fidelity:
    """Of a picture (H, W, 3), by a photograph of the same size and its product's alpha (H, W)."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    unit = max(1.0, min(photo.shape[:2]) / 256)
    inside = np.asarray(distance_transform_edt(np.pad(alpha >= OPAQUE, 1)))[1:-1, 1:-1]
    soft = [gaussian_filter(one.astype(np.float64), (0.7 * unit, 0.7 * unit, 0)) for one in (photo, picture)]
    labs = [cielab(one) for one in soft]
    core = inside > CORE * unit
    return Fidelity(
        _colour(labs[0], labs[1], core),
        _detail(soft[0].mean(-1), soft[1].mean(-1), core, unit),
        displaced(photo, alpha, picture),
    )


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    step = max(4, min(shape[:2]) // TILES)
    return [np.s_[y : y + step, x : x + step] for y in range(0, shape[0], step) for x in range(0, shape[1], step)]


def _colour(a: Array, b: Array, core: NDArray[np.bool_]) -> float:
    found = [
        float(np.linalg.norm(a[tile][core[tile]].mean(0) - b[tile][core[tile]].mean(0)))
        for tile in _tiles(core.shape)
        if core[tile].mean() > COVERED
    ]
    return float(np.percentile(found, 90)) if found else 0.0


def _detail(a: Array, b: Array, core: NDArray[np.bool_], unit: float) -> float:
    """1 where the photograph has no detail."""
    first, second = np.asarray(np.gradient(a)), np.asarray(np.gradient(b))
    both, own, other = (np.asarray(product.sum(0)) for product in (first * second, first**2, second**2))
    found = [1.0]
    for tile in _tiles(core.shape):
        here = core[tile]
        if here.mean() > COVERED:
            c = int(here.sum()) * (NOISE / unit) ** 2
            energy = float(own[tile][here].sum()) + float(other[tile][here].sum())
            found.append((2 * float(both[tile][here].sum()) + c) / (energy + c))
    return min(found)


def numbers(found: Fidelity) -> dict[str, float]:
    """For the ledger."""
    return dict(zip(NAMES, (round(v, 4) for v in astuple(found)), strict=True))
