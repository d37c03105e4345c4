"""What a text may hold in code: entities, escapes, percent signs, base64, hexadecimal, rot13."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

DEPTH = 2
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x|\b)?[0-9a-fA-F]{2}[\s,;:]?){3,}")
_HEX_WORD = re.compile(r"\b(?:[0-9a-fA-F]{2}){3,}\b")
_ESCAPE = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})|[uU]\+([0-9a-fA-F]{4,6})[ ]?")
_SIGNS = r"\u0b80-\u0bff\u0e00-\u0e7f"
r"""Letters of Tamil and Thai, whose vowel signs are no ``\w``."""
_READABLE = re.compile(rf"[^\W\d_][\w\s{_SIGNS}.,'’!?()-]*")

_AGAIN = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
"""What was in base64 more than once."""


def decoded(text: str, depth: int = DEPTH) -> Iterator[str]:
    """Every other reading of a text, each a text and once; readings of readings down to a depth."""
    known, level = {text, ""}, [text]
    for _ in range(depth):
        found = dict.fromkeys(more for one in level for more in (*_whole(one), *_parts(one)))
        level = [one for one in found if one not in known]
        known.update(level)
        yield from level


def _whole(text: str) -> Iterator[str]:
    """Codes that leave other characters as they are."""
    if "&" in text:
        yield html.unescape(text)
    if "%" in text:
        yield unquote(text)
    if "\\" in text or "+" in text:
        yield _ESCAPE.sub(_point, text)


def _point(match: re.Match[str]) -> str:
    point = int(next(group for group in match.groups() if group), 16)
    return chr(point) if point < 0xD800 or 0xE000 <= point < 0x110000 else ""


def _parts(text: str) -> Iterator[str]:
    """Runs that are code as a whole and read as words."""
    for run in _BASE64.findall(text):
        yield _bytes(run, _from_base64)
    for run in (*_HEX.findall(text), *_HEX_WORD.findall(text)):
        yield _bytes(re.sub(r"0x|\\x|[\s,;:]", "", run), bytes.fromhex)


def _from_base64(run: str) -> bytes:
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _bytes(run: str, read: object) -> str:
    """What the bytes say, "" where that is no readable text."""
    assert callable(read)
    try:
        said: str = read(run).decode("utf-8")
    except (ValueError, binascii.Error):
        return ""
    enough = 3 if said.isascii() else 1  # one or two letters of other scripts are words, and no bytes by chance
    return said if len(said) >= enough and (_READABLE.fullmatch(said) or _AGAIN.fullmatch(said)) else ""


def rot13(text: str) -> str:
    """Latin letters 13 places on."""
    return codecs.encode(text, "rot13")
