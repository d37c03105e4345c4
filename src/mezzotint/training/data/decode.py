"""From an item to pixels of the wanted shape, with every way a picture can be bad turned into one exception."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.training.data.source import BadItemError, Item

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PIXELS = 80_000_000
"""A picture that declares more is refused before a pixel is decoded."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def decode(item: Item, shape: tuple[int, int, int]) -> Tensor:
    """The item's picture as (C, H, W) uint8: turned upright, on white where it is transparent, scaled to cover and cut
    to the centre.

    Raises BadItemError when it is truncated, larger than MAX_PIXELS, in a format outside FORMATS, or of the wrong
    array shape.
    """
    if isinstance(item.image, bytes):
        return torch.from_numpy(_picture(item.id, item.image, shape))
    array = item.image if item.image.ndim == 3 else item.image[None]
    if array.shape != shape:
        raise BadItemError(item.id, f"its pixels are {array.shape}; expected {shape}")
    return torch.from_numpy(np.array(array))


def _picture(name: str, data: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    channels, height, width = shape
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadItemError(
                    name, f"it declares {image.width} x {image.height} pixels; the limit is {MAX_PIXELS}"
                )
            image.draft("RGB" if channels == 3 else "L", (2 * width, 2 * height))
            upright = ImageOps.exif_transpose(image)
            fitted = ImageOps.fit(_flat(upright, channels), (width, height), Image.Resampling.LANCZOS)
    except BadItemError:
        raise
    except UnidentifiedImageError:  # whose own words name the memory that the bytes are in
        raise BadItemError(name, f"it is of no format that is read: {', '.join(FORMATS)}") from None
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly everything: OSError, SyntaxError, ValueError, struct.error, …
        raise BadItemError(name, f"it cannot be decoded ({type(error).__name__}: {str(error)[:200]})") from None
    pixels = np.array(fitted, np.uint8)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def _flat(image: Picture, channels: int) -> Picture:
    """The picture in the wanted number of channels, opaque."""
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        solid = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(solid, image.convert("RGBA")).convert(mode)
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert(mode)
    return image.convert(mode)
