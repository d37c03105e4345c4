"""Heads: one hidden layer on what an encoder says of a text, a logit for harm of any kind and one for each kind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mezzotint.conditioning.minilm_numpy import arrays, mean_of
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


@dataclass(frozen=True, eq=False)
class TokenHead:
    """The same layers on what a text's tokens say, so that one harmful word among many is not drowned by their mean.

    query: (k, 384) and (k,), how much each of k looks heeds a token: a softmax over the text's tokens.  value: (v, 384)
    and (v,), what a token says, through tanh.  what the layers read is k v numbers of the looks, then the text's mean.
    """

    query: tuple[Floats, Floats]
    value: tuple[Floats, Floats]
    layers: Head

    def read(self, texts: Sequence[Floats]) -> tuple[float, str]:
        """Of token states (L, 384) of each text, as ``Head.read``."""
        return self.layers.read(np.stack([self._seen(states) for states in texts]))

    def _seen(self, states: Floats) -> Floats:
        heeded = states @ self.query[0].T + self.query[1]
        weights = np.exp(heeded - heeded.max(0))
        said = np.tanh(states @ self.value[0].T + self.value[1])
        looks = (weights / weights.sum(0)).T @ said
        return np.concatenate([looks.reshape(-1), mean_of(states)])


def read_token_head(data: bytes) -> TokenHead:
    """Of a file's bytes."""
    t, _ = arrays(data)
    return TokenHead((t["query.weight"], t["query.bias"]), (t["value.weight"], t["value.bias"]), read_head(data))


def read_head(data: bytes) -> Head:
    """Of a file's bytes."""
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
