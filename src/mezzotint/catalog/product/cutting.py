"""Where the product is in a photograph, as far as that can be known: in this order by

file     a mask that is given
key      a background's colour that is given
file     a mask beside the photograph
alpha    of the photograph
grabcut  a background that is plain, or changes as light falls off
guess    nothing but the middle of the picture: for a person to look at
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.catalog.product.colour import colour_of
from mezzotint.errors import InputError
from mezzotint.pictures.flat import flat
from mezzotint.pictures.png import Pixels, read_picture
from mezzotint.products.colours import delta_e
from mezzotint.products.frame import frame
from mezzotint.tuning.masks import NEAR, PLAIN, Bytes, Mask, backdrop, cut, mask_beside, mask_of, segmented

FULL = 255
SURE = 0.5
"""Below this confidence a mask is for a person to look at."""

BACK, FORE = 8.0, 24.0
"""CIE76 from a key's colour: up to the first a pixel is all background, from the second on all the product's."""

ROUNDS, ALIKE = 8, 0.6
"""Of the fit of a background that changes; the share of the frame that has to follow it."""

MARGIN, SHAPE = 0.08, 6
"""Of the shorter side, that is background where nothing else is known; terms of a quadratic in two variables."""

STEP, UNKNOWN = 32.0, 0.9
"""A step of brightness that is an edge for sure; how sure a guess is at most, of ``SURE``."""

AGREED, RUNS_OUT = 0.9, 0.1
"""Overlap of a cut with what is unlike its background that is as good as all; share of the frame in it that is too much
for a product that is all there."""

SOFT, SHADOW = 24, 0.3
"""A border whose neighbours differ by less, in 256 levels of any colour, is soft; the share of it that is a shadow."""

PLACES = 2
"""At which a product may leave a picture: a lamp hangs from its cord, lines behind it cross at many."""

Colours = NDArray[np.float64]


def cut_out(photo: Path, mask: str, key: str, size: tuple[int, int]) -> tuple[Pixels, Mask]:
    """(a photograph (H, W, 3), its mask).   size: (width, height) in which it is cut, where it has to be.

    Raises InputError: no picture, a wrong mask, or nothing says where the product is; UsageError: a key that is no
    colour.
    """
    pixels, alpha = _opaque(photo), _alpha(photo)
    if mask:
        return pixels, _given(Path(mask), pixels)
    if key:
        return keyed(scaled(pixels, size), np.array(colour_of(key), np.float64))
    if mask_beside(photo) is None and alpha is None:
        pixels = scaled(pixels, size)
    known = mask_of(photo, pixels, alpha) or _falling_off(pixels) or _guessed(pixels)
    if known is None:
        raise InputError(
            f"{photo}: nothing says where the product is; give a mask, alpha, a key, or a photograph on a plain"
            " background"
        )
    return pixels, known


def keyed(pixels: Pixels, colour: Colours) -> tuple[Pixels, Mask]:
    r"""Everything near a colour k is cut away, softly: :math:`a = (d - b)/(f - b)` in [0, 1] with d the distance.

    Where a is between, the pixel is c = a p + (1 - a) k, and p is what is kept: the colour behind does not shine
    through.  Smith & Blinn, 1996, Blue Screen Matting, equation 1.
    """
    alpha = np.clip((delta_e(pixels, colour) - BACK) / (FORE - BACK), 0, 1)
    cover = np.rint(alpha * FULL).astype(np.uint8)
    soft = (cover > 0) & (cover < FULL)
    a = alpha[soft][:, None]
    clean = pixels.copy()
    clean[soft] = np.rint(np.clip((pixels[soft] - (1 - a) * colour) / a, 0, 255)).astype(np.uint8)
    return clean, Mask(cover, "key")


def _falling_off(pixels: Pixels) -> Mask | None:
    """Cut from a background that changes; None where there is none."""
    back = falling_off(pixels)
    return None if back is None else cut(pixels, back)


def falling_off(pixels: Pixels) -> Colours | None:
    """(H, W, 3), a background whose colours are quadratic in place, as where light falls off; None where less than
    ``ALIKE`` of the frame's pixels are that.   By least squares, over and over, of the pixels that follow it."""
    height, width = pixels.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    edge = frame(height, width)
    wanted, at = pixels[edge].astype(np.float64), terms[edge]
    keep = np.ones(len(at), np.bool_)
    apart: NDArray[np.float64] = np.zeros(len(at))
    factors: NDArray[np.floating[Any]] = np.zeros((SHAPE, 3))
    for _ in range(ROUNDS):
        factors = np.linalg.lstsq(at[keep], wanted[keep], rcond=None)[0]
        apart = delta_e(wanted, np.clip(at @ factors, 0, 255))
        keep = apart <= max(PLAIN, float(np.quantile(apart, ALIKE)))
    if (apart <= PLAIN).mean() < ALIKE:
        return None
    found: Colours = np.clip(terms @ factors, 0, 255)
    return found


def _guessed(pixels: Pixels) -> Mask | None:
    """Cut from everything but a frame, as from a rectangle that a person draws (Rother et al., 2004)."""
    height, width = pixels.shape[:2]
    wide = max(1, round(MARGIN * min(height, width)))
    back = np.ones((height, width), np.bool_)
    back[wide:-wide, wide:-wide] = False
    return segmented(pixels, ~back, back, "guess")


def confidence(mask: Mask, pixels: Pixels) -> float:
    """In a mask, 0 … 1.  One that a person gave is sure.

    A key is, where half of the frame has its colour.  A cut is as sure as the product of four numbers, each 1 at most:
    its border lies on edges of the photograph (the mean step of brightness across it over ``STEP``); it overlaps with
    what is unlike the background (intersection over union, over ``AGREED``, squared); little of its border is soft, as
    that of a shadow is; it does not run out of the picture, nor leave it at many places.  A guess is less than
    ``SURE``.
    """
    if mask.found in ("file", "alpha"):
        return 1.0
    if mask.found == "key":
        return float(min(1.0, 2 * SURE * (mask.alpha[frame(*mask.alpha.shape)] == 0).mean()))
    sure = _on_edges(mask.alpha, pixels)
    if mask.found == "guess":
        return UNKNOWN * SURE * sure
    solid = mask.alpha > 127
    runs_out = float(solid[frame(*solid.shape)].mean())
    kept_in = min(1 - runs_out / RUNS_OUT, PLACES / max(1, _places(solid)))
    hard = 1 - soft_share(solid, pixels) / SHADOW
    return sure * _agreed(solid, pixels) ** 2 * max(0.0, hard) * max(0.0, kept_in)


def soft_share(solid: NDArray[np.bool_], pixels: Pixels) -> float:
    """The share of a cut's border that no edge of the photograph is on: a shadow that fades."""
    span = (_around(pixels, np.max).astype(np.int16) - _around(pixels, np.min)).max(-1)
    border = _around(solid, np.max) & ~_around(solid, np.min)
    return float((span[border] < SOFT).mean()) if border.any() else 1.0


def _around(values: NDArray[Any], how: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    """The largest or the least of each pixel and its eight neighbours, (H, W, ...)."""
    wide = np.pad(values, ((1, 1), (1, 1), *((0, 0),) * (values.ndim - 2)), mode="edge")
    return how(np.lib.stride_tricks.sliding_window_view(wide, (3, 3), (0, 1)), axis=(-2, -1))


def _places(solid: NDArray[np.bool_]) -> int:
    """How often a cut touches the picture's outermost pixels, going around them once."""
    ring = np.concatenate([solid[0], solid[1:, -1], solid[-1, -2::-1], solid[-2:0:-1, 0]])
    return int((ring & ~np.roll(ring, 1)).sum())


def _agreed(solid: NDArray[np.bool_], pixels: Pixels) -> float:
    """How far a cut is what is unlike the background."""
    plain = backdrop(pixels)
    back = falling_off(pixels) if plain is None else plain
    if back is None:
        return 0.0
    unlike = delta_e(pixels, back) > NEAR
    return float(min(1.0, (solid & unlike).sum() / max(1, (solid | unlike).sum()) / AGREED))


def _on_edges(alpha: Bytes, pixels: Pixels) -> float:
    grey, solid = pixels.astype(np.float32).mean(2), alpha > 127
    across = [
        (solid[1:] != solid[:-1], np.abs(grey[1:] - grey[:-1])),
        (solid[:, 1:] != solid[:, :-1], np.abs(np.diff(grey))),
    ]
    steps = np.concatenate([step[border] for border, step in across])
    return 0.0 if steps.size == 0 else float(min(1.0, steps.mean() / STEP))


def scaled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A photograph that fits into a size (width, height): the same where it does, else scaled down."""
    from PIL import Image as Pillow

    share = min(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    if share >= 1:
        return pixels
    wanted = max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share))
    found: Pixels = np.asarray(Pillow.fromarray(pixels).resize(wanted, Pillow.Resampling.LANCZOS), np.uint8)
    return found


def _opaque(path: Path) -> Pixels:
    """Its colours as though it was opaque: laid on white they would bring a white fringe along."""
    image = read_picture(path)
    pixels: Pixels = np.asarray(flat(image.convert("RGB") if image.mode == "RGBA" else image), np.uint8)
    return pixels


def _alpha(path: Path) -> Bytes | None:
    """The file's own, None where it is opaque."""
    image = read_picture(path)
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return None
    alpha = np.asarray(image.convert("RGBA").getchannel("A"), np.uint8)
    return None if (alpha == FULL).all() else alpha


def _given(path: Path, pixels: Pixels) -> Mask:
    """A mask file of the photograph's shape.  Raises InputError."""
    image = flat(read_picture(path)).convert("L")
    if image.size != pixels.shape[1::-1]:
        wanted = f"{pixels.shape[1]}x{pixels.shape[0]}"
        raise InputError(f"{path} is {image.width}x{image.height}; expected its photograph's {wanted}")
    return Mask(np.asarray(image, np.uint8), "file")
