"""The 25 disguises of the evasion matrix: each a function of a word."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping

_LEET = str.maketrans("aeoist", "430157")
_SIGNS = str.maketrans("asi", "@$!")
_CYRILLIC = str.maketrans("aceiopsxyhk", "асеіорѕхуһк")
VOWELS = "aeiou"


def _between(text: str, sign: str) -> str:
    return sign.join(text)


def _first_vowel(word: str) -> str:
    at = next((k for k, c in enumerate(word) if c in VOWELS), 0)
    return word[:at] + "*" + word[at + 1 :]


def _swapped(word: str) -> str:
    """Two inner letters that differ change places."""
    at = next((k for k in range(1, len(word) - 2) if word[k] != word[k + 1]), None)
    return word if at is None else word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _bold(word: str) -> str:
    return "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in word)


EVASIONS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "leet": lambda w: w.translate(_LEET),
    "signs": lambda w: w.translate(_SIGNS),
    "homoglyph": lambda w: w.translate(_CYRILLIC),
    "fullwidth": lambda w: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in w),
    "math bold": _bold,
    "zero width": lambda w: _between(w, "\u200b"),
    "soft hyphen": lambda w: _between(w, "\u00ad"),
    "strike through": lambda w: "".join(c + "\u0336" for c in w),
    "spaced": lambda w: _between(w, " "),
    "dotted": lambda w: _between(w, "."),
    "underscored": lambda w: _between(w, "_"),
    "repeated": lambda w: "".join(c * 3 for c in w),
    "first vowel": _first_vowel,
    "swapped": _swapped,
    "reversed": lambda w: w[::-1],
    "right to left": lambda w: "\u202e" + w[::-1] + "\u202c",
    "base64": lambda w: base64.b64encode(w.encode()).decode(),
    "hexadecimal": lambda w: w.encode().hex(),
    "rot13": lambda w: codecs.encode(w, "rot13"),
    "percent": lambda w: "".join(f"%{b:02x}" for b in w.encode()),
    "entities": lambda w: "".join(f"&#{ord(c)};" for c in w),
    "tags": lambda w: "".join(chr(0xE0000 + ord(c)) for c in w),
    "embedded": lambda w: f"xx{w}yy",
}
OUT_OF_SCOPE = ("embedded",)
"""By the Scunthorpe rule."""
