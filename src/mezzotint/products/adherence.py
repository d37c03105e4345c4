"""Whether product pictures show what their prompts say: kind, colour, background, view.

Kind and view are named by the judge (``products.judging``), which errs too: its own accuracy on photographs is stated
beside.  Colour is looked at inside the product, by hue and lightness; a plain background by its colour difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.nets.judge import Judge
from mezzotint.products.captions import Facts
from mezzotint.products.colours import COLOURS, delta_e, shares
from mezzotint.products.frame import frame
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.source import PAINTED

ASPECTS = ("kind", "colour", "plain background", "view")
BATCH = 64
NEAR = 10.0
"""A background has a colour when it is within this CIE76 difference of it."""

INSIDE, OUTSIDE = 0.6, 0.2
"""Mask values that are surely the product, and surely not."""


@dataclass(frozen=True)
class Seen:
    """What the judge sees in a picture.  mask: (H, W), the share of a pixel that is the product's."""

    kind: str
    view: str
    mask: NDArray[np.float32]


def look(images: Tensor, judge: Judge) -> Iterator[Seen]:
    """The judge's answers on pictures (N, 3, H, W) uint8 of any size."""
    side = judge.config.size
    for part in torch.split(images, BATCH):
        x = F.interpolate(part.float() / 127.5 - 1, side, mode="bilinear", antialias=True, align_corners=False)
        with torch.inference_mode():
            kind, view, mask = judge(x)
        full = F.interpolate(mask[:, None].sigmoid(), part.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
        for k, v, m in zip(kind.argmax(1).tolist(), view.argmax(1).tolist(), full, strict=True):
            yield Seen(kinds()[k], VIEW_NAMES[v], m.numpy())


def has_colour(pixels: NDArray[np.uint8], mask: NDArray[np.float32], colour: str) -> bool:
    """Whether so much of the product has a named colour as a painted one has (H, W, 3)."""
    return shares(pixels[mask > INSIDE]).get(colour, 0.0) >= PAINTED


def background_near(pixels: NDArray[np.uint8], mask: NDArray[np.float32], colour: str) -> bool:
    """Whether the median colour along the picture's edge, where there is no product, is that of the name."""
    found = pixels[frame(*mask.shape) & (mask < OUTSIDE)]
    return len(found) > 0 and bool(delta_e(np.median(found, 0), COLOURS[colour]) <= NEAR)


def right(image: Tensor, said: Facts, seen: Seen) -> dict[str, bool]:
    """Of a picture (3, H, W) uint8: aspect -> whether it shows what was said; what was not said is left out."""
    pixels = image.permute(1, 2, 0).numpy()
    found = {"kind": seen.kind == said.kind, "view": seen.view == said.view}
    if said.colour:
        found["colour"] = has_colour(pixels, seen.mask, said.colour)
    if said.background in COLOURS:
        found["plain background"] = background_near(pixels, seen.mask, said.background)
    return found


def adherence(images: Tensor, facts: Sequence[Facts], judge: Judge) -> list[dict[str, bool]]:
    """``right`` of each of the pictures (N, 3, H, W) uint8, each made for one of ``facts``."""
    return [right(*one) for one in zip(images, facts, look(images, judge), strict=True)]
