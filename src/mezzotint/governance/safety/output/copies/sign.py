"""What is kept of a picture to find its copies: a small thumbnail, vectors of its windows, and its PDQ hash.

A thumbnail is compared after local contrast normalisation, y = (x - m) / sqrt(s² + c²) with the mean m and the standard
deviation s of a neighbourhood: what remains is structure, whatever the light and the contrast.
(Jarrett et al., 2009, What is the Best Multi-Stage Architecture for Object Recognition?, sec. 3.1)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.governance.safety.output.copies.pdq import LEAST_DETAIL, detail, hashed, samples
from mezzotint.pictures.png import Pixels

Grey = NDArray[np.uint8]
Thumb = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE, COARSE = 64, 12
"""Pixels along a thumbnail and along a window's vector."""

RADIUS, FLOOR = 5, 6.0
"""Of the neighbourhood, in thumbnail pixels; c, in grey levels: less contrast than that is no structure."""

Window = tuple[int, int, int]
"""(top, left, side) in thumbnail pixels."""


def windows() -> tuple[Window, ...]:
    """The whole, then crops of 85 % (nine places) and of 70 % (49): what a copy may show."""
    made: list[Window] = [(0, 0, SIDE)]
    for side, places in ((54, (0, 5, 10)), (45, (0, 3, 6, 9, 13, 16, 19))):
        made += [(top, left, side) for top in places for left in places]
    return tuple(made)


WINDOWS = windows()


@dataclass(frozen=True, eq=False)
class Signature:
    """rgb: (64, 64, 3).  pdq, mirrored: the hash of it and of its mirror image, 32 bytes each; empty where the picture
    has too little detail for one.
    """

    rgb: Thumb
    pdq: bytes
    mirrored: bytes = b""

    @cached_property
    def vectors(self) -> Floats:
        """(windows, 144), of norm 1 or 0."""
        grey = luma(self.rgb)
        return np.stack([coarse(grey[t : t + n, left : left + n]) for t, left, n in WINDOWS])

    @cached_property
    def structure(self) -> Floats:
        """(64, 64): see ``normalised``."""
        return normalised(luma(self.rgb).astype(np.float32))

    @cached_property
    def ground(self) -> Floats:
        """(3,): the colour of most of the border."""
        edge = np.concatenate((self.rgb[0], self.rgb[-1], self.rgb[:, 0], self.rgb[:, -1]))
        return np.asarray(np.median(edge, 0), np.float32)


def signed(pixels: Pixels) -> Signature:
    """The signature of (H, W, C) uint8; transparency lies on white."""
    from mezzotint.pictures.flat import flat
    from mezzotint.pictures.png import to_pil

    whole = np.asarray(flat(to_pil(pixels)), np.uint8)
    grey = luma(whole)
    sampled = samples(grey)
    if detail(sampled) < LEAST_DETAIL:
        return Signature(resized(whole, SIDE), b"")
    return Signature(resized(whole, SIDE), hashed(sampled), hashed(samples(grey[:, ::-1])))


def luma(rgb: Thumb) -> Grey:
    """(H, W) of (H, W, 3): ITU-R BT.601."""
    from PIL import Image

    return np.asarray(Image.fromarray(rgb).convert("L"), np.uint8)


def resized(x: Thumb, side: int) -> Thumb:
    """Scaled to a square; averages where that is smaller."""
    from PIL import Image

    return np.asarray(Image.fromarray(x).resize((side, side), Image.Resampling.BILINEAR), np.uint8)


def turned(x: Thumb, degrees: float) -> Thumb:
    """(H, W, 3) about its middle, corners filled with the border's median."""
    from PIL import Image

    if degrees == 0:
        return x
    edge = np.median(np.concatenate((x[0], x[-1], x[:, 0], x[:, -1])), 0)
    fill = tuple(int(c) for c in edge)
    return np.asarray(Image.fromarray(x).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill), np.uint8)


def coarse(grey: Grey) -> Floats:
    """The (144,) vector of a window: its structure in 12 x 12, of mean 0 and norm 1; 0 where it has none."""
    small = normalised(resized(grey, 2 * COARSE).astype(np.float32), RADIUS // 2)
    mean = small.reshape(COARSE, 2, COARSE, 2).mean((1, 3)).ravel()
    mean = mean - mean.mean()
    norm = float(np.linalg.norm(mean))
    return np.asarray(mean / norm if norm > 0.5 else np.zeros_like(mean), np.float32)


def normalised(x: Floats, radius: int = RADIUS) -> Floats:
    """Local contrast normalisation of (H, W), as above."""
    centred = x - _boxed(x, radius)
    return (centred / np.sqrt(_boxed(centred * centred, radius) + FLOOR * FLOOR)).astype(np.float32)


def _boxed(x: NDArray[np.floating[Any]], radius: int) -> NDArray[np.float64]:
    """The mean over (2 radius + 1)², edges repeated."""
    width = 2 * radius + 1
    padded = np.pad(x.astype(np.float64), radius, mode="edge")
    sums = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    total = sums[width:, width:] - sums[:-width, width:] - sums[width:, :-width] + sums[:-width, :-width]
    return np.asarray(total / (width * width), np.float64)
