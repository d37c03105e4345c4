"""Licence texts, so spelled that two copies of one text agree: a hash of that is known, or it is not."""

from __future__ import annotations

import re
import unicodedata

from mezzotint.files import sha256

_QUOTES = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "\ufeff": " "})
_WORDS = re.compile(r"\s+")
_OWNER = re.compile(r"\s*(?:copyright\b|\(c\)\s|©).*", re.IGNORECASE)


def normalised(text: str) -> str:
    """Small letters, plain quotes, single spaces, without lines that begin with a copyright."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    kept = [line for line in plain.splitlines() if not _OWNER.fullmatch(line)]
    return _WORDS.sub(" ", " ".join(kept)).strip().casefold()


def text_hash(text: str) -> str:
    """SHA-256 of the normalised text.  One changed word makes another."""
    return sha256(normalised(text).encode())
