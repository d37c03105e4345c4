"""Two words run together, one of a minor or of somebody young and one of plain harm: "nakedchild"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mezzotint.governance.safety.prompt.lexicon import Lexicon
from mezzotint.governance.safety.prompt.term import Term

SHORTEST, LONGEST = 7, 32
"""Letters of both together; longer words are read as sentences without spaces."""

LEAST = 3
"""Letters of each."""

_YOUNG = frozenset(("minor", "young"))
_HARM = frozenset(("sexual", "nudity", "undress"))
_NAMES = frozenset(("son", "sons"))
"""Ends of family names: "Dickson"."""


def paired(words: Iterable[str], lexicon: Lexicon) -> Iterator[Term]:
    """The two terms of each such word."""
    for word in words:
        if SHORTEST <= len(word) <= LONGEST:
            for at in range(LEAST, len(word) - LEAST + 1):
                yield from _pair(word[:at], word[at:], lexicon)


def _pair(left: str, right: str, lexicon: Lexicon) -> Iterator[Term]:
    before, after = (tuple(_single(part, lexicon)) for part in (left, right))
    for young, harm in ((before, after), (after, before)):
        people, deeds = [t for t in young if t.category in _YOUNG], [t for t in harm if _is_harm(t)]
        if people and deeds:
            yield from (*people, *deeds)


def _single(part: str, lexicon: Lexicon) -> Iterator[Term]:
    """Words of their own, whole or with an end of theirs."""
    if part not in _NAMES:
        yield from (term for term in lexicon.beginning(part) if len(term.tokens) == 1)


def _is_harm(term: Term) -> bool:
    return term.category in _HARM and term.severity == "strong"
