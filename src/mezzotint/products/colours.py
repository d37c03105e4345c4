"""Named colours: what a caption calls them, which one a pixel is, how far two are apart.

Distances are in OKLab (Ottosson, 2020, A perceptual color space for image processing) with lightness counted half,
because light and shadow change a surface's lightness and leave its hue; delta E is CIE76 in CIELAB.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (200, 30, 35),
    "orange": (240, 125, 25),
    "yellow": (245, 205, 45),
    "green": (50, 140, 60),
    "turquoise": (50, 185, 180),
    "blue": (40, 85, 190),
    "purple": (120, 60, 160),
    "pink": (240, 140, 175),
    "brown": (115, 70, 40),
    "beige": (220, 200, 165),
    "white": (243, 243, 243),
    "gray": (135, 135, 135),
    "black": (30, 30, 32),
}
"""Name -> sRGB, of a surface in full light."""

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "red": ("crimson", "scarlet"),
    "turquoise": ("teal",),
    "purple": ("violet",),
    "beige": ("cream", "sand-coloured"),
    "gray": ("grey",),
}
"""Other words for a name, used in captions and understood in prompts."""

NAMES = tuple(COLOURS)
LIGHTNESS_WEIGHT = 0.5

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
LUMINANCE = _TO_XYZ[1]
"""Of linear light: its luminance Y."""

_D65 = np.array([0.95047, 1.0, 1.08883])


def linear(srgb: ArrayLike) -> Floats:
    """sRGB 0 … 255 (…, 3) -> linear light 0 … 1 (IEC 61966-2-1)."""
    v = np.asarray(srgb, np.float64) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(light: ArrayLike) -> Floats:
    """Linear light 0 … 1 (…, 3), what is outside is cut -> sRGB 0 … 255: the inverse of ``linear``."""
    v = np.asarray(light, np.float64).clip(0, 1)
    return 255 * np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)


def oklab(srgb: ArrayLike) -> Floats:
    """sRGB 0 … 255 (…, 3) -> OKLab (…, 3), L 0 … 1."""
    return np.asarray(np.cbrt(linear(srgb) @ _TO_LMS.T) @ _TO_OKLAB.T)


def cielab(srgb: ArrayLike) -> Floats:
    """sRGB 0 … 255 (…, 3) -> CIELAB (…, 3) under D65, L 0 … 100."""
    ratio = linear(srgb) @ _TO_XYZ.T / _D65
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def delta_e(a: ArrayLike, b: ArrayLike) -> Floats:
    """Colour difference of two sRGB arrays (…, 3), CIE76: about 2 is just visible, 10 is another shade."""
    return np.asarray(np.linalg.norm(cielab(a) - cielab(b), axis=-1))


def nearest(srgb: ArrayLike) -> NDArray[np.intp]:
    """sRGB (…, 3) -> index into NAMES (…) of the nearest named colour."""
    weigh = np.array([LIGHTNESS_WEIGHT, 1.0, 1.0])
    known = oklab(np.array(list(COLOURS.values()))) * weigh
    return np.asarray(((oklab(srgb) * weigh)[..., None, :] - known).__pow__(2).sum(-1).argmin(-1))


def shares(srgb: ArrayLike) -> dict[str, float]:
    """Of pixels (N, 3): the share that each named colour has, largest first; an empty array has none."""
    found = nearest(srgb).reshape(-1)
    counts = np.bincount(found, minlength=len(NAMES)) / max(1, len(found))
    order = np.argsort(-counts, kind="stable")
    return {NAMES[i]: float(counts[i]) for i in order if counts[i] > 0}
