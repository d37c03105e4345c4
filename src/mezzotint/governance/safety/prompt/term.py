"""One word or phrase of a list, and the forms by which it is known under a disguise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """One word or phrase.

    tokens: as read, without look-alikes and marks, or with marks where ``accented``.   stem: whether the last one may
    go on.  dense: of a script without spaces.  allow: phrases, in tokens, in which it means no harm.
    """

    text: str
    tokens: Tokens
    category: str
    severity: str
    language: str
    stem: bool = False
    dense: bool = False
    accented: bool = False
    allow: tuple[Tokens, ...] = ()

    @property
    def loud(self) -> bool:
        """Whether it is looked for under disguises that cost likeness: strong, or a mark of minors."""
        return self.severity == "strong" or self.category == "minor"

    def begins(self, words: Sequence[str], at: int) -> bool:
        """Whether it stands at a place."""
        last = at + len(self.tokens) - 1
        if last >= len(words) or any(words[at + k] != t for k, t in enumerate(self.tokens[:-1])):
            return False
        return words[last].startswith(self.tokens[-1]) if self.stem else words[last] == self.tokens[-1]

    def phrases_over(self, words: Sequence[str], at: int) -> Iterator[tuple[int, Tokens]]:
        """Its harmless phrases that lie over a place, and where they begin; a phrase's word may be longer, as plurals
        are."""
        for phrase in self.allow:
            for k in range(len(phrase) - len(self.tokens) + 1):
                if phrase[k].startswith(self.tokens[0]) and _over(phrase, words, at - k):
                    yield at - k, phrase


def _over(phrase: Tokens, words: Sequence[str], start: int) -> bool:
    if start < 0 or start + len(phrase) > len(words):
        return False
    return all(words[start + k] in (p, p + "s", p + "es") for k, p in enumerate(phrase))


def collapse(word: str) -> str:
    """Every run of a letter once."""
    return re.sub(r"(.)\1+", r"\1", word)


@lru_cache(maxsize=4096)
def shuffle(word: str) -> str:
    """The same for every order of the inner letters."""
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


def words_of(text: str) -> frozenset[str]:
    """The words of a list that is written as a text."""
    return frozenset(text.split())
