"""Copies as people make them, planted: each is a function of a picture and of a generator of numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from random import Random

from PIL import Image, ImageDraw, ImageFont

Picture = Image.Image
Attack = Callable[[Picture, Random], Picture]


def jpeg(picture: Picture, draw: Random) -> Picture:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=50)
    return Image.open(file).convert("RGB")


def half(picture: Picture, draw: Random) -> Picture:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)


def flip(picture: Picture, draw: Random) -> Picture:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _crop(picture: Picture, left: int, top: int) -> Picture:
    return picture.crop((left, top, left + round(picture.width * 0.7), top + round(picture.height * 0.7)))


def crop_middle(picture: Picture, draw: Random) -> Picture:
    return _crop(picture, round(picture.width * 0.15), round(picture.height * 0.15))


def crop_anywhere(picture: Picture, draw: Random) -> Picture:
    return _crop(picture, draw.randrange(round(picture.width * 0.3)), draw.randrange(round(picture.height * 0.3)))


def turn(picture: Picture, draw: Random) -> Picture:
    corners = draw.choice([(0, 0, 0), (255, 255, 255)])
    return picture.rotate(draw.choice([-5, 5]), Image.Resampling.BICUBIC, fillcolor=corners)


def banner(picture: Picture, draw: Random) -> Picture:
    """22 % of the height written over, above or below."""
    made, height = picture.copy(), round(picture.height * 0.22)
    top, colour = draw.choice([0, picture.height - height]), tuple(draw.randrange(256) for _ in range(3))
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, top, picture.width, top + height), fill=colour)
    font = ImageFont.load_default(max(8, picture.height // 11))
    pen.text((picture.width // 25, top + height // 5), "SALE 50% OFF TODAY", tuple(255 - c for c in colour), font)
    return made


ATTACKS: Mapping[str, Attack] = {
    "JPEG 50": jpeg,
    "half size": half,
    "mirrored": flip,
    "70 % crop, middle": crop_middle,
    "70 % crop, anywhere": crop_anywhere,
    "turned 5 degrees": turn,
    "text banner": banner,
}
