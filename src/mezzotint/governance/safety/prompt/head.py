"""A head: one hidden layer on sentence embeddings, a logit for harm of any kind and one for each kind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.governance.safety.prompt.words import Decision

Floats = NDArray[np.float32]

REVIEW = 0.5
"""The score of the head's own threshold."""


@dataclass(frozen=True, eq=False)
class Head:
    """hidden: (h, 384) and (h,).  out: (categories + 1, h) and (categories + 1,), the last for harm of any kind, which
    is learnt sooner than which kind it is.  threshold: its logit whose score is 0.5, from which a text is for review;
    the recipe says how it was chosen, and so does the file.
    """

    categories: tuple[str, ...]
    hidden: tuple[Floats, Floats]
    out: tuple[Floats, Floats]
    threshold: float

    def read(self, x: Floats) -> tuple[float, str]:
        """Of embeddings (N, 384): the largest score of harm, 0 ... 1, 0.5 at the threshold, and its likeliest kind."""
        h = np.maximum(x @ self.hidden[0].T + self.hidden[1], 0)
        logits = h @ self.out[0].T + self.out[1]
        most = logits[logits[:, -1].argmax()]
        score = 1 / (1 + np.exp(self.threshold - most[-1]))
        return float(score), self.categories[int(most[:-1].argmax())]


def read_head(data: bytes) -> Head:
    """Of a file's bytes."""
    from mezzotint.conditioning.minilm_numpy import arrays

    t, said = arrays(data)
    categories = tuple(said["categories"].split(" "))
    return Head(
        categories, (t["hidden.weight"], t["hidden.bias"]), (t["out.weight"], t["out.bias"]), float(said["threshold"])
    )


def meant(score: float, category: str, where: str) -> Iterator[Finding]:
    """MZ-P-<category>-meaning, at most one.

    Raises FloatingPointError for a score that is no number, which no threshold would catch.
    """
    if not math.isfinite(score):
        raise FloatingPointError("the head's score is no number")
    if score >= REVIEW:
        yield Finding(category, "meaning", where, Decision.REVIEW, score)
