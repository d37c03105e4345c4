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
from mezzotint.products.colours import delta_e
from mezzotint.products.frame import frame

Bytes = NDArray[np.uint8]
Found = Literal["alpha", "file", "grabcut", "key", "guess"]
"""How a mask is known; the last two where a catalog cuts by a colour that is said, or by nothing but the middle."""

TAIL = ".mask"
"""bag.jpg's mask is bag.mask.png, or of any other suffix of a picture: white where the product is."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""Of masks, in small letters or large; of several for one photograph the first is taken."""

LARGEST = 64_000_000
"""Pixels of a photograph or a mask: what cameras make."""

PLAIN, NEAR = 6.0, 10.0
"""How far (CIE76) its pixels may lie from their median on a plain background;
how near to it a pixel is surely the background."""

FAINT, SPREADS = 0.75, 2.0
"""A pixel may be nearly the background's colour and not be it: so far from it at least, and so many times as far as
the frame's farthest hundredth."""

SHUT_IN, EVEN, SPECK, SHARE = 0.6, 2.5, 1e-4, 0.8
"""Such a part is the product's where so much of its rim is, where its colour changes no more (CIE76, from a tenth of
its pixels to nine), and where it is no speck (share of the picture).  Shadows fade.  All of them together take at
most so much of what surely is the product's: between the wires of a rack there is more, and it is the floor."""

LEAST, MOST = 0.02, 0.9
"""A product takes at least and at most so much of a picture, or the cut is not believed."""


@dataclass(frozen=True, eq=False)
class Mask:
    """alpha: (H, W), 255 where a pixel is all the product's.   found: how it is known."""

    alpha: Bytes
    found: Found


def is_mask(path: Path) -> bool:
    """Whether a picture is another's mask by its name."""
    return path.stem.lower().endswith(TAIL)


def mask_beside(photo: Path) -> Path | None:
    """The mask file of a photograph, None where there is none."""
    tails = [tail + suffix for suffix in SUFFIXES for tail in (TAIL, TAIL.upper())]
    paths = (photo.with_name(f"{photo.stem}{tail}") for tail in dict.fromkeys((*tails, *map(_loud, tails))))
    return next((path for path in paths if path.is_file()), None)


def _loud(tail: str) -> str:
    """A file's tail with its suffix in capitals, as cameras write it."""
    stem, _, suffix = tail.rpartition(".")
    return f"{stem}.{suffix.upper()}"


def backdrop(pixels: Pixels) -> NDArray[np.float64] | None:
    """(3,), the colour of a plain background, None where three in ten of the frame's pixels are others."""
    edge = pixels[frame(*pixels.shape[:2])].astype(np.float64)
    middle: NDArray[np.float64] = np.median(edge, 0)
    return middle if float((delta_e(edge, middle) <= PLAIN).mean()) >= 0.7 else None


def mask_of(photo: Path, pixels: Pixels, alpha: Bytes | None, whole: tuple[int, int] | None = None) -> Mask | None:
    """Of a photograph, None where nothing says where the product is.

    pixels: (H, W, 3).  alpha: the file's own, (H, W), None where it is opaque.  whole: (width, height) of the
    photograph before it was shrunk to its pixels, upright.   Raises InputError for a mask file of another shape than
    the photograph, and for a mask in which nothing is the product's.
    """
    beside, (height, width, _) = mask_beside(photo), pixels.shape
    if beside is not None:
        image = flat(read_picture(beside, LARGEST)).convert("L")
        _check_shape(image.size, beside, whole or (width, height), photo)
        read = np.asarray(image.resize((width, height)), np.uint8)
        return Mask(_full(read, f"{beside}, the mask of {photo.name}"), "file")
    if alpha is not None:
        return Mask(_full(alpha, str(photo)), "alpha")
    colour = backdrop(pixels)
    return None if colour is None else cut(pixels, colour)


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are one shape, the sides of the smaller rounded by less than a pixel."""
    (a, b), (c, d) = sorted((one, other), key=lambda size: size[0] * size[1])
    return (a - 1) * d < (b + 1) * c and (b - 1) * c < (a + 1) * d


def _check_shape(size: tuple[int, int], path: Path, whole: tuple[int, int], photo: Path) -> None:
    if not same_shape(size, whole):
        is_, wanted = (f"{width}x{height}" for width, height in (size, whole))
        raise InputError(f"{path} is {is_}; expected the shape of its photograph, {wanted} ({photo.name})")


def _full(alpha: Bytes, what: str) -> Bytes:
    if not (alpha > 127).any():
        raise InputError(f"{what}: nothing in it is the product's; expected white, or opaque, where the product is")
    return alpha


def cut(pixels: Pixels, colour: NDArray[np.float64]) -> Mask | None:
    """The product on a plain background, by GrabCut; None where the cut cannot be believed.

    colour: (3,), or (H, W, 3) of a background that changes.  What is near it is thought background, a frame surely so.
    Rother, Kolmogorov & Blake, 2004, GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts.
    """
    apart = delta_e(pixels, colour)
    far = apart > NEAR
    if not LEAST <= far.mean() <= MOST:
        return None
    found = segmented(pixels, far, frame(*far.shape) & ~far, "grabcut")
    more = pale(apart)
    return found if found is None or not more.any() else _soft((found.alpha > 127) | more, found.found)


def pale(apart: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Parts of a product that are nearly its background's colour, as a white seat on white, which GrabCut takes out.

    apart: (H, W), CIE76 from the background.  Returns: (H, W), true in connected parts that differ from the background
    faintly and evenly, and are shut in by what differs clearly, and in the seams between.
    """
    from scipy.ndimage import binary_erosion, find_objects, label

    far, edge = apart > NEAR, apart[frame(*apart.shape)]
    spread = float(np.quantile(edge[edge <= NEAR], 0.99)) if (edge <= NEAR).any() else NEAR
    thick = (apart > max(FAINT, SPREADS * spread)) & ~far
    labels, _ = label(binary_erosion(thick, np.ones((3, 3)), border_value=1))
    found = np.zeros_like(far)
    for one, (rows, columns) in enumerate(find_objects(labels), 1):
        here = tuple(slice(max(0, at.start - 3), at.stop + 3) for at in (rows, columns))
        part = labels[here] == one
        if part.sum() < SPECK * labels.size:
            continue
        grown, rim = _grown(part, 3), _grown(part, 7)
        if far[here][rim & ~grown].mean() >= SHUT_IN and _even(apart[here][part]):
            found[here] |= grown & ~far[here]
    if not found.any() or found.sum() > SHARE * far.sum():
        return np.zeros_like(found)
    return np.asarray(found | (_grown(found, 5) & (apart > FAINT)))


def _grown(part: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """By a square of ``side`` pixels around each of its own."""
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(part, np.ones((side, side))))


def _even(values: NDArray[np.float64]) -> bool:
    low, high = np.quantile(values, (0.1, 0.9))
    return bool(high - low <= EVEN)


def _soft(solid: NDArray[np.bool_], found: Found) -> Mask:
    import cv2

    return Mask(np.asarray(cv2.GaussianBlur(solid.astype(np.uint8) * 255, (3, 3), 0), np.uint8), found)


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
    return _soft(solid, found)
