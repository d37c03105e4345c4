"""Contact sheets and labelled strips: many pictures in one, enlarged by whole factors where they are small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mezzotint.pictures.png import Pixels, to_pil

if TYPE_CHECKING:
    from PIL.Image import Image

GAP = 4
TILE = 112
MAX_SIDE = 8192
PAPER = 255


def enlarged(pixels: Pixels, least: int = TILE) -> Pixels:
    """The picture with every pixel a square, so that the shorter side is ``least`` or more; larger ones as they are."""
    factor = max(1, math.ceil(least / min(pixels.shape[:2])))
    return pixels.repeat(factor, 0).repeat(factor, 1)


def columns_for(n: int) -> int:
    """Columns of a nearly square sheet of n tiles."""
    return max(1, math.ceil(math.sqrt(n)))


def grid(tiles: Sequence[Pixels], columns: int) -> Pixels:
    """Tiles of one size in rows of ``columns``, on white paper with gaps.   Returns: (H, W, C)."""
    height, width, channels = tiles[0].shape
    rows = math.ceil(len(tiles) / columns)
    paper = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), PAPER, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = (GAP + (i // columns) * (height + GAP), GAP + (i % columns) * (width + GAP))
        paper[y : y + height, x : x + width] = tile
    return paper


def sheet(tiles: Sequence[Pixels]) -> Image:
    """A contact sheet; shrunk where it would be wider or higher than 8192 pixels."""
    image = to_pil(grid([enlarged(t) for t in tiles], columns_for(len(tiles))))
    if max(image.size) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE))
    return image


def strip(rows: Sequence[Sequence[Pixels]], labels: Sequence[str]) -> Image:
    """Rows of tiles of one size, with a line of labels below the columns.  Labels may hold several lines."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    tiles = [[enlarged(tile) for tile in row] for row in rows]
    body = to_pil(grid([tile for row in tiles for tile in row], len(labels)))
    font = ImageFont.load_default(11)
    lines = max(label.count("\n") + 1 for label in labels)
    image = Pillow.new(body.mode, (body.width, body.height + 15 * lines + GAP), PAPER if body.mode == "L" else "white")
    image.paste(body, (0, 0))
    draw = ImageDraw.Draw(image)
    width = tiles[0][0].shape[1] + GAP
    for i, label in enumerate(labels):
        draw.multiline_text((GAP + i * width, body.height), label, fill=0 if body.mode == "L" else "black", font=font)
    return image
