"""Scenes: a photographed product on a background, with its shadow, somewhere in a square picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mezzotint.products.colours import COLOURS, NAMES
from mezzotint.products.split import held_background

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Textures = Mapping[str, tuple[Bytes, ...]]
"""Name of a material -> photographs of it, (H, W, 3) each."""

PLAIN, GRADIENT = 0.55, 0.25
"""Shares of the kinds of background; the rest are textures."""

WEIGHTS = {"white": 3.0, "gray": 2.0, "beige": 2.0}
"""How much likelier some colours are as a background."""

SHADE, MARGIN = 8, 0.02
SCALES, ASIDE = (0.86, 1.06), 0.15
"""How the photograph is enlarged (it frames the product's box with a little air at 1), and how far from the middle the
product stands, as a share of the room there is: as catalogs have it.  Shapes are learnt faster where they stand."""


@dataclass(frozen=True)
class Background:
    """name: as captions say it, "beige", "beige gradient", "wood".  pixels: (S, S, 3) uint8."""

    name: str
    pixels: Bytes


def names(textures: Textures) -> tuple[str, ...]:
    """Every background's name."""
    return (*NAMES, *(f"{name} gradient" for name in NAMES), *textures)


def background(name: str, size: int, textures: Textures, random: np.random.Generator) -> Background:
    """One of a name: the shade, the direction of a gradient, the part of a texture are drawn."""
    if name in textures:
        return Background(name, _texture(textures[name], size, random))
    colour, _, gradient = name.partition(" ")
    shade = np.array(COLOURS[colour], np.float32) + random.integers(-SHADE, SHADE + 1, 3)
    if not gradient:
        return Background(name, np.broadcast_to(_bytes(shade), (size, size, 3)))
    return Background(name, _gradient(shade, size, random))


def _gradient(shade: Floats, size: int, random: np.random.Generator) -> Bytes:
    """From the shade to a lighter or darker one: from bottom to top, or from the middle outwards."""
    target = np.float32(255) if shade.mean() < 110 or random.random() < 0.4 else np.float32(0)
    end = shade + (target - shade) * np.float32(random.uniform(0.3, 0.5))
    across = (np.arange(size, dtype=np.float32) + 0.5) / size
    if random.random() < 0.5:
        mix = np.broadcast_to(across[:, None], (size, size))
    else:
        mix = np.hypot(across[:, None] - 0.5, across[None, :] - 0.5) / np.float32(0.7071)
    mix = mix if random.random() < 0.5 else 1 - mix
    return _bytes(shade + (end - shade) * mix[..., None])


def _texture(photographs: tuple[Bytes, ...], size: int, random: np.random.Generator) -> Bytes:
    """A square part of one of the photographs, at least half of it, turned by quarters, a little lighter or darker."""
    photo = photographs[int(random.integers(len(photographs)))]
    side = int(min(photo.shape[:2]) * random.uniform(0.5, 1.0))
    top, left = (int(random.integers(n - side + 1)) for n in photo.shape[:2])
    part = Image.fromarray(photo[top : top + side, left : left + side]).resize((size, size), Image.Resampling.BOX)
    turned = np.rot90(np.asarray(part, np.float32), int(random.integers(4)))
    return _bytes(turned * np.float32(random.uniform(0.85, 1.1)))


def draw_background(kind: str, held: bool, textures: Textures, random: np.random.Generator) -> str:
    """The name of a background for a kind of product, by the shares above; of the held-out pairs alone, or of none."""
    known = names(textures)
    weights = np.array([_weight(name, textures) for name in known])
    weights *= [held_background(kind, name) is held for name in known]
    if not weights.sum():
        weights = np.array([_weight(name, textures) for name in known])
    return known[int(random.choice(len(known), p=weights / weights.sum()))]


def _weight(name: str, textures: Textures) -> float:
    if name in textures:
        return (1 - PLAIN - GRADIENT) / len(textures)
    colour, _, gradient = name.partition(" ")
    return (GRADIENT if gradient else PLAIN) * WEIGHTS.get(colour, 1.0) / sum(WEIGHTS.get(c, 1.0) for c in NAMES)


def compose(colour: Bytes, shadow: Bytes, behind: Background, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """The product, scaled, shifted and perhaps mirrored, on a background: (S, S, 3), S the background's; and its mask,
    (S, S), 255 where a pixel is all the product's.

    colour: (R, R, 4), RGB times alpha, and alpha.  shadow: (R, R).  The product stays inside the picture by MARGIN of
    its side.   pixel = background (1 - k shadow) (1 - alpha) + colour, with 0.5 <= k <= 1 drawn.
    """
    size = behind.pixels.shape[0]
    side = max(8, round(size * random.uniform(*SCALES)))
    small = np.concatenate([resized(colour, side), resized(shadow, side)[..., None]], -1)
    if random.random() < 0.5:
        small = small[:, ::-1]
    placed = _placed(small, size, random).astype(np.float32)
    alpha, dark = placed[..., 3:4] / 255, placed[..., 4:] / 255
    strength = np.float32(random.uniform(0.5, 1.0))
    made = _bytes(behind.pixels * (1 - strength * dark) * (1 - alpha) + placed[..., :3])
    return made, _bytes(placed[..., 3])


def resized(pixels: Bytes, side: int) -> Bytes:
    """(R, R) or (R, R, 4) premultiplied -> side x side, averaged."""
    # "RGBX" resizes each channel on its own, which is right for colours that carry their alpha already.
    mode = "L" if pixels.ndim == 2 else "RGBX"
    image = Image.frombuffer(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes(), "raw", mode, 0, 1)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def _placed(small: Bytes, size: int, random: np.random.Generator) -> Bytes:
    """The layers on a (size, size) canvas, the product's box anywhere that keeps it inside."""
    solid = small[..., 3] > 5
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    margin = round(MARGIN * size)
    top, left = (_shift(found, size, margin, random) for found in (rows, columns))
    canvas = np.zeros((size, size, 5), np.uint8)
    side = small.shape[0]
    y0, x0, y1, x1 = max(0, top), max(0, left), min(size, top + side), min(size, left + side)
    canvas[y0:y1, x0:x1] = small[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def _shift(found: NDArray[np.intp], size: int, margin: int, random: np.random.Generator) -> int:
    """Where the layers begin along an axis, so that found[0] … found[-1] lie inside; centred where they cannot."""
    if len(found) == 0:
        return 0
    low, high = margin - int(found[0]), size - margin - 1 - int(found[-1])
    if low >= high:
        return (low + high) // 2
    middle, spread = (low + high) / 2, (high - low) / 2
    return round(middle + spread * float(random.uniform(-ASIDE, ASIDE)))


def _bytes(values: NDArray[Any]) -> Bytes:
    return np.asarray(values.round().clip(0, 255), np.uint8)
