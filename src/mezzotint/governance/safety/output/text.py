"""Text in a picture: found and read by PP-OCR, then put to the prompt gate as any other text.

Liao et al., 2020, Real-time Scene Text Detection with Differentiable Binarization (what finds it); Graves et al., 2006,
Connectionist Temporal Classification (how it is read off).  The weights are PP-OCRv6's small ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import GateError
from mezzotint.governance.safety.output.filters import Network
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.output.verdict import SIDE, Found, finding
from mezzotint.governance.safety.prompt.gate import Gate, Text
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels, to_pil

Floats = NDArray[np.float32]
SMALL = 64
"""Pixels along a side below which no text can be read."""

LONGEST, SHORTEST = 960, 320
"""Pixels along the longer side of what is searched, and least along the shorter."""

FOUND, BOX, GROWN = 0.3, 0.5, 1.6
"""A pixel's and a box's least score, and how much a box grows: the detector finds the cores of words."""

MOST, HEIGHT, WIDEST = 40, 48, 1600
"""Boxes that are read, the height they are read at, and the width at most."""

SURE = 0.7
"""The least mean confidence of a line that counts as read."""


@dataclass(frozen=True, eq=False)
class Texts:
    """found, read: the two networks, None where they are not installed."""

    found: Network | None
    read: Network | None
    policy: OutputPolicy
    gate: Gate

    name = "text"

    def __call__(self, pixels: Pixels) -> Found:
        if self.found is None or self.read is None:
            return self._unread("not-installed")
        if min(pixels.shape[:2]) < SMALL:
            return Found(unchecked={self.name: "too-small"})
        lines = self.lines(pixels)
        if not lines:
            return Found(scores={"text": 0.0})
        said = self.gate.check([Text("ocr", " ".join(lines))]).findings
        return Found(tuple(replace(one, side=SIDE) for one in said), {"text": 1.0})

    def _unread(self, why: str) -> Found:
        if self.policy.text != "required":
            return Found(unchecked={self.name: why})
        missing = finding("structure", "text-unchecked", self.name, Decision.COULD_NOT_CHECK, 1.0)
        return Found((missing,), {}, {self.name: why})

    def lines(self, pixels: Pixels) -> list[str]:
        """What is written there, from the top."""
        assert self.found is not None and self.read is not None
        from mezzotint.pictures.flat import flat

        rgb = np.asarray(flat(to_pil(pixels)), np.uint8)
        read = (self._line(cut(rgb, box)) for box in boxes(self.found, rgb))
        return [text for text, sure in read if sure >= SURE and text.strip()]

    @cached_property
    def _letters(self) -> tuple[str, ...]:
        assert self.read is not None
        said = self.read.session.get_modelmeta().custom_metadata_map["character"]
        return ("", *said.split("\n"), " ")

    def _line(self, strip: Pixels) -> tuple[str, float]:
        """(text, mean confidence) of a line (48, W, 3)."""
        assert self.read is not None
        (answer,) = self.read(_normal(strip))
        return decoded(answer[0], self._letters)


def decoded(steps: Floats, letters: tuple[str, ...]) -> tuple[str, float]:
    """Greedy CTC of (T, letters): runs once, blanks (0) left out."""
    best = steps.argmax(1)
    new = np.concatenate(([True], best[1:] != best[:-1])) & (best != 0)
    if not new.any():
        return "", 0.0
    return "".join(letters[k] for k in best[new] if k < len(letters)), float(steps.max(1)[new].mean())


def boxes(network: Network, rgb: Pixels) -> Iterator[Floats]:
    """Corners (4, 2) of each line of text, clockwise from its top left, the topmost first."""
    cv2, small, scale = _cv2(), *_searched(rgb)
    (answer,) = network(_normal(small))
    heat = np.asarray(answer[0, 0], np.float32)
    outlines, _ = cv2.findContours((heat > FOUND).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = [box for box in (_box(cv2, heat, outline) for outline in outlines) if box is not None]
    yield from (box * scale for box in sorted(found, key=lambda b: (float(b[:, 1].min()), float(b[0, 0])))[:MOST])


def _searched(rgb: Pixels) -> tuple[Pixels, Floats]:
    """What is searched, both sides in whole 32s, and what its coordinates are multiplied with."""
    from PIL import Image

    height, width = rgb.shape[:2]
    by = min(LONGEST / max(height, width), max(1.0, SHORTEST / min(height, width)))
    size = tuple(max(32, round(n * by / 32) * 32) for n in (width, height))
    small = np.asarray(Image.fromarray(rgb).resize((size[0], size[1]), Image.Resampling.BILINEAR), np.uint8)
    return small, np.array([width / size[0], height / size[1]], np.float32)


def _box(cv2: Any, heat: Floats, outline: Any) -> Floats | None:
    """The grown rectangle around an outline; None where it is too small, or nobody is sure."""
    (x, y), (width, height), angle = cv2.minAreaRect(outline)
    if min(width, height) < 3:
        return None
    inside = np.zeros(heat.shape, np.uint8)
    cv2.fillPoly(inside, [outline], 1)
    if float(heat[inside > 0].mean()) < BOX:
        return None
    more = 2 * GROWN * width * height / (2 * (width + height))
    return _ordered(cv2.boxPoints(((x, y), (width + more, height + more), angle)))


def _ordered(corners: Floats) -> Floats:
    """Clockwise from the top left."""
    by_x = corners[np.argsort(corners[:, 0])]
    left, right = (side[np.argsort(side[:, 1])] for side in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def cut(rgb: Pixels, box: Floats) -> Pixels:
    """A line upright, (48, W, 3); one that stands on end is laid down."""
    cv2 = _cv2()
    width, height = (max(_apart(box, *pair) for pair in pairs) for pairs in (((0, 1), (3, 2)), ((0, 3), (1, 2))))
    if height > 1.5 * width:
        box, width, height = np.roll(box, -1, 0), height, width
    wide = int(min(WIDEST, max(HEIGHT, round(HEIGHT * width / max(height, 1)))))
    corners = np.array([[0, 0], [wide, 0], [wide, HEIGHT], [0, HEIGHT]], np.float32)
    seen = cv2.getPerspectiveTransform(np.ascontiguousarray(box, np.float32), corners)
    return np.asarray(cv2.warpPerspective(rgb, seen, (wide, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _apart(box: Floats, one: int, other: int) -> float:
    """Of two corners."""
    return float(np.linalg.norm(box[one] - box[other]))


def _normal(rgb: Pixels) -> Floats:
    """(1, 3, H, W) in -1 ... 1, BGR as PaddleOCR has it."""
    x = rgb[..., ::-1].astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def _cv2() -> Any:
    """Raises GateError where OpenCV is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise GateError(
            "reading text in pictures needs OpenCV, so nothing is made; pip install 'mezzotint[safety]'"
        ) from error
    return cv2
