"""Which pictures are taken of a product: named views, jittered, half of them in a named colour."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mezzotint.errors import UsageError
from mezzotint.products.colours import COLOURS, NAMES

VIEWS = {
    "front": ((0.0, 12.0),),
    "three-quarter": ((42.0, 14.0), (-42.0, 14.0)),
    "side": ((90.0, 10.0), (-90.0, 10.0)),
    "back": ((180.0, 12.0),),
}
"""View -> (azimuth, largest jitter), degrees; a view with two has a left and a right."""

PATTERN = ("three-quarter", "front", "side", "three-quarter", "back", "three-quarter")
"""The views of six pictures in a row."""

ELEVATION, FLAT_ELEVATION = (6.0, 28.0), (28.0, 52.0)
FLAT = 0.15
"""A product lower than this share of its width or depth is seen from higher up."""

SHADES = 14
"""The largest jitter of a colour's channels, of 255."""


@dataclass(frozen=True)
class Shot:
    """One picture to take.

    azimuth, elevation: degrees.  colour: a name of ``colours``, or "" for the product's own.  srgb: the shade, or ().
    """

    number: int
    view: str
    azimuth: float
    elevation: float
    colour: str = ""
    srgb: tuple[int, ...] = ()


def shots(
    product: str, size: tuple[float, float, float], n: int, seed: int, colours: Sequence[str] = NAMES
) -> list[Shot]:
    """The n pictures of a product, a pure function of its id, its size (width, depth, height), the seed and colours.

    Every second one is in one of ``colours``, all of them before any again; with () all are in its own.
    Raises UsageError for n out of range.
    """
    if not 1 <= n <= 10_000:
        raise UsageError(f"{n} pictures of a product; expected 1 to 10000")
    key = hashlib.sha256(f"{seed}/{product}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(key[:8], "little"))
    low, high = FLAT_ELEVATION if size[2] < FLAT * max(size[:2]) else ELEVATION
    names = [colours[i] for _ in range(n // max(1, len(colours)) + 1) for i in random.permutation(len(colours))]
    made = []
    for k in range(n):
        view = PATTERN[k // 2 % len(PATTERN)]
        places = VIEWS[view]
        azimuth, jitter = places[k // 2 // len(PATTERN) % len(places)]
        turned = (azimuth + random.uniform(-jitter, jitter) + 180) % 360 - 180
        lifted = random.uniform(low, high)
        colour = names[k // 2] if k % 2 and colours else ""
        shade = _shade(colour, random) if colour else ()
        made.append(Shot(k, view, round(turned, 3), round(lifted, 3), colour, shade))
    return made


def _shade(colour: str, random: np.random.Generator) -> tuple[int, ...]:
    jitter = random.integers(-SHADES, SHADES + 1, 3)
    return tuple(int(v) for v in (np.array(COLOURS[colour]) + jitter).clip(0, 255))
