"""What a text means, by a small head on the text encoder that ships: harms that no single word names.

One hidden layer on sentence embeddings, learnt by ``recipes/gates/prompt_head.py`` from texts of this project's.  It
reads English alone: elsewhere the encoder's words fall to pieces, which is how such texts are known and left to the
lists and to ``languages``.  What it finds is for review: it is a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mezzotint.conditioning.text import TOKENIZER, WEIGHTS
from mezzotint.errors import GateError, InputError
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.safety.prompt.head import Head, meant, read_head
from mezzotint.governance.safety.prompt.parts import LEAST, parts
from mezzotint.governance.safety.prompt.scripts import script_of
from mezzotint.governance.safety.prompt.shipped import shipped
from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.places import places

HEAD = "head.safetensors"
ENCODER = "minilm"
PINNED = {
    WEIGHTS: "6b459cc292110060bb551fe7ed051d078df8b1dbc009a2ea0685729bef245fa5",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""SHA-256 of the encoder's files, as the head knows them."""

MAX_BYTES = 1 << 27
BEGIN, END = 101, 102
"""The encoder's marks of a text's ends."""

VIETNAMESE = re.compile("[đơưă\u1ea0-\u1ef9]")
"""Letters that no other language here has; the encoder reads them without their marks, as English words."""

PIECES = 1.6
"""Tokens a word above which a text is no English."""


@dataclass(frozen=True, eq=False)
class Meaning:
    """An encoder, its tokenizer and the head.   files: SHA-256 of both, by name."""

    encoder: Any
    tokenizer: Any
    head: Head
    files: Mapping[str, str] = field(default_factory=dict)

    def findings(self, text: str, where: str) -> Iterator[Finding]:
        """MZ-P-<category>-meaning of a text, at most one.  Raises as ``meant``."""
        yield from meant(*self.score(text), where)

    def score(self, text: str) -> tuple[float, str]:
        """How surely a text means harm, the largest of its parts, and of which kind; 0 of one that is not read."""
        read = [] if self.is_foreign(text) else parts(text, self._ids, self.is_foreign)
        ids = [np.array([BEGIN, *one, END], np.int64) for one in read]
        return self.head.read(self.encoder.pooled(ids)) if ids else (0.0, "")

    def is_foreign(self, text: str) -> bool:
        """Whether a text is of other letters, or its words fall to pieces, as those of other languages do."""
        if is_of_other_letters(text):
            return True
        words = Counter(k for k in self.tokenizer.encode(text).word_ids if k is not None)
        whole = sum(pieces == 1 for pieces in words.values())
        return words.total() >= LEAST and words.total() > PIECES * len(words) and 2 * whole < len(words)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text).ids[1:-1])


def is_of_other_letters(text: str) -> bool:
    """Whether half of the letters, or more, are not Latin: the encoder knows few of them."""
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(script_of(c) != "latin" for c in letters) >= len(letters) > 0


def is_vietnamese(text: str) -> bool:
    """Whether a fourth of the words, or more, have such letters: small letters with their marks."""
    words = text.split()
    return 4 * sum(VIETNAMESE.search(word) is not None for word in words) >= len(words) > 0


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

    from mezzotint.conditioning.minilm_numpy import arrays, int8

    reader = Tokenizer.from_str(tokenizer.decode())
    reader.no_padding()
    reader.no_truncation()
    return Meaning(int8(arrays(weights)[0]), reader, head, {f"{ENCODER}/{name}": d for name, d in PINNED.items()})


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
