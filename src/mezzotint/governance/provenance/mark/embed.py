"""A mark put into a picture: as strong as cannot be seen, where the picture itself does not already say the same.

The embedder reads what it made as the reader will, and gives more to the signs that the picture speaks against: the
picture is known, so that it need not be noise (Cox, Miller and McKellips, 1999, Watermarking as Communications with
Side Information).  What does not read back after JPEG is not put in at all.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from mezzotint.governance.provenance.mark.code import Reals, encoded, message
from mezzotint.governance.provenance.mark.pattern import (
    FAR,
    Grey,
    Pattern,
    Waves,
    grey,
    pattern,
    tiled,
    waves_of,
)
from mezzotint.governance.provenance.mark.read import LEAST, read
from mezzotint.pictures.png import Pixels, to_pil, to_pixels

STRENGTHS, STEP = (2.5, 3.1), 5.0
"""Grey levels: root mean square of the change (40.2 dB, or 38.3 where that is not read), and the most at any pixel (a
CIELAB difference of 2)."""

ROUNDS = 6
SLOW = 0.10
"""Waves a pixel above which less is put in: what JPEG and WebP keep."""

LIVELY = 2.5
"""How many times as much a lively place takes as a still one."""

QUALITY, CUT = 75, 20
"""Of the JPEG after which it must still be read, cut by one pixel of so many at each edge."""

Free = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Marked:
    """pixels: as they leave.   embedded: whether the mark is in them; else they are as they were: no room.
    decibels: peak signal to noise ratio of the change, 0 where there is none."""

    pixels: Pixels
    embedded: bool
    decibels: float = 0.0


def embed(pixels: Pixels, name: int, key: bytes, free: Free | None = None) -> Marked:
    """A picture (H, W, C) with the mark of an asset, or as it was.

    name: 32 bits.  free: (H, W), the pixels that may be touched; None is all.
    """
    if min(pixels.shape[:2]) < LEAST or (free is not None and not free.any()):
        return Marked(pixels, embedded=False)
    for strength in STRENGTHS:
        made = _put(pixels, name, key, free, strength)
        if _reads(_compressed(made), name, key):
            error = float(np.mean((made.astype(np.float32) - pixels) ** 2))
            return Marked(made, embedded=True, decibels=round(10 * float(np.log10(255**2 / max(error, 1e-9))), 2))
    return Marked(pixels, embedded=False)


def _put(pixels: Pixels, name: int, key: bytes, free: Free | None, strength: float) -> Pixels:
    """The last of some rounds, each better than the one before."""
    own, code = pattern(key), encoded(message(name, key))
    ideal = own.waves(code) / (1 + (FAR / SLOW) ** 2)
    where, gains = _where(grey(pixels), free), np.ones(len(ideal))
    for _ in range(ROUNDS - 1):
        made = _added(pixels, where * tiled(ideal * gains, pixels.shape[:2]), strength)
        gains = _more(gains, own, code, waves_of(grey(made)))
    return _added(pixels, where * tiled(ideal * gains, pixels.shape[:2]), strength)


def _more(gains: Reals, own: Pattern, code: Reals, waves: Waves) -> Reals:
    """More for the signs that are weaker than the mean, and for such of the known waves."""
    soft = own.soft(waves) * code
    usual = float(np.abs(soft).mean()) + 1e-9
    lacking = (np.maximum(0, usual - soft) / usual)[own.place].reshape(2, -1).mean(0)
    known = (waves[own.sync] * own.turn[own.sync].conj()).real
    more = gains.copy()
    more[own.data] = (gains[own.data] + 0.6 * lacking).clip(0, 4)
    more[own.sync] = (gains[own.sync] + 0.4 * np.maximum(0, known.mean() - known)).clip(0, 3)
    return more


def _where(light: Grey, free: Free | None) -> Grey:
    """(H, W): how much each place takes; nothing where pixels are locked.

    Lively places hide more: Watson, 1993, DCT Quantization Matrices Visually Optimized for Individual Images, sec. 3.
    """
    mean = uniform_filter(light, 9)
    lively = np.sqrt(np.maximum(uniform_filter(light * light, 9) - mean * mean, 0))
    taken: Grey = np.clip(1 + (lively - 4) / 12, 1, LIVELY).astype(np.float32)
    return taken if free is None else np.where(free, taken, np.float32(0))


def _added(pixels: Pixels, change: Grey, strength: float) -> Pixels:
    """A picture and a change of the strength that is wanted where white and black leave room for it."""
    wanted, made = strength * np.sqrt(np.mean(change != 0)), pixels
    change = change * (wanted / _size(change))
    for _ in range(3):
        made = _sum(pixels, change.clip(-STEP, STEP))
        change = change * min(1.6, wanted / _size(made[..., 0].astype(np.float32) - pixels[..., 0]))
    return made


def _sum(pixels: Pixels, change: Grey) -> Pixels:
    colours = pixels[..., :3] if pixels.shape[2] > 3 else pixels
    made = np.rint(colours + change[..., None]).clip(0, 255).astype(np.uint8)
    return np.concatenate([made, pixels[..., 3:]], -1) if pixels.shape[2] > 3 else made


def _size(change: Grey) -> float:
    return float(np.sqrt(np.mean(np.square(change)))) + 1e-6


def _reads(pixels: Pixels, name: int, key: bytes) -> bool:
    found = read(pixels, [key], scales=(1.0,))
    return found is not None and found.name == name


def _compressed(pixels: Pixels) -> Pixels:
    from PIL import Image

    file, (top, left) = io.BytesIO(), (n // CUT for n in pixels.shape[:2])
    to_pil(pixels[top : len(pixels) - top, left : pixels.shape[1] - left, :3]).save(file, "JPEG", quality=QUALITY)
    return to_pixels(Image.open(file))
