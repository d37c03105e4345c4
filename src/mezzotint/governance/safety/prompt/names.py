"""Lists of names: public figures, living artists, other people's marks and characters, hashed at rest.

A list is a JSON file ``{"schema", "category", "salt", "hashes"}``: SHA-256 of the salt and a name's words as views have
them.  The hash keeps a list from being read at a glance; who can guess a name can test it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.licence.reading import choice, digest, fields, said, several, text
from mezzotint.governance.safety.prompt.lexicon import Tokens, letters, tokens_of
from mezzotint.governance.safety.prompt.words import LISTS

SCHEMA = "mezzotint/names/1"
MAX_BYTES = 1 << 24
LONGEST = 6
"""Words of a name at most."""

_CHECKS = {
    "schema": choice(SCHEMA), "category": choice(*LISTS), "salt": said, "source": text, "hashes": several(digest),
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """One list.  hashes: as hexadecimal digits.  sha256: of its file."""

    category: str
    salt: str
    hashes: frozenset[str]
    sha256: str

    def holds(self, words: Sequence[str]) -> bool:
        """Whether a name of the list stands in these words; a possessive s is passed over."""
        plain = [word for word in words if word != "s"]
        return any(hashed(self.salt, run) in self.hashes for run in _runs(plain))


def hashed(salt: str, words: Sequence[str]) -> str:
    """Of a name's words."""
    return hashlib.sha256(f"{salt}\n{' '.join(words)}".encode()).hexdigest()


def _runs(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Every run of words that may be a name; scripts without spaces by letters, up to twice as many."""
    for at, word in enumerate(words):
        for size in range(1, min(LONGEST, len(words) - at) + 1):
            yield words[at : at + size]
        if not word.isascii():
            for start in range(len(word)):
                for end in range(start + 2, min(len(word), start + 2 * LONGEST) + 1):
                    yield (word[start:end],)


def read_names(path: Path) -> Names:
    """A list.  Raises InputError for one that is missing or damaged."""
    data = read_bytes(path, MAX_BYTES)
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no list of names ({error}); make it with mezzotint check --hash-names") from error
    table = fields(value, _CHECKS, ("schema", "category", "salt", "hashes"), str(path))
    return Names(table["category"], table["salt"], frozenset(table["hashes"]), sha256(data))


def made(names: Iterable[str], category: str, source: str = "") -> dict[str, Any]:
    """A list of names, one each, "#" begins a comment.  Raises InputError for an empty one, or a name too long."""
    salt, found = secrets.token_hex(16), set[str]()
    for name in names:
        words = _words(name)
        if len(words) > LONGEST:
            raise InputError(f"{name!r} has {len(words)} words; a name has at most {LONGEST}")
        found |= {hashed(salt, words)} if words else set()
    if not found:
        raise InputError("no name is given; expected one a line")
    return {"schema": SCHEMA, "category": category, "salt": salt, "source": source, "hashes": sorted(found)}


def _words(name: str) -> Tokens:
    said = tokens_of(name.partition("#")[0])
    return tuple(letters(word) for word in said if word != "s")
