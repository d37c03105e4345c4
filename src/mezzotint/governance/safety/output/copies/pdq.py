"""PDQ, the 256-bit hash of pictures that lists are exchanged in.

Facebook, 2019, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm, sec. PDQ: luminance, a box
blur twice, 64 x 64 samples, the 16 x 16 lowest frequencies of a DCT without its constant, bits by their median.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

SIDE, KEPT = 64, 16
NEAR = 31
"""Bits in which two copies differ at most, as its authors have it."""

LEAST_DETAIL = 50
"""Its authors' least quality of a picture whose hash counts."""


def pdq(grey: NDArray[np.uint8]) -> bytes:
    """The 32 bytes of (H, W) uint8; none where the picture has too little detail for its bits to mean anything."""
    sampled = samples(grey)
    return hashed(sampled) if detail(sampled) >= LEAST_DETAIL else b""


def samples(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(64, 64) of (H, W) uint8: blurred twice along each side, then sampled, which is one matrix a side."""
    height, width = grey.shape
    return np.asarray(_sampling(height) @ grey.astype(np.float32) @ _sampling(width).T, np.float64)


def hashed(sampled: NDArray[np.float64]) -> bytes:
    """The bits of 64 x 64 samples, high frequencies first, as the hash is written."""
    low = _dct() @ sampled @ _dct().T
    return np.packbits((low > np.median(low)).ravel()[::-1]).tobytes()


def detail(sampled: NDArray[np.float64]) -> int:
    """0 ... 100 of the 64 x 64 samples: steps between neighbours, in hundredths of the range, cut to whole ones."""
    steps = (np.trunc(np.diff(sampled, axis=axis) * 100 / 255) for axis in (0, 1))
    return min(100, int(sum(np.abs(one).sum() for one in steps) / 90))


def apart(one: bytes, many: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Differing bits (N,) of a hash and of others (N, 32)."""
    return np.asarray(np.unpackbits(many ^ np.frombuffer(one, np.uint8), axis=-1).sum(-1), np.int64)


def _window(n: int) -> int:
    """The box's width along a side of n pixels."""
    return (n + 2 * SIDE - 1) // (2 * SIDE)


@cache
def _dct() -> NDArray[np.float64]:
    """(16, 64): rows 1 ... 16 of the DCT-II."""
    k, n = np.arange(1, KEPT + 1)[:, None], np.arange(SIDE)[None]
    return np.asarray(math.sqrt(2 / SIDE) * np.cos(math.pi / 2 / SIDE * k * (2 * n + 1)), np.float64)


@lru_cache(maxsize=8)
def _sampling(n: int) -> NDArray[np.float32]:
    """(64, n): two passes of a box over n pixels, means over what there is at the ends, then 64 of them."""
    window = _window(n)
    before = (window + 2) // 2 - 1
    ends = np.clip(np.arange(n) + before + 1, 0, n)
    begins = np.clip(np.arange(n) + before + 1 - window, 0, n)
    at = np.arange(n)
    box = ((at >= begins[:, None]) & (at < ends[:, None])) / (ends - begins)[:, None]
    return np.asarray((box @ box)[[int((k + 0.5) * n / SIDE) for k in range(SIDE)]], np.float32)
