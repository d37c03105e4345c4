"""Limits on texts, before anything reads them: their bytes, alone and together, their characters, their words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_BYTES = 8192
MAX_TOGETHER = 65536
"""Bytes of all texts of one request: the worst of 8 KiB takes two seconds and a half, and so no request a minute."""
MAX_WORDS = 1200
_SPACES = "\t\n\r"


def fault(text: str) -> str | None:
    """The rule that a text breaks, None where it breaks none.

    bytes: more than 8 KiB of UTF-8.  encoding: lone surrogates or noncharacters, as invalid UTF-8 gives.  control:
    control characters other than white space.  words: more than 1200.
    """
    if len(text) > MAX_BYTES:
        return "bytes"
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return "encoding"
    if size > MAX_BYTES:
        return "bytes"
    if any(_nonsense(c) for c in text):
        return "encoding"
    if any(unicodedata.category(c) == "Cc" and c not in _SPACES for c in text):
        return "control"
    return "words" if len(text.split()) > MAX_WORDS else None


def fault_together(texts: Iterable[str]) -> str | None:
    """The rule that texts of one request break, each of which breaks none.

    together: more than 64 KiB of UTF-8.
    """
    return "together" if sum(len(text.encode("utf-8")) for text in texts) > MAX_TOGETHER else None


def _nonsense(c: str) -> bool:
    """Noncharacters: the last two of every plane, and U+FDD0 ... U+FDEF.  (Unicode 15, sec. 23.7)"""
    return ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF
