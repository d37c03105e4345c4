"""Licence texts, so spelled that two copies of one text agree: a hash of that is known, or it is not."""

from __future__ import annotations

import re
import unicodedata

from mezzotint.files import sha256

_QUOTES = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "\ufeff": " "})
_WORDS = re.compile(r"\s+")
_OWNED = re.compile(
    r"\s*(?P<marks>(?:(?:copyright\b|\(c\)|©)[\s:,]*)+)"
    r"(?P<years>(?:[\[<{]?(?:(?:19|20)\d\d|yyyy|year|present)\b[\]>}]?[\s,/-]*)*)"
    r"(?:by\s+)?(?P<holder>.{0,120}?)[\s,.]*(?:all rights reserved[\s.]{0,9})?",
    re.IGNORECASE,
)
"""A line that says whose a text is: marks, years, a holder, that all rights are reserved."""

_ADDRESS = re.compile(r"[<(]\S+(?:@|://)\S+[>)]")
_WORD = re.compile(r"[^\W_]+(?:['.-][^\W_]+)*\.?")
_SHORT = ("inc.", "ltd.", "co.", "corp.", "llc.", "s.a.s.", "b.v.")
"""With a full stop that ends no sentence; so do initials."""

_SMALL = frozenset((
    "a", "al", "an", "and", "affiliates", "author", "authors", "by", "contributor", "contributors", "copyright",
    "de", "del", "den", "der", "developers", "di", "du", "et", "fullname", "holder", "holders", "its", "la",
    "le", "name", "of", "or", "organization", "original", "other", "others", "owner", "owners", "project",
    "team", "the", "van", "von",
))  # fmt: skip
"""Words of a holder's name, or of a place for one, that begin with no capital."""

_CLAUSE = frozenset((
    "any", "are", "but", "commercial", "commercially", "except", "for", "forbidden", "including", "is",
    "licence", "licensed", "license", "must", "no", "non", "noncommercial", "not", "only", "permission",
    "permitted", "prohibited", "purpose", "purposes", "restricted", "shall", "subject", "terms", "that", "this",
    "to", "under", "unless", "usage", "use", "used", "uses", "with", "without",
))  # fmt: skip
"""Words of a clause, in capitals too: no name of a holder has one."""

_MOST = 8
"""Words of a holder's name: "Robin Rombach and Patrick Esser and contributors" are seven."""


def normalised(text: str) -> str:
    """Small letters, plain quotes, single spaces, without lines that say no more than whose the text is."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    kept = [line for line in plain.splitlines() if not _is_owner(line)]
    return _WORDS.sub(" ", " ".join(kept)).strip().casefold()


def _is_owner(line: str) -> bool:
    """Whether a line names an owner alone.  One that may be a clause is kept: a text too many is unknown, a clause too
    few would be allowed."""
    found = _OWNED.fullmatch(line)
    if found is None:
        return False
    years, holder = bool(found["years"]), _ADDRESS.sub("", found["holder"])
    # "(c)" without more numbers an item of a list.
    marked = years or re.search("copyright|©", found["marks"], re.IGNORECASE) is not None
    return marked and _is_name(holder, years)


def _is_name(holder: str, dated: bool) -> bool:
    """Whether these words are one short name; after years also one word in small letters, or none."""
    words = _WORD.findall(holder)
    if len(words) > _MOST or re.search(r"[;!?*=|]", holder) or any(map(_ends, words[:-1])):
        return False
    if any(part in _CLAUSE for word in words for part in re.findall(r"[^\W_]+", word.casefold())):
        return False
    if dated and len(words) < 2:
        return holder.isascii()
    named = any(word.casefold() not in _SMALL for word in words)  # "copyright holders" alone go on in the next line
    return (dated or named) and all(word[0].isupper() or word[0].isdigit() or word in _SMALL for word in words)


def _ends(word: str) -> bool:
    """Whether a sentence ends here."""
    return word.endswith(".") and len(word) > 2 and word.casefold() not in _SHORT


def text_hash(text: str) -> str:
    """SHA-256 of the normalised text.  One changed word makes another."""
    return sha256(normalised(text).encode())
