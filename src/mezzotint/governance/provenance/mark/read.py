"""A mark found again: at every offset, and at the sizes to which pictures are usually brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mezzotint.governance.provenance.mark.code import CHECK_BITS, Reals, decoded, name_in
from mezzotint.governance.provenance.mark.pattern import FINE, Grey, Waves, grey, pattern, turned, waves_of
from mezzotint.pictures.png import Pixels

SCALES = (1.0, 3 / 4, 1 / 2, 2 / 3, 4 / 5, 9 / 10, 5 / 4, 3 / 2, 2.0)
"""By which a picture may have been made smaller or larger since it was marked."""

OFFSETS = 3
"""The likeliest ones, that are tried at each size."""

LEAST = 48
"""Pixels of a side, below which nothing is looked for."""

MOST = 2048
"""Pixels of a side that are looked at, in the middle of a larger picture."""

APART = 3
"""Half pixels between offsets that are tried."""


@dataclass(frozen=True)
class Found:
    """name: of the asset, 32 bits.  scale: by which the picture was brought to another size since."""

    name: int
    scale: float


def false_alarm(keys: int = 1) -> float:
    """The most by which an unmarked picture is taken for a marked one (``code``)."""
    return keys * len(SCALES) * OFFSETS * 2.0**-CHECK_BITS


def read(pixels: Pixels, keys: Iterable[bytes], scales: Sequence[float] = SCALES) -> Found | None:
    """The mark in a picture (H, W, C), None where none of the keys finds any."""
    light, known = grey(pixels), tuple(keys)
    for scale in scales if known and min(light.shape) >= LEAST else ():
        waves = waves_of(_middle(_sized(light, scale)))
        names = (_name(waves, key) for key in known)
        found = next((name for name in names if name is not None), None)
        if found is not None:
            return Found(found, scale)
    return None


def _name(waves: Waves, key: bytes) -> int | None:
    own = pattern(key)
    offsets = _offsets(own.likeness(waves))
    names = (name_in(decoded(own.soft(turned(waves, *offset))), key) for offset in offsets)
    return next((name for name in names if name is not None), None)


def _offsets(likeness: Reals) -> Iterator[tuple[float, float]]:
    """(down, right) in pixels, the likeliest first."""
    left, near = likeness.copy(), np.arange(-APART, APART + 1)
    for _ in range(OFFSETS):
        down, right = np.unravel_index(left.argmax(), left.shape)
        yield float(down) / FINE, float(right) / FINE
        left[np.ix_((near + down) % left.shape[0], (near + right) % left.shape[1])] = -np.inf


def _sized(light: Grey, scale: float) -> Grey:
    """A picture as large as it was."""
    if scale == 1:
        return light
    from PIL import Image

    height, width = (max(1, round(min(n, MOST * scale) / scale)) for n in light.shape)
    seen = _middle(light, round(MOST * scale))
    sized: Grey = np.asarray(Image.fromarray(seen).resize((width, height), Image.Resampling.BICUBIC))
    return sized


def _middle(light: Grey, most: int = MOST) -> Grey:
    top, left = (max(0, n - most) // 2 for n in light.shape)
    return light[top : top + most, left : left + most]
