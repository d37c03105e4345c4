"""What a text may be read as: one canonical view, and views that undo a disguise each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from mezzotint.governance.safety.prompt.canonical import Canonical, canonical, latin
from mezzotint.governance.safety.prompt.decoders import decoded, rot13
from mezzotint.governance.safety.prompt.phrases import STRUCK, is_struck
from mezzotint.governance.safety.prompt.said import WORD as WORD

_WEIGHTS = re.compile(r":\s*-?\d+(?:\.\d+)?(?=\s*[)\]>])|[()\[\]{}<>\\+^]|(?<=[)\]])\d*")
_INNER = re.compile(r"(?<=[^\W_])[._\-~'’`´/\\|,:;+=\"]+(?=[^\W_])")
_SPELT = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]+[^\W_](?![^\W_])){2,}")
_LEET = (
    str.maketrans("4@3€1!|05$7+896", "aaeeiiiosstt" + "bgg"),
    str.maketrans("4@3€1!|05$7+896", "aaeelllosstt" + "bgg"),
)
_LEET_TOKEN = re.compile(r"[\w@$!|€+]*[^\W\d_][\w@$!|€+]*|[\w@$!|€+]{3,}")
_LEET_SIGNS = re.compile(r"[0-9@$!|€+]")
_MASKED = re.compile(rf"[^\W_]{{0,24}}[{STRUCK}]+[\w{STRUCK}]{{0,24}}")
_WITH_SIGNS = re.compile(rf"[\w{STRUCK}]+")
_LETTER = re.compile(r"[^\W_]")


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
    """All readings of a text.  masked: words with letters struck out, as they stand.  struck: all words of a text that
    has such, with the signs in them, without marks and with.  runs: what is spelt letter by letter, the same.
    canonical: of the text itself."""

    canonical: Canonical
    readings: tuple[View, ...]
    masked: tuple[str, ...]
    struck: tuple[tuple[str, ...], ...]
    runs: tuple[str, ...]


def views(text: str) -> Views:
    """Readings of a text, each once; the plain one first."""
    first = canonical(text)
    found: dict[tuple[str, str], View] = {}
    for view in (_view("plain", first.bare, first.accented), *_of(text, first)):
        found.setdefault((view.text, view.accented), view)
    said = [first.bare] if first.bare.isascii() and first.accented.isascii() else [first.bare, latin(first.accented)]
    masked = tuple(m for one in said for m in _MASKED.findall(one) if len(m) > 2 and any(c.isalpha() for c in m))
    return Views(first, tuple(found.values()), masked, _struck(said), tuple(run for one in said for run in _runs(one)))


def _view(kind: str, text: str, accented: str) -> View:
    """With the marks only where they are others."""
    return View(kind, text, "" if accented == text else accented)


def _of(text: str, first: Canonical) -> Iterator[View]:
    yield from _spelt(first)
    if first.hidden:
        yield View("encoded", canonical(first.hidden).bare)
        yield View("encoded", canonical(text).bare + " " + canonical(first.hidden).bare)
    yield View("reversed", first.bare[::-1])
    if not first.accented.isascii():
        back = canonical(text[::-1])  # turned as it stands: marks that compose with a letter stay with it
        yield _view("reversed", back.bare, latin(back.accented))
    yield _view("rot13", rot13(first.bare), rot13(first.accented))
    for more in decoded(text):
        inner = canonical(more)
        yield _view("encoded", inner.bare, inner.accented)
        yield from _spelt(inner)


def _spelt(said: Canonical) -> Iterator[View]:
    """Without weights, inner signs, spaces between single letters, digits for letters: each alone, and all at once."""
    bare, marked = said.bare, latin(said.accented)
    if marked == bare:
        yield from (View(kind, text) for kind, text in _undone(bare))
    else:
        both = zip(_undone(bare), _undone(marked), strict=False)
        yield from (_view(kind, text, accented) for (kind, text), (_, accented) in both)


def _undone(bare: str) -> Iterator[tuple[str, str]]:
    """Kinds and texts, as many of one text as of the same with marks."""
    light = _WEIGHTS.sub("", bare)
    inner = _INNER.sub("", light)
    spelt = _SPELT.sub(_together, inner)
    yield "plain", light
    for text in (inner, spelt, _SPELT.sub(_together, bare)):
        yield "joined", text
    for table, base in product(_LEET, (bare, spelt)):
        if _LEET_SIGNS.search(base):
            yield "leet", _unleet(base, table)


def _together(match: re.Match[str]) -> str:
    return re.sub(r"[\W_]+", "", match.group())


def _unleet(text: str, table: dict[int, int]) -> str:
    """Signs as letters, in words that have letters too, or signs."""
    return _LEET_TOKEN.sub(lambda m: m.group().translate(table), text)


def _struck(said: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The words of texts in which letters are struck out."""
    found = ((word for word in _WITH_SIGNS.findall(one) if _LETTER.search(word)) for one in said)
    split = (tuple(word.strip("#%?") if len(word) > 3 else word for word in some) for some in found)
    return tuple(words for words in split if any(map(is_struck, words)))


def _runs(bare: str) -> tuple[str, ...]:
    """What is spelt out letter by letter, words run together."""
    return tuple(_together(m) for m in _SPELT.finditer(bare))
