"""Where the product is in a photograph: said by its alpha or a file beside it, or cut from a plain background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError, UsageError
from mezzotint.pictures.flat import flat
from mezzotint.pictures.png import Pixels, read_picture
from mezzotint.products.adherence import frame
from mezzotint.products.colours import delta_e

Bytes = NDArray[np.uint8]
Found = Literal["alpha", "file", "grabcut", "key", "guess"]
"""How a mask is known; the last two where a catalog cuts by a colour that is said, or by nothing but the middle."""

TAIL = ".mask"
"""bag.jpg's mask is bag.mask.png: white where the product is."""

LARGEST = 64_000_000
"""Pixels of a photograph or a mask: what cameras make."""

PLAIN, NEAR = 6.0, 10.0
"""How far (CIE76) its pixels may lie from their median on a plain background;
how near to it a pixel is surely the background."""

LEAST, MOST = 0.02, 0.9
"""A product takes at least and at most so much of a picture, or the cut is not believed."""


@dataclass(frozen=True, eq=False)
class Mask:
    """alpha: (H, W), 255 where a pixel is all the product's.   found: how it is known."""

    alpha: Bytes
    found: Found


def is_mask(path: Path) -> bool:
    """Whether a picture is another's mask by its name."""
    return path.stem.endswith(TAIL)


def mask_beside(photo: Path) -> Path | None:
    """The mask file of a photograph, None where there is none."""
    found = photo.with_name(f"{photo.stem}{TAIL}.png")
    return found if found.is_file() else None


def backdrop(pixels: Pixels) -> NDArray[np.float64] | None:
    """(3,), the colour of a plain background, None where three in ten of the frame's pixels are others."""
    edge = pixels[frame(*pixels.shape[:2])].astype(np.float64)
    middle: NDArray[np.float64] = np.median(edge, 0)
    return middle if float((delta_e(edge, middle) <= PLAIN).mean()) >= 0.7 else None


def mask_of(photo: Path, pixels: Pixels, alpha: Bytes | None) -> Mask | None:
    """Of a photograph, None where nothing says where the product is.

    pixels: (H, W, 3).  alpha: the file's own, (H, W), None where it is opaque.   Raises InputError for a mask file of
    another shape than the photograph, and for a mask in which nothing is the product's.
    """
    beside = mask_beside(photo)
    if beside is not None:
        return Mask(_full(_read(beside, pixels.shape[1::-1]), beside), "file")
    if alpha is not None:
        return Mask(_full(alpha, photo), "alpha")
    colour = backdrop(pixels)
    return None if colour is None else cut(pixels, colour)


def _read(path: Path, size: tuple[int, int]) -> Bytes:
    image = flat(read_picture(path, LARGEST)).convert("L")
    if image.width * size[1] != image.height * size[0]:
        wanted = f"{size[0]}x{size[1]}"
        raise InputError(f"{path} is {image.width}x{image.height}; expected the shape of its photograph, {wanted}")
    return np.asarray(image.resize(size), np.uint8)


def _full(alpha: Bytes, path: Path) -> Bytes:
    if not (alpha > 127).any():
        raise InputError(f"{path}: nothing in it is the product's; expected white, or opaque, where the product is")
    return alpha


def cut(pixels: Pixels, colour: NDArray[np.float64]) -> Mask | None:
    """The product on a plain background, by GrabCut; None where the cut cannot be believed.

    colour: (3,), or (H, W, 3) of a background that changes.  What is near it is thought background, a frame surely so.
    Rother, Kolmogorov & Blake, 2004, GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts.
    """
    far = delta_e(pixels, colour) > NEAR
    if not LEAST <= far.mean() <= MOST:
        return None
    return segmented(pixels, far, frame(*far.shape) & ~far, "grabcut")


def segmented(pixels: Pixels, product: NDArray[np.bool_], back: NDArray[np.bool_], found: Found) -> Mask | None:
    """GrabCut of what is thought the product and what is surely not, (H, W) each; None where it is not believed."""
    try:
        import cv2
    except ImportError as error:
        raise UsageError("photographs without masks are cut out by OpenCV; pip install 'mezzotint[tune]'") from error
    guess = np.where(product, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    guess[back] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    blue_first, others, own = np.ascontiguousarray(pixels[..., ::-1]), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(blue_first, guess, (0, 0, 0, 0), others, own, 3, cv2.GC_INIT_WITH_MASK)
    solid = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not LEAST <= solid.mean() <= MOST:
        return None
    return Mask(np.asarray(cv2.GaussianBlur(solid.astype(np.uint8) * 255, (3, 3), 0), np.uint8), found)
