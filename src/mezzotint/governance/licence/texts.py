"""Licence texts, so spelled that two copies of one text agree: a hash of that is known, or it is not."""

from __future__ import annotations

import re
import unicodedata

from mezzotint.files import sha256

_QUOTES = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "\ufeff": " "})
_WORDS = re.compile(r"\s+")
# Possessive (*+): what separates is never tried in parts, so that a line of nothing else takes no time.
_YEARS = r"(?:[\[<{]?(?:(?:19|20)\d\d|20\dx|yyyy|year|(?:to\s+)?present)\b[\]>}]?[\s,/-]*+)*+"
_OWNED = re.compile(
    r"\s*(?P<marks>(?:(?:copyright\b|\(c\)|©)[\s:,]*+)+)"
    rf"(?P<years>{_YEARS})(?:by\s+)?(?P<holder>.{{0,120}}?)[\s,.]*+(?P<later>{_YEARS})[\s,.]*+"
    r"(?:all rights reserved[\s.]{0,9})?",
    re.IGNORECASE,
)
"""A line that says whose a text is: marks, years, a holder, years, that all rights are reserved."""

_ADDRESS = re.compile(r"[<(]\S+(?:@|://)\S+[>)]")
_WORD = re.compile(r"[^\W_]+(?:['.-][^\W_]+)*\.?")
_SHORT = ("inc.", "ltd.", "co.", "corp.", "llc.", "s.a.s.", "b.v.", "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "jr.")
"""With a full stop that ends no sentence; so do initials."""

_SMALL = frozenset((
    "a", "al", "an", "and", "affiliates", "author", "authors", "by", "contributor", "contributors", "copyright",
    "de", "del", "den", "der", "developers", "di", "du", "et", "fullname", "holder", "holders", "individual", "its",
    "la", "le", "name", "of", "or", "organization", "original", "other", "others", "owner", "owners", "project",
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

_LOW = frozenset((
    "academic", "academics", "allowed", "beta", "charge", "confidential", "copies", "copy", "demo", "derivatives",
    "distribute", "distribution", "education", "educational", "evaluate", "evaluation", "forschung", "free", "interdit",
    "internal", "internally", "kein", "keine", "nicht", "nonprofit", "nur", "pas", "personal", "privat", "private",
    "privately", "proprietary", "recherche", "redistribution", "resale", "research", "sale", "sales", "sans", "sell",
    "selling", "sin", "sold", "solo", "students", "study", "teaching", "test", "testing", "tidak", "training", "trial",
    "untuk", "uso", "version",
))  # fmt: skip
"""Further words of a clause; in capitals they are names ("Microsoft Research")."""

_GROUP = frozenset(("authors", "contributors", "developers", "maintainers", "project", "team"))
"""Who is behind a project, whose name may be of any small letters."""

_HAN = re.compile(r"[\u4e00-\u9fff]{2,4}")
_HAN_CLAUSE = frozenset("仅僅供内內准勿只商教习習限禁不非用的目版究評评須须密测測试試演免")
"""Letters of a clause in Chinese or Japanese: such a clause has no spaces, and may be as short as a name."""

_FIRM = frozenset(("ag", "corp", "gmbh", "inc", "ltd", "llc"))
_MAY_NAME = frozenset(("commercial", "use"))
"""Words of a clause by which a firm may be called."""

_MOST, _FEW = 8, 3
"""Words of a holder's name: "Robin Rombach and Patrick Esser and contributors" are seven; of one in small letters."""


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
    holder = _ADDRESS.sub("", found["holder"])
    # "(c)" without more numbers an item of a list.
    marked = found["years"] or found["later"] or re.search("copyright|©", found["marks"], re.IGNORECASE)
    return bool(marked) and _is_name(holder, bool(found["years"]))


def _is_name(holder: str, dated: bool) -> bool:
    """Whether these words are one short name; after years also one in small letters, or none."""
    words = _WORD.findall(holder)
    if len(words) > _MOST or re.search(r"[;!?*=|]", holder) or any(map(_ends, words[:-1])) or _is_clause(words):
        return False
    if all(_begins_large(word) or word in _SMALL for word in words):
        return dated or any(word.casefold() not in _SMALL for word in words)  # such words alone go on in the next line
    # A small letter behind a comma begins a clause more often than a name.
    return dated and re.search(r"[,:]\s*[a-z]", holder) is None and (len(words) <= _FEW or words[-1] in _GROUP)


def _begins_large(word: str) -> bool:
    """Whether a word begins as names do; of letters without capitals, whether it is a short name in Han."""
    return word[0].isupper() or word[0].isdigit() or _HAN.fullmatch(word) is not None


def _is_clause(words: list[str]) -> bool:
    """Whether one of these words limits what may be done."""
    if any(word.split("-")[0] in _LOW or not _HAN_CLAUSE.isdisjoint(word) or _is_unread(word) for word in words):
        return True
    found = [part for word in words for part in re.findall(r"[^\W_]+", word.casefold()) if part in _CLAUSE]
    # "Use Case GmbH"
    firm = len(words) <= _FEW and _FIRM.issuperset(map(str.casefold, words[-1:])) and all(map(_begins_large, words))
    return bool(found) and not (firm and len(found) == 1 and found[0] in _MAY_NAME)


def _is_unread(word: str) -> bool:
    """Whether a word has letters without capitals and is no short name in Han: it may say anything."""
    return _HAN.fullmatch(word) is None and any(one.isalpha() and one.lower() == one.upper() for one in word)


def _ends(word: str) -> bool:
    """Whether a sentence ends here."""
    return word.endswith(".") and len(word) > 2 and word.casefold() not in _SHORT


def text_hash(text: str) -> str:
    """SHA-256 of the normalised text.  One changed word makes another."""
    return sha256(normalised(text).encode())
