"""Banned marks inside a picture: local features of a registered mark found in one place, in one shape.

Lowe, 2004, Distinctive Image Features from Scale-Invariant Keypoints, sec. 7 (matching by the ratio of distances);
Fischler and Bolles, 1981, Random Sample Consensus.  Marks that are words are found by reading them (``text``); smooth
ones are missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mezzotint.errors import GateError
from mezzotint.governance.safety.output.copies.registry import Entry, pixels_of
from mezzotint.governance.safety.output.policy import OutputPolicy, led_to
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.pictures.png import Pixels, to_pil

RATIO = 0.75
LEAST = 8
"""Features of a mark that must lie as they do in it."""

WITHIN = 4.0
"""Pixels by which they may be off."""

Features = tuple[Any, Any]
"""Places and descriptors (N, 128), None where there are none."""


@dataclass(frozen=True, eq=False)
class Marks:
    """marks: those that are banned."""

    marks: tuple[Entry, ...]
    policy: OutputPolicy

    name = "marks"

    @cached_property
    def _known(self) -> list[Features]:
        return [features(pixels_of(mark)) for mark in self.marks]

    def __call__(self, pixels: Pixels) -> Found:
        if not self.marks:
            return Found()
        shown = features(pixels)
        counts = [agreeing(mark, shown) for mark in self._known]
        best = int(np.argmax(counts))
        score = min(1.0, counts[best] / (2 * LEAST))
        if counts[best] < LEAST:
            return Found((), {"mark": score})
        one = finding("third-party-mark", "picture", self.name, led_to(self.policy.copies), score)
        return Found((replace(one, term=self.marks[best].name),), {"mark": score})


def features(pixels: Pixels) -> Features:
    """Of a picture."""
    from mezzotint.pictures.flat import flat

    grey = np.asarray(flat(to_pil(pixels)).convert("L"), np.uint8)
    found: Features = _cv2().SIFT_create(contrastThreshold=0.02).detectAndCompute(grey, None)
    return found


def agreeing(mark: Features, shown: Features) -> int:
    """Features of a mark that lie in a picture as they do in it, under one homography."""
    if mark[1] is None or shown[1] is None or len(mark[0]) < LEAST or len(shown[0]) < LEAST:
        return 0
    cv2 = _cv2()
    pairs = [p for p in cv2.BFMatcher().knnMatch(mark[1], shown[1], k=2) if len(p) == 2]
    good = [first for first, second in pairs if first.distance < RATIO * second.distance]
    if len({one.trainIdx for one in good}) < LEAST:
        return 0
    theirs = np.array([mark[0][one.queryIdx].pt for one in good], np.float32)
    mine = np.array([shown[0][one.trainIdx].pt for one in good], np.float32)
    shape, inside = cv2.findHomography(theirs, mine, cv2.RANSAC, WITHIN)
    if shape is None or not sound(np.asarray(shape, np.float64)):
        return 0
    return len({good[k].trainIdx for k in np.flatnonzero(inside)})


def sound(shape: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Whether a homography neither mirrors nor crushes: its area factor is above a thousandth, at most 100."""
    area = float(np.linalg.det(shape[:2, :2]))
    return 1e-3 < area < 100


def _cv2() -> Any:
    """Raises GateError where OpenCV is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise GateError(
            "finding banned marks in pictures needs OpenCV, so nothing is made; pip install 'mezzotint[safety]'"
        ) from error
    return cv2
