"""Product lock: where its mask is full, the product's pixels are the photograph's, bit for bit.

At its soft edges the photograph is laid over what was made by its alpha; elsewhere everything is made.  A photograph
larger than the picture is scaled down once, with its mask; a smaller one is laid on the middle as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.config import home
from mezzotint.errors import InputError
from mezzotint.files import sha256, write_atomic
from mezzotint.making.edit import in_channels
from mezzotint.making.sizes import size_of
from mezzotint.pictures.flat import flat
from mezzotint.pictures.png import Pixels, png, read_picture, to_pil
from mezzotint.tuning.masks import Bytes, Mask, mask_beside, mask_of

if TYPE_CHECKING:
    from mezzotint.making.image import Image
    from mezzotint.pretrained.system import System

FULL = 255
SURE = 0.5
"""Below this confidence a mask is for a person to look at."""


@dataclass(frozen=True, eq=False)
class Product:
    """pixels: (H, W, C), the photograph in the picture's size; alpha: (H, W), 255 where a pixel is all the product's.

    placed, painted: files of the two as ``generate`` takes them: the picture, and white where it is painted.
    found: how the mask is known.   confidence: in it, 0 … 1.   photo: the photograph's file.
    """

    pixels: Pixels
    alpha: Bytes
    placed: Path
    painted: Path
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

    def composed(self, pixels: Pixels) -> Pixels:
        """The photograph p over what was made m, (H, W, C): a p + (1 - a) m, rounded to nearest."""
        alpha = self.alpha[..., None].astype(np.uint32)
        mixed = (alpha * self.pixels + (FULL - alpha) * pixels + FULL // 2) // FULL
        return mixed.astype(np.uint8)

    def applied(self, image: Image) -> Image:
        """A picture that was made, with the product in it and the hash of its pixels in the receipt."""
        pixels = self.composed(image.pixels)
        receipt = replace(image.receipt, pixels_sha256=sha256(pixels.tobytes()))
        return replace(image, pixels=pixels, receipt=receipt)


def product_of(photo: str, mask: str, size: str | None, system: System) -> Product:
    """A photograph's product in the size of what is made.   mask: a file, white where the product is, or "".

    Raises InputError: no picture, or nothing says where the product is.
    """
    path, wanted = Path(photo), size_of(system, size)
    pixels, alpha = _opaque(path), _alpha(path)
    if not mask and alpha is None and mask_beside(path) is None:
        pixels = scaled(pixels, wanted)  # what is cut out is cut in the size that it is shown in
    found = _given(Path(mask), pixels) if mask else mask_of(path, pixels, alpha)
    if found is None:
        raise InputError(
            f"{path}: nothing says where the product is; give a mask, alpha, or a photograph on a plain background"
        )
    laid, cover = placed(pixels, found.alpha, wanted)
    laid = in_channels(laid, system)
    if not (cover == FULL).any():
        raise InputError(f"{path}: the mask is full nowhere; expected white, or opaque, where the product is")
    files = _written(laid, cover)
    return Product(laid, cover, *files, found.found, confidence(found, pixels), path)


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


def scaled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A photograph that fits into a size (width, height): the same where it does, else scaled down."""
    from PIL import Image as Pillow

    share = min(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    if share >= 1:
        return pixels
    wanted = max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share))
    found: Pixels = np.asarray(Pillow.fromarray(pixels).resize(wanted, Pillow.Resampling.LANCZOS), np.uint8)
    return found


def confidence(mask: Mask, pixels: Pixels) -> float:
    """In a mask.  One that a person gave is sure; a cut is as sure as its border lies on edges of the photograph: the
    mean step of brightness across the border over that of a step of 32, at most 1."""
    if mask.found != "grabcut":
        return 1.0
    grey = pixels.astype(np.float32).mean(2)
    solid = mask.alpha > 127
    across = [
        (solid[1:] != solid[:-1], np.abs(grey[1:] - grey[:-1])),
        (solid[:, 1:] != solid[:, :-1], np.abs(np.diff(grey))),
    ]
    steps = np.concatenate([step[border] for border, step in across])
    return 0.0 if steps.size == 0 else float(min(1.0, steps.mean() / 32))


def _written(pixels: Pixels, alpha: Bytes) -> tuple[Path, Path]:
    """Both as files under the home, by their hash: a cache that may be deleted."""
    folder = home() / "catalog" / "placed"
    painted = np.where(alpha == FULL, 0, 255).astype(np.uint8)[..., None]
    return _file(folder, pixels), _file(folder, painted)


def _file(folder: Path, pixels: Pixels) -> Path:
    path = folder / f"{sha256([str(pixels.shape).encode(), pixels.tobytes()])[:32]}.png"
    return path if path.is_file() else write_atomic(path, png(to_pil(pixels), {}))
