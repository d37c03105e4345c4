"""Product lock: where its mask is full, the product's pixels are the photograph's, bit for bit.

At its soft edges the photograph is laid over what was made by its alpha; elsewhere everything is made.  A photograph
larger than the picture is scaled down once, with its mask; a smaller one is laid on the middle as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.catalog.product.cutting import FULL, SURE, confidence, cut_out, scaled
from mezzotint.errors import InputError
from mezzotint.files import sha256
from mezzotint.making.edit import in_channels
from mezzotint.making.sizes import size_of
from mezzotint.pictures.flat import over
from mezzotint.pictures.kept import kept
from mezzotint.pictures.png import Pixels
from mezzotint.tuning.masks import Bytes

if TYPE_CHECKING:
    from mezzotint.pretrained.system import System


@dataclass(frozen=True, eq=False)
class Product:
    """pixels: (H, W, C), the photograph in the picture's size; alpha: (H, W), 255 where a pixel is all the product's.

    placed, cover: files of the two as ``generate`` takes them: the picture, and a mask that means the product.
    found: how the mask is known.   confidence: in it, 0 … 1.   photo: the photograph's file.
    """

    pixels: Pixels
    alpha: Bytes
    placed: Path
    cover: Path
    found: str
    confidence: float
    photo: Path

    @property
    def full(self) -> NDArray[np.bool_]:
        """(H, W), where the product's pixels are locked."""
        found: NDArray[np.bool_] = self.alpha == FULL
        return found

    @property
    def said(self) -> dict[str, Any]:
        """For receipts.   locked: the hash of the locked pixels, rows from the top."""
        return {"alpha": sha256(self.alpha.tobytes()), "locked": self.locked(self.pixels)}

    @property
    def unsure(self) -> bool:
        """Whether a person should look at the mask."""
        return self.confidence < SURE

    def locked(self, pixels: Pixels) -> str:
        """The hash of a picture's pixels where the product's are locked."""
        return sha256(pixels[self.full].tobytes())

    def laid(self, pixels: Pixels) -> Pixels:
        """The photograph over what was made, (H, W, C)."""
        return over(self.pixels, self.alpha, pixels)


def product_of(photo: str, mask: str, size: str | None, system: System, key: str = "") -> Product:
    """A photograph's product in the size of what is made.   mask: a file, white where the product is, or "".  key: the
    colour of its background, or "".

    Raises InputError: no picture, or nothing says where the product is; UsageError: a key that is no colour.
    """
    path, wanted = Path(photo), size_of(system, size)
    pixels, known = cut_out(path, mask, key, wanted)
    laid, cover = placed(pixels, known.alpha, wanted)
    laid = in_channels(laid, system)
    if not (cover == FULL).any():
        raise InputError(f"{path}: the mask is full nowhere; expected white, or opaque, where the product is")
    files = kept(laid), kept(cover[..., None])
    return Product(laid, cover, *files, known.found, confidence(known, pixels), path)


def placed(pixels: Pixels, alpha: Bytes, size: tuple[int, int]) -> tuple[Pixels, Bytes]:
    """The photograph on the middle of a grey picture of the size (width, height), and its alpha, 0 around it."""
    from PIL import Image as Pillow

    width, height = size
    small = scaled(pixels, size)
    if small is not pixels:
        alpha = np.asarray(Pillow.fromarray(alpha).resize(small.shape[1::-1], Pillow.Resampling.BOX), np.uint8)
    canvas, cover = np.full((height, width, 3), 127, np.uint8), np.zeros((height, width), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    place = np.s_[top : top + small.shape[0], left : left + small.shape[1]]
    canvas[place], cover[place] = small, alpha
    return canvas, cover
