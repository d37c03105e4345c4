"""What a text means, by a small head on the text encoder that ships: harms that no single word names.

One hidden layer on sentence embeddings, learnt by ``recipes/gates/prompt_head.py`` from texts of this project's.  It
reads English alone: elsewhere the encoder's words fall to pieces, which is how such texts are known and left to the
lists.  What it finds is for review: it is a guess.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.conditioning.text import TOKENIZER, WEIGHTS
from mezzotint.errors import GateError, InputError
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.safety.prompt.shipped import shipped
from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.governance.safety.prompt.words import Decision
from mezzotint.places import places

HEAD = "head.safetensors"
ENCODER = "minilm"
PINNED = {
    WEIGHTS: "6b459cc292110060bb551fe7ed051d078df8b1dbc009a2ea0685729bef245fa5",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""SHA-256 of the encoder's files, as the head knows them."""

MAX_BYTES = 1 << 27
TOKENS, WINDOWS = 62, 8
"""Read at once, and how many times: a long text hides nothing in its middle."""

REVIEW = 0.5
"""The score of the head's own threshold."""

VIETNAMESE = re.compile("[đơưă\u1ea0-\u1ef9]")
"""Letters that no other language here has; the encoder reads them without their marks, as English words."""

LEAST_TOKENS = 3
PIECES = 1.6
"""Tokens a word above which a text is no English."""

Floats = NDArray[np.float32]


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
class Meaning:
    """An encoder, its tokenizer and the head.   files: SHA-256 of both, by name."""

    encoder: Any
    tokenizer: Any
    head: Head
    files: Mapping[str, str] = field(default_factory=dict)

    def findings(self, text: str, where: str) -> Iterator[Finding]:
        """MZ-P-<category>-meaning of a text, at most one.

        Raises FloatingPointError for a score that is no number, which no threshold would catch.
        """
        score, category = self.score(text)
        if not math.isfinite(score):
            raise FloatingPointError("the head's score is no number")
        if score >= REVIEW:
            yield Finding(category, "meaning", where, Decision.REVIEW, score)

    def score(self, text: str) -> tuple[float, str]:
        """How surely a text means harm, the largest of its windows, and of which kind; 0 of one that is not read."""
        ids = self._windows(text)
        return self.head.read(self.encoder.pooled(ids)) if ids else (0.0, "")

    def _windows(self, text: str) -> list[NDArray[np.int64]]:
        """Token ids of the whole, in windows, and of its first clause, where styles follow; none of foreign texts."""
        whole = self.tokenizer.encode(text)
        words = len({k for k in whole.word_ids if k is not None})
        inner = np.array(whole.ids[1:-1], np.int64)
        if len(inner) < LEAST_TOKENS or len(inner) > PIECES * words:
            return []
        parts = [inner[k : k + TOKENS] for k in range(0, min(len(inner), TOKENS * WINDOWS), TOKENS)]
        clause = np.array(self.tokenizer.encode(text.partition(",")[0]).ids[1:-1], np.int64)
        first = [clause[:TOKENS]] if LEAST_TOKENS <= len(clause) < len(inner) else []
        return [np.concatenate((whole.ids[:1], one, whole.ids[-1:])) for one in (*parts, *first)]


def is_vietnamese(text: str) -> bool:
    """Whether half of the words, or more, have such letters: small letters with their marks."""
    words = text.split()
    return 2 * sum(VIETNAMESE.search(word) is not None for word in words) >= len(words) > 0


@cache
def meaning() -> Meaning | None:
    """What ships; None where the encoder is not installed.  Raises GateError where a file is missing or was changed."""
    head = read_head(shipped(HEAD))
    folder = next((place / ENCODER for origin, place in places() if origin == "shipped"), None)
    if folder is None or not folder.is_dir():
        return None
    files = {name: _pinned(folder / name, digest) for name, digest in PINNED.items()}
    return joined(files[WEIGHTS], files[TOKENIZER], head)


def joined(weights: bytes, tokenizer: bytes, head: Head) -> Meaning:
    """Of the files' bytes."""
    from tokenizers import Tokenizer

    from mezzotint.conditioning.minilm_numpy import NumpyEncoder, arrays

    reader = Tokenizer.from_str(tokenizer.decode())
    reader.no_padding()
    reader.no_truncation()
    return Meaning(
        NumpyEncoder(arrays(weights)[0]), reader, head, {f"{ENCODER}/{name}": d for name, d in PINNED.items()}
    )


def _pinned(path: Path, digest: str) -> bytes:
    """A file's bytes.  Raises GateError where it is missing, or not the one that was shipped."""
    try:
        data = read_bytes(path, MAX_BYTES)
    except InputError as error:
        raise GateError(
            f"the prompt gate's file {path} is missing, so nothing is made; install mezzotint-models again"
        ) from error
    if sha256(data) != digest:
        raise GateError(
            f"the prompt gate's file {path} was changed, so nothing is made; install mezzotint-models again"
        )
    return data


def read_head(data: bytes) -> Head:
    """Of a file's bytes."""
    from mezzotint.conditioning.minilm_numpy import arrays

    t, said = arrays(data)
    categories = tuple(said["categories"].split(" "))
    return Head(
        categories, (t["hidden.weight"], t["hidden.bias"]), (t["out.weight"], t["out.bias"]), float(said["threshold"])
    )
