"""Pixels <-> pictures and PNG files."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]
"""(H, W, C), C = 1 grey, 3 RGB or 4 RGBA."""

FORMATS = ("PNG", "JPEG", "WEBP")
PLAIN = ("L", "RGB", "RGBA")
"""Modes whose values are pixels as they are."""

MAX_PIXELS = 16_000_000
ORIENTATION = 0x112
"""The tag of EXIF that says how a picture was turned."""

XMP = "XML:com.adobe.xmp"
"""The text chunk of an XMP packet."""


def to_pil(pixels: Pixels) -> Image:
    """A Pillow image of (H, W, C) pixels."""
    from PIL import Image as Pillow

    return Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def to_pixels(image: Image) -> Pixels:
    """(H, W, C) pixels of a Pillow image: L, RGB and RGBA as they are, any other mode as ``flat`` has it."""
    from mezzotint.pictures.flat import flat

    image = image if image.mode in PLAIN else flat(image)
    array: Pixels = np.asarray(image, dtype=np.uint8)
    return array[..., None] if array.ndim == 2 else array


def png(image: Image, text: Mapping[str, str]) -> bytes:
    """A PNG file's bytes, with text chunks."""
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    for key, value in text.items():
        chunks.add_itxt(key, value) if key == XMP else chunks.add_text(key, value)
    file = io.BytesIO()
    image.save(file, format="PNG", pnginfo=chunks)
    return file.getvalue()


def read_picture(path: Path, most: int = MAX_PIXELS) -> Image:
    """A picture from a file, decoded and upright, in its own mode; nothing but PNG, JPEG and WebP is decoded.

    Raises InputError: not a picture, damaged, truncated, of more than ``most`` pixels (a bomb is not decoded), or
    animated: whoever looked at the first frame would answer for others that nobody saw.
    """
    from PIL import Image as Pillow

    with warnings.catch_warnings():
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        try:
            with Pillow.open(path, formats=FORMATS) as image:
                if image.width * image.height > most:
                    size = f"{image.width}x{image.height}"
                    raise InputError(f"{path} has {size} pixels; at most {most} are taken, make it smaller")
                if _is_animated(image):
                    raise InputError(f"{path} is animated; expected a still picture, save each frame as one of its own")
                return _upright(image)
        except FileNotFoundError as error:
            raise InputError(f"no file {path}; expected a picture") from error
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
            raise InputError(
                f"{path} has over {Pillow.MAX_IMAGE_PIXELS} pixels; at most {most} are taken, make it smaller"
            ) from error
        except (OSError, ValueError, SyntaxError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{path} is not a sound picture ({reason}); expected PNG, JPEG or WebP") from error


def _is_animated(image: Image) -> bool:
    """Whether others show more than one picture of a file.  A JPEG's second picture, as cameras write one, is shown by
    nobody; a PNG that says it is animated, and is damaged there, may be by others.
    """
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    if isinstance(image, PngImageFile):
        return image.is_animated or image.get_format_mimetype() == "image/apng"
    return isinstance(image, WebPImageFile) and image.is_animated


def _upright(image: Image) -> Image:
    """A picture as its EXIF says it was held, without that EXIF where it was turned: nothing turns it twice."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    image.load()
    turn = turns.get(_orientation(image))
    if turn is None:
        return image.copy()
    turned = image.transpose(turn)
    turned.info.pop("exif", None)
    return turned


def _orientation(image: Image) -> int:
    """1 to 8, as EXIF has it, 1 where it cannot be read: cameras and programs write tags of wrong kinds, and a picture
    is no worse for it."""
    try:
        found = image.getexif().get(ORIENTATION)
    except (ArithmeticError, AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error):
        return 1
    return found if isinstance(found, int) else 1


def read_text(path: Path) -> dict[str, str]:
    """The text chunks of a picture file that are plain text.  Raises InputError as ``read_picture``."""
    return {k: v for k, v in read_picture(path).info.items() if isinstance(k, str) and isinstance(v, str)}
