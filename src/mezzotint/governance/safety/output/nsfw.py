"""Two classifiers of pictures not safe for work, trained apart, so that where they disagree a person looks.

open-nsfw: Mahadeokar and Pesavento, 2016, Open sourcing a deep learning solution for detecting NSFW images (Yahoo);
below 0.2 is safe and above 0.8 is not, by its authors.  image-safety-s: OwenElliott, image-safety-classifier-s, classes
NSFL, NSFW, SFW.  Neither was measured on real pictures of that kind here: none may be had.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mezzotint.governance.safety.output.filters import IMAGE_SAFETY, OPEN_NSFW, Network
from mezzotint.governance.safety.output.policy import NSFW_APART, OutputPolicy
from mezzotint.governance.safety.output.verdict import Found, finding
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.pictures.png import Pixels, to_pil

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mezzotint.governance.safety.prompt.verdict import Finding

INPUT, SCALED = 224, 256
MEAN_BGR = np.array([104.0, 117.0, 123.0], np.float32)
SMALL = 64
"""Pixels along a side below which nobody knows what these classifiers say; they are not asked unless required."""


@dataclass(frozen=True, eq=False)
class Nsfw:
    """networks: those that are installed, one or both."""

    networks: tuple[Network, ...]
    policy: OutputPolicy

    name = "nsfw"

    def __call__(self, pixels: Pixels) -> Found:
        if not self.networks:
            return _missing(self.policy)
        if min(pixels.shape[:2]) < SMALL and self.policy.nsfw != "required":
            return Found(unchecked={"nsfw": "too-small"})
        scores = {name: s for one in self.networks for name, s in SCORERS[one.name](one, pixels).items()}
        absent = {one: "not-installed" for one in SCORERS if one not in {n.name for n in self.networks}}
        return Found(self._findings(scores), scores, absent)

    def _findings(self, scores: Mapping[str, float]) -> tuple[Finding, ...]:
        sexual = [scores[name] for name in ("open-nsfw", "image-safety-s-nsfw") if name in scores]
        made = [self._judged("sexual", "nsfw", max(sexual))]
        if "image-safety-s-nsfl" in scores:
            made.append(self._judged("violence-gore", "nsfl", scores["image-safety-s-nsfl"]))
        if max(sexual) - min(sexual) > NSFW_APART:
            made.append(finding("sexual", "disagree", "nsfw", Decision.REVIEW, max(sexual)))
        return tuple(one for one in made if one is not None)

    def _judged(self, category: str, rule: str, score: float) -> Finding | None:
        if score < self.policy.nsfw_review and score < self.policy.nsfw_block:
            return None
        decision = Decision.BLOCK if score >= self.policy.nsfw_block else Decision.REVIEW
        return finding(category, rule, "nsfw", decision, score)


def _missing(policy: OutputPolicy) -> Found:
    if policy.nsfw != "required":
        return Found(unchecked={"nsfw": "not-installed"})
    return Found(
        (finding("sexual", "unchecked", "nsfw", Decision.COULD_NOT_CHECK, 1.0),), {}, {"nsfw": "not-installed"}
    )


def open_nsfw(network: Network, pixels: Pixels) -> dict[str, float]:
    """As its authors prepare pictures: 256 x 256, through JPEG, the middle 224 x 224, BGR less the mean."""
    from PIL import Image

    file = io.BytesIO()
    _rgb(pixels).resize((SCALED, SCALED), Image.Resampling.BILINEAR).save(file, "JPEG")
    x = np.asarray(Image.open(file).convert("RGB"), np.float32)
    edge = (SCALED - INPUT) // 2
    (answer,) = network((x[edge : edge + INPUT, edge : edge + INPUT, ::-1] - MEAN_BGR)[None])
    return {"open-nsfw": float(answer[0, 1])}


def image_safety(network: Network, pixels: Pixels) -> dict[str, float]:
    """Stretched to 224 x 224, values 0 ... 255, channels first; its graph does the rest."""
    from PIL import Image

    small = np.asarray(_rgb(pixels).resize((INPUT, INPUT), Image.Resampling.BILINEAR), np.float32)
    (answer,) = network(np.ascontiguousarray(small.transpose(2, 0, 1))[None])
    gore, sexual, _ = (float(x) for x in answer[0])
    return {"image-safety-s-nsfl": gore, "image-safety-s-nsfw": sexual}


def _rgb(pixels: Pixels) -> Picture:
    from mezzotint.pictures.flat import flat

    return flat(to_pil(pixels))


Scorer = Callable[[Network, Pixels], dict[str, float]]
SCORERS: Mapping[str, Scorer] = {OPEN_NSFW.name: open_nsfw, IMAGE_SAFETY.name: image_safety}
