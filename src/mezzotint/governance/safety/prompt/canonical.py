"""A text as it is meant to be read: compatibility forms undone, invisible characters and look-alikes taken away."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from mezzotint.governance.safety.prompt.scripts import LOOKALIKES, SUPPORTED, script_of

_BIDI = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
_WORD = re.compile(r"[^\W_]+")
_SPACE = re.compile(r"\s+")
_LINES = "\n\r\u2028\u2029"
_TAGS = range(0xE0020, 0xE007F)
_FORMAT = ("Cf", "Cc", "Co", "Cn", "Cs")
_CONTROL: dict[int, str | None] = {**dict.fromkeys((*range(32), 127)), 9: " ", 10: "\n", 13: "\n"}
"""What becomes of the control characters of ASCII."""


@dataclass(frozen=True)
class Canonical:
    """accented: letters with their marks, small, white space single, and a line break where it has one.  bare: without
    marks, look-alikes as Latin.  hidden: what was written in invisible tag characters.  anomalies: disguises seen, by
    name.  foreign: scripts that no lexicon covers.
    """

    accented: str
    bare: str
    hidden: str
    anomalies: tuple[str, ...]
    foreign: tuple[str, ...]


@lru_cache(maxsize=4096)
def _is_drawn_over(c: str) -> bool:
    """Marks that belong to no supported script: strokes, zalgo.  Thai and Tamil vowels are marks too and stay."""
    return unicodedata.category(c) in ("Mn", "Me") and script_of(c) not in ("thai", "tamil")


@lru_cache(maxsize=4096)
def _plain(c: str) -> str:
    """One small letter as Latin, where it looks like one."""
    base = "".join(b for b in unicodedata.normalize("NFD", c) if not _is_drawn_over(b))
    return "".join(LOOKALIKES.get(b, b) for b in base)


@lru_cache(maxsize=4096)
def _latin(c: str) -> str:
    """One small letter of another alphabet as the Latin one that it looks like; Latin letters keep their marks."""
    return c if script_of(c) == "latin" else LOOKALIKES.get(c, c)


def latin(accented: str) -> str:
    """A text as Latin where it looks so, with the marks of its language."""
    return accented if accented.isascii() else "".join(map(_latin, accented))


def canonical(text: str) -> Canonical:
    """Reads one text.  Idempotent: the accented form of an accented form is itself."""
    return of_ascii(text) if text.isascii() else of_any(text)


def of_ascii(text: str) -> Canonical:
    """The same as ``of_any`` of a text without marks, look-alikes and other scripts, twenty times as fast."""
    shown = text.translate(_CONTROL).lower()
    accented = _SPACE.sub(_once, shown.strip()) if "\n" in shown else " ".join(shown.split())
    return Canonical(accented, accented, "", (), ())


def of_any(text: str) -> Canonical:
    """Reads a text of any characters."""
    tags = [ord(c) - 0xE0000 for c in text if ord(c) in _TAGS]
    hidden = "".join(map(chr, tags))
    shown = _visible(text)
    accented = _SPACE.sub(_once, _stripped(shown).strip())
    bare = "".join(map(_plain, accented))
    foreign = tuple(sorted(_foreign(accented)))
    return Canonical(accented, bare, hidden, tuple(_anomalies(text, shown, bool(hidden))), foreign)


def _visible(text: str) -> str:
    """NFKC in small letters, without formatting characters; a joiner between letters leaves nothing."""
    # Before NFKC: a tag or a soft hyphen inside a word must not keep a letter from its mark.
    lined = "".join("\n" if c in _LINES else " " if c == "\t" else c for c in text)
    kept = "".join(c for c in lined if c == "\n" or unicodedata.category(c) not in _FORMAT)
    # Twice: the small form of a letter may be one that NFKC changes.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())


def _once(space: re.Match[str]) -> str:
    """White space as one sign; a break between lines is one between clauses too."""
    return "\n" if "\n" in space.group() else " "


def _stripped(shown: str) -> str:
    """Without the marks that did not compose with a letter."""
    return unicodedata.normalize("NFC", "".join(c for c in shown if not _is_drawn_over(c)))


def _foreign(text: str) -> set[str]:
    """Scripts of words that are in none that is supported.

    A word with Latin letters is a disguise, which ``bare`` undoes; one that looks wholly Latin too; a lone letter of
    another alphabet (an alpha acid, a micrometre) is a symbol.
    """
    found = set()
    for word in _WORD.findall(text):
        scripts = {script_of(c) for c in word} - {"common"}
        odd = scripts - set(SUPPORTED)
        if odd and len(word) > 1 and not ("latin" in scripts and odd <= {"greek", "cyrillic", "armenian", "cherokee"}):
            found |= odd
        elif odd and not odd <= {"greek"}:
            found |= odd - {"cyrillic", "armenian", "cherokee"}
    return found


def _anomalies(text: str, shown: str, hidden: bool) -> list[str]:
    found = ["tags"] if hidden else []
    if any(c in _BIDI for c in text):
        found.append("bidi")
    if _invisible(text):
        found.append("invisible")
    if any(_mixed(word) for word in _WORD.findall(shown)):
        found.append("mixed-script")
    if sum(map(_is_drawn_over, shown)) > 3:
        found.append("marks")
    return found


def _invisible(text: str) -> bool:
    """Format characters between two Latin letters: emoji and Indic scripts need them, Latin words do not."""
    return re.search(r"[A-Za-z][\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+[A-Za-z]", text) is not None


def _mixed(word: str) -> bool:
    scripts = {script_of(c) for c in word}
    return "latin" in scripts and bool(scripts & {"cyrillic", "greek", "armenian", "cherokee"})
