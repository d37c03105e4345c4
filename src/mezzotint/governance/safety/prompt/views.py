"""What a text may be read as: one canonical view, and views that undo a disguise each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from mezzotint.governance.safety.prompt.canonical import Canonical, canonical
from mezzotint.governance.safety.prompt.decoders import decoded, rot13

WORD = re.compile(r"[^\W_]+")
_WEIGHTS = re.compile(r":\s*-?\d+(?:\.\d+)?(?=\s*[)\]>])|[()\[\]{}<>\\+^]|(?<=[)\]])\d*")
_INNER = re.compile(r"(?<=[^\W_])[._\-~'’`´/\\|,:;+=\"]+(?=[^\W_])")
_SPELT = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]+[^\W_](?![^\W_])){2,}")
_LEET = (
    str.maketrans("4@3€1!|05$7+896", "aaeeiiiosstt" + "bgg"),
    str.maketrans("4@3€1!|05$7+896", "aaeelllosstt" + "bgg"),
)
_LEET_TOKEN = re.compile(r"[\w@$!|€+]*[^\W\d_][\w@$!|€+]*|[\w@$!|€+]{3,}")
_LEET_SIGNS = re.compile(r"[0-9@$!|€+]")
_MASKED = re.compile(r"[^\W_]{0,24}[*#?•×%]+[\w*#?•×%]{0,24}")


@dataclass(frozen=True)
class View:
    """One reading.  kind: "plain", or the disguise that it undoes.  text: small, without look-alikes.  accented: the
    same with the marks of its language, "" where they are lost.
    """

    kind: str
    text: str
    accented: str = ""


@dataclass(frozen=True)
class Views:
    """All readings of a text.  masked: words with letters struck out, as they stand.  runs: what is spelt letter by
    letter.  canonical: of the text itself."""

    canonical: Canonical
    readings: tuple[View, ...]
    masked: tuple[str, ...]
    runs: tuple[str, ...]


def views(text: str) -> Views:
    """Readings of a text, each once; the plain one first."""
    first = canonical(text)
    found: dict[str, View] = {}
    for view in (View("plain", first.bare, first.accented), *_of(text, first)):
        found.setdefault(view.text, view)
    masked = tuple(m for m in _MASKED.findall(first.bare) if len(m) > 2 and any(c.isalpha() for c in m))
    return Views(first, tuple(found.values()), masked, _runs(first.bare))


def _of(text: str, first: Canonical) -> Iterator[View]:
    yield from _spelt(first.bare)
    if first.hidden:
        yield View("encoded", canonical(first.hidden).bare)
        yield View("encoded", canonical(text).bare + " " + canonical(first.hidden).bare)
    yield View("reversed", first.bare[::-1])
    yield View("rot13", rot13(first.bare))
    for more in decoded(text):
        inner = canonical(more)
        yield View("encoded", inner.bare, inner.accented)
        yield from _spelt(inner.bare)


def _spelt(bare: str) -> Iterator[View]:
    """Without weights, inner signs, spaces between single letters, digits for letters: each alone, and all at once."""
    light = _WEIGHTS.sub("", bare)
    inner = _INNER.sub("", light)
    spelt = _SPELT.sub(_together, inner)
    yield View("plain", light)
    for text in (inner, spelt, _SPELT.sub(_together, bare)):
        yield View("joined", text)
    for table, base in product(_LEET, (bare, spelt)):
        if _LEET_SIGNS.search(base):
            yield View("leet", _unleet(base, table))


def _together(match: re.Match[str]) -> str:
    return re.sub(r"[\W_]+", "", match.group())


def _unleet(text: str, table: dict[int, int]) -> str:
    """Signs as letters, in words that have letters too, or signs."""
    return _LEET_TOKEN.sub(lambda m: m.group().translate(table), text)


def _runs(bare: str) -> tuple[str, ...]:
    """What is spelt out letter by letter, words run together."""
    return tuple(_together(m) for m in _SPELT.finditer(bare))
