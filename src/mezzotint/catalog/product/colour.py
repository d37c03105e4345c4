"""Colours as people write them: a name, or #rrggbb."""

from __future__ import annotations

import re

from mezzotint.errors import unknown
from mezzotint.products.colours import COLOURS, SYNONYMS

Rgb = tuple[int, int, int]
HEX = re.compile(r"#[0-9a-f]{6}")


def colour_of(text: str) -> Rgb:
    """ "white", "light grey", "#f4f1ea": captions' names, else those of CSS.   Raises UsageError."""
    from PIL import ImageColor

    said = text.strip().casefold()
    name = next((own for own, others in SYNONYMS.items() if said in others), said)
    if name in COLOURS:
        return COLOURS[name]
    css = said.replace(" ", "")
    if not HEX.fullmatch(said) and css not in ImageColor.colormap:
        raise unknown("colour", text, (*COLOURS, "#rrggbb"))
    red, green, blue = ImageColor.getrgb(css)[:3]
    return red, green, blue
