"""Any picture a person may have as plain sRGB, and masks with their meaning said."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError, unknown
from mezzotint.pictures.png import PLAIN, Pixels, read_picture, to_pixels

if TYPE_CHECKING:
    from PIL.Image import Image

MaskMeans = Literal["white", "transparent", "product"]
"""What is repainted: white (as Stable Diffusion's tools have it), transparent (as OpenAI's API has it), or all but a
product, which is white and has soft edges of grey."""

FULL = 255

MEANINGS: tuple[MaskMeans, ...] = get_args(MaskMeans)


def flat(image: Image) -> Image:
    """In sRGB, 8 bits, without transparency: colours by the picture's own profile, 16 bits scaled down, on white."""
    from PIL import Image as Pillow

    if image.mode.startswith("I"):
        image = Pillow.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    image = _srgb(image)
    if _has_transparency(image):
        image = image.convert("RGBA")
        white = Pillow.new("RGBA", image.size, "white")
        return Pillow.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def seen(image: Image) -> Pixels:
    """(H, W, C) of a picture as people see it: its own pixels where they are that, else those of ``flat``."""
    plain = image.mode in PLAIN and not {"icc_profile", "transparency"} & image.info.keys()
    return to_pixels(image if plain else flat(image))


def _has_transparency(image: Image) -> bool:
    """Whether some pixels may be transparent, however the file says it."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _srgb(image: Image) -> Image:
    """Colours as sRGB has them, by the profile that the picture carries; a damaged profile is passed over."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode not in ("RGB", "CMYK", "L", "RGBA"):
        return image
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        base = image.convert("RGB") if alpha is not None else image
        made = ImageCms.profileToProfile(base, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    assert made is not None
    if alpha is not None:
        made.putalpha(alpha)
    return made


def rgb(path: Path) -> Pixels:
    """(H, W, 3) of a picture file.  Raises InputError."""
    pixels: Pixels = np.asarray(flat(read_picture(path)), np.uint8)
    return pixels


def mask_of(path: Path, means: str = "white") -> NDArray[np.bool_]:
    """(H, W), what is to be repainted.  Raises UsageError for another meaning, InputError for a mask that has none, or
    asks for nothing."""
    if means not in MEANINGS:
        raise unknown("mask meaning", means, MEANINGS)
    image = read_picture(path)
    if _has_transparency(image):
        image = image.convert("RGBA")
    if means == "transparent":
        if image.mode != "RGBA":
            raise InputError(f"{path} has no transparency; with --mask-means transparent it says what is repainted")
        found: NDArray[np.bool_] = np.asarray(image.getchannel("A")) == 0
    elif image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 0:
        raise InputError(
            f"{path} has transparent parts: with --mask-means transparent they are repainted; expected a mask of black"
            " and white without them"
        )
    else:
        light = np.asarray(flat(image).convert("L"))
        found = light < FULL if means == "product" else light >= 128
    if not found.any():
        raise InputError(f"{path} asks for nothing to be repainted: expected some {means} pixels; see --mask-means")
    return found


def cover_of(path: Path) -> NDArray[np.uint8]:
    """(H, W), how much of each pixel stays, by a mask that means the product: 255 is all of it."""
    cover: NDArray[np.uint8] = np.asarray(flat(read_picture(path)).convert("L"), np.uint8)
    return cover


def over(pixels: Pixels, cover: NDArray[np.uint8], made: Pixels) -> Pixels:
    """p over m by its cover a, (H, W, C): a p + (1 - a) m, rounded to nearest; where a is full it is p to the bit."""
    alpha = cover[..., None].astype(np.uint32)
    mixed = (alpha * pixels + (FULL - alpha) * made + FULL // 2) // FULL
    return mixed.astype(np.uint8)


def covering(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Scaled to cover a size (width, height) and cut to the centre."""
    from PIL import Image, ImageOps

    made: Pixels = np.asarray(ImageOps.fit(Image.fromarray(pixels), size, Image.Resampling.LANCZOS), np.uint8)
    return made
