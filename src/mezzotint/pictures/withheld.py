"""What stands in the place of a picture that the output gate lets nobody have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

LEAST, MARGIN, LINE = 256, 8, 15
"""Pixels: of each side at least, so that codes can be read; around them; from one to the next."""


def withheld(size: tuple[int, int], codes: Sequence[str]) -> Image:
    """A plain grey tile with the gate's codes, the same whatever the picture showed.   size: (width, height)."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    tile = Pillow.new("L", (max(LEAST, size[0]), max(LEAST, size[1])), 216)
    draw, font = ImageDraw.Draw(tile), ImageFont.load_default(11)
    for k, line in enumerate(("withheld by the output gate", *codes)):
        draw.text((MARGIN, MARGIN + k * LINE), line, fill=0, font=font)
    return tile
