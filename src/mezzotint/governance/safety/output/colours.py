"""The brand's colours, ``[colours]`` of brand.toml: a palette to keep to, and colours that may not be seen.

A difference is CIEDE2000: Sharma, Wu and Dalal, 2005, The CIEDE2000 Color-Difference Formula, eq. 2-22.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.governance.licence.reading import Checker, fields, several, text, wrong
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels, to_pil

Floats = NDArray[np.float64]
SIDE = 64
"""Pixels along a side of what is measured; an average of each place."""

DELTA, SHARE, FORBIDDEN = 10.0, 0.5, 0.02


@dataclass(frozen=True)
class Rules:
    """palette, forbidden: sRGB (N, 3).  delta: the largest difference that is the same colour.  share: the least share
    of the picture in colours of the palette.  forbidden_share: the least share of a forbidden colour that counts.
    """

    palette: tuple[tuple[int, int, int], ...] = ()
    forbidden: tuple[tuple[int, int, int], ...] = ()
    delta: float = DELTA
    share: float = SHARE
    forbidden_share: float = FORBIDDEN


@dataclass(frozen=True)
class Colours:
    """Measures pictures by rules."""

    rules: Rules

    name = "colours"

    def __call__(self, pixels: Pixels) -> Found:
        shown, rules = cielab(_small(pixels)), self.rules
        scores: dict[str, float] = {}
        findings = []
        if rules.palette:
            scores["palette"] = near_share(shown, rules.palette, rules.delta)
            if scores["palette"] < rules.share:
                findings.append(finding("brand", "palette", self.name, Decision.REVIEW, 1 - scores["palette"]))
        if rules.forbidden:
            scores["forbidden"] = near_share(shown, rules.forbidden, rules.delta)
            if scores["forbidden"] >= rules.forbidden_share:
                findings.append(finding("brand", "colour", self.name, Decision.BLOCK, scores["forbidden"]))
        return Found(tuple(findings), scores)


def _small(pixels: Pixels) -> NDArray[np.uint8]:
    """(64 x 64, 3): transparency on white."""
    from PIL import Image

    from mezzotint.pictures.flat import flat

    small = flat(to_pil(pixels)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.uint8).reshape(-1, 3)


def near_share(lab: Floats, known: tuple[tuple[int, int, int], ...], delta: float) -> float:
    """The share of colours (N, 3) within a difference of any that is known."""
    apart = ciede2000(lab[:, None], cielab(np.array(known))[None])
    return float((apart.min(1) <= delta).mean())


def cielab(srgb: Any) -> Floats:
    """CIELAB under D65 (products.colours has it)."""
    from mezzotint.products.colours import cielab as of

    return of(srgb)


def ciede2000(one: Floats, other: Floats) -> Floats:
    """Of CIELAB (…, 3) and (…, 3), kL = kC = kH = 1."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(x, -1, 0) for x in np.broadcast_arrays(one, other))
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    hue = np.where(grey, h1 + h2, _middle(h1, h2))
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    return _weighted(d_l, d_c, d_h, (l1 + l2) / 2, (c1 + c2) / 2, hue)


def _middle(h1: Floats, h2: Floats) -> Floats:
    """The hue halfway on the shorter arc, degrees."""
    half = (h1 + h2) / 2
    return np.where(np.abs(h1 - h2) <= 180, half, np.where(h1 + h2 < 360, half + 180, half - 180))


def _weighted(d_l: Floats, d_c: Floats, d_h: Floats, lightness: Floats, chroma: Floats, hue: Floats) -> Floats:
    """Eq. 15-22: the differences over their weights, with the turn in the blues."""

    def wave(times: int, shift: float) -> Floats:
        return np.asarray(np.cos(np.radians(times * hue + shift)))

    t = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    away = (lightness - 50) ** 2
    s_l = 1 + 0.015 * away / np.sqrt(20 + away)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    strength = 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    turned = -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))) * strength
    parts = (d_l / s_l, d_c / s_c, d_h / s_h)
    return np.asarray(np.sqrt(np.maximum(sum(x * x for x in parts) + turned * parts[1] * parts[2], 0)))


def _colour(value: Any, where: str) -> tuple[int, int, int]:
    """#rrggbb."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text(value, where)):
        raise wrong(where, f"{value!r} is no colour", "#rrggbb")
    red, green, blue = (int(value[k : k + 2], 16) for k in (1, 3, 5))
    return red, green, blue


def _above(most: float) -> Checker:
    def check(value: Any, where: str) -> float:
        if type(value) not in (int, float) or not 0 < value <= most:
            raise wrong(where, f"{value!r}", f"a number above 0, at most {most:g}")
        return float(value)

    return check


_FIELDS: Mapping[str, Checker] = {
    "palette": several(_colour), "forbidden": several(_colour), "delta": _above(100), "share": _above(1),
    "forbidden_share": _above(1),
}  # fmt: skip


def read_rules(value: Any, where: str) -> Rules:
    """Of a table.  Raises InputError for what is wrong in it."""
    return Rules(**fields(value, _FIELDS, (), where))
