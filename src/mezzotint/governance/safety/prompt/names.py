"""Lists of names: public figures, living artists, other people's marks and characters, hashed at rest.

A list is a JSON file ``{"schema", "category", "salt", "lengths", "hashes"}``: SHA-256 of the salt and a name's units,
and how many units names have.  A unit is a word of Latin letters as views have it, or one letter of another script: in
Thai or Chinese a name stands in running text without spaces, and of Thai the vowel marks are no letters.  The hash
keeps a list from being read at a glance; who can guess a name can test it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError
from mezzotint.files import read_bytes, sha256
from mezzotint.governance.licence.reading import choice, digest, fields, said, several, text, whole
from mezzotint.governance.safety.prompt.lexicon import tokens_of
from mezzotint.governance.safety.prompt.scripts import script_of
from mezzotint.governance.safety.prompt.words import LISTS

SCHEMA = "mezzotint/names/1"
MAX_BYTES = 1 << 24
LONGEST = 6
"""Words of a name at most."""

FEWEST = 3
"""Letters of a name at least where its vowel marks are none; with fewer it would be found in nearly any text."""

_CHECKS = {
    "schema": choice(SCHEMA), "category": choice(*LISTS), "salt": said, "source": text, "hashes": several(digest),
    "lengths": several(whole),
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """One list.  hashes: as hexadecimal digits.  lengths: of its names in units; None of a list that was made before
    there was that word, which hashes words.  sha256: of its file."""

    category: str
    salt: str
    hashes: frozenset[str]
    sha256: str
    lengths: tuple[int, ...] | None = None

    def holds(self, words: Sequence[str]) -> bool:
        """Whether a name of the list stands in these words; a possessive s is passed over."""
        plain = [word for word in words if word != "s"]
        runs = _old_runs(plain) if self.lengths is None else _runs(_units(plain), self.lengths)
        return any(hashed(self.salt, run) in self.hashes for run in runs)


def hashed(salt: str, units: Sequence[str]) -> str:
    """Of a name's units."""
    return hashlib.sha256(f"{salt}\n{' '.join(units)}".encode()).hexdigest()


def _units(words: Iterable[str]) -> list[str]:
    """Latin letters together, so that no name is found inside a longer word of theirs; others one by one."""
    parts = [(latin, "".join(run)) for word in words for latin, run in groupby(word, _is_latin)]
    return [unit for latin, run in parts for unit in ([run] if latin else run)]


def _is_latin(c: str) -> bool:
    return script_of(c) in ("latin", "common")


def _runs(units: Sequence[str], lengths: Iterable[int]) -> Iterator[Sequence[str]]:
    """Every run of units that is as long as a name."""
    for size in lengths:
        for at in range(len(units) - size + 1):
            yield units[at : at + size]


def _old_runs(words: Sequence[str]) -> Iterator[Sequence[str]]:
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
    lengths = None if "lengths" not in table else tuple(table["lengths"])
    return Names(table["category"], table["salt"], frozenset(table["hashes"]), sha256(data), lengths)


def made(names: Iterable[str], category: str, source: str = "") -> dict[str, Any]:
    """A list of names, one each, "#" begins a comment.  Raises InputError for an empty one, or a name too long or too
    short."""
    found = [units for name in names if (units := _read(name.partition("#")[0].strip()))]
    if not found:
        raise InputError("no name is given; expected one a line")
    salt = secrets.token_hex(16)
    return {
        "schema": SCHEMA, "category": category, "salt": salt, "source": source,
        "lengths": sorted({len(units) for units in found}), "hashes": sorted({hashed(salt, units) for units in found}),
    }  # fmt: skip


def _read(name: str) -> list[str]:
    """A name's units.  Raises InputError."""
    if len(name.split()) > LONGEST:
        raise InputError(f"{name!r} has {len(name.split())} words; a name has at most {LONGEST}")
    units = _units(word for word in tokens_of(name) if word != "s")
    if units and len(units) < _fewest(name, units):
        raise InputError(
            f"{name!r} has too few letters ({len(units)}, vowel marks not counted) and would be found in nearly any"
            f" text; expected at least {_fewest(name, units)}, write the name in full"
        )
    return units


def _fewest(name: str, units: Sequence[str]) -> int:
    """How many units a name needs: by letters two, and more in a script whose vowels are marks, which are lost."""
    if any(_is_latin(unit[0]) for unit in units):
        return 1
    return FEWEST if any(unicodedata.category(c).startswith("M") for c in unicodedata.normalize("NFC", name)) else 2
