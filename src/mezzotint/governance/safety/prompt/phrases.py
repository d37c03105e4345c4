"""Phrases of several words under disguises that words of their own do not show: spaces that are gone, moved or put
between all letters, letters drawn out, swapped or struck out.

Only strong ones and marks of minors are looked for, and only where what is left is long enough to be nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from mezzotint.governance.safety.prompt.said import Said
from mezzotint.governance.safety.prompt.term import Term, Tokens, collapse, shuffle
from mezzotint.governance.safety.prompt.well import is_meant

FEWEST = 6
"""Letters of a phrase whose spaces do not count; with letters that have marks, which few languages share, two fewer."""

WITHIN = 8
"""Letters of one that is looked for inside a word; shorter ones lie in longer words by chance."""

LONG = 16
"""Letters of a word that may be a sentence without its spaces."""

BEGIN = 3
"""Letters that phrases are found by."""

STRUCK = "*#?•×%"
TRIPLE = re.compile(r"(.)\1\1")


@dataclass(frozen=True)
class Phrases:
    """terms: of several words each.   minors: words that a minor is named by, in one of which many run together."""

    terms: tuple[Term, ...]
    minors: tuple[str, ...] = ()

    @cached_property
    def by_letters(self) -> dict[str, list[tuple[str, Term]]]:
        """The letters of each that has enough, by the first of them."""
        found: dict[str, list[tuple[str, Term]]] = {}
        for term in self.terms:
            letters = "".join(term.tokens)
            if len(letters) >= FEWEST - 2 * term.accented:
                found.setdefault(letters[:BEGIN], []).append((letters, term))
        return found

    @cached_property
    def by_collapsed(self) -> dict[str, list[tuple[Tokens, Term]]]:
        """Each with every run of a letter once, by its first word."""
        return _by_first([(tuple(map(collapse, term.tokens)), term) for term in self.terms])

    @cached_property
    def by_shuffled(self) -> dict[str, list[tuple[Tokens, Term]]]:
        """Each with its words' letters in order, by its first word."""
        return _by_first([(tuple(map(_ordered, term.tokens)), term) for term in self.terms])

    @cached_property
    def by_letter(self) -> dict[tuple[int, int, str], list[tuple[int, Term]]]:
        """Each with the place of each of its words, by that word's length and each of its letters where it stands."""
        found: dict[tuple[int, int, str], list[tuple[int, Term]]] = {}
        for term in self.terms:
            for at, token in enumerate(term.tokens):
                for k, letter in enumerate(token):
                    found.setdefault((len(token), k, letter), []).append((at, term))
        return found

    def respaced(self, said: Said) -> Iterator[Term]:
        """Phrases whose spaces are gone or elsewhere, from the beginning of a word to the end of one."""
        text, ends = "".join(said.words), list(accumulate(map(len, said.words)))
        for first, word in enumerate(said.words):
            begin = ends[first] - len(word)
            for letters, term in self.by_letters.get(text[begin : begin + BEGIN], ()):
                end = begin + len(letters)
                last = bisect_left(ends, end)
                if text.startswith(letters, begin) and (term.stem or ends[last] == end):
                    yield from _meant(term, said, first, last + 1)

    def inside(self, said: Said) -> Iterator[Term]:
        """Phrases in the middle of a word so long that it may be a sentence."""
        for word in said.words:
            for begin in range(len(word) if len(word) >= LONG else 0):
                for letters, term in self.by_letters.get(word[begin : begin + BEGIN], ()):
                    stands = len(letters) >= WITHIN and word.startswith(letters, begin)
                    if stands and not self._is_well(term, word, begin):
                        yield term

    def _is_well(self, term: Term, word: str, begin: int) -> bool:
        """Whether a phrase that is well lies over one within a word that names no minor."""
        over = any(
            word.startswith("".join(phrase), begin - len("".join(phrase[:k])))
            for phrase in term.allow
            for k in range(len(phrase) - len(term.tokens) + 1)
            if phrase[k] == term.tokens[0] and len("".join(phrase[:k])) <= begin
        )
        return over and not any(minor in word for minor in self.minors)

    def stretched(self, said: Said) -> Iterator[Term]:
        """Phrases with a letter three times and more."""
        drawn = [TRIPLE.search(word) is not None for word in said.words]
        if any(drawn):
            for first, last, term in _standing(self.by_collapsed, [collapse(word) for word in said.words]):
                if any(drawn[first:last]):
                    yield from _meant(term, said, first, last)

    def swapped(self, said: Said) -> Iterator[Term]:
        """Phrases in whose words letters changed places."""
        for first, last, term in _standing(self.by_shuffled, [_ordered(word) for word in said.words]):
            if tuple(said.words[first:last]) != term.tokens:
                yield from _meant(term, said, first, last)

    def struck(self, words: Sequence[str]) -> Iterator[Term]:
        """Phrases with letters struck out; at least half of them must be left.   words: with the signs in them."""
        maybe = {word: self._maybe(word) for word in set(words) if is_struck(word)}
        for at, word in enumerate(words):
            for place, term in maybe.get(word, ()):
                first = at - place
                stood = words[max(0, first) : max(0, first + len(term.tokens))]
                if len(stood) == len(term.tokens) and _stands_for(stood, term.tokens):
                    yield term

    def _maybe(self, word: str) -> list[tuple[int, Term]]:
        """Phrases in which a word may be one, by what is left of it: found once for each word that a text repeats."""
        first = next(k for k, c in enumerate(word) if c not in STRUCK)
        some = self.by_letter.get((len(word), first, word[first]), ())
        return [(at, term) for at, term in some if all(a in (b, *STRUCK) for a, b in _letters(word, term.tokens[at]))]


def is_struck(word: str) -> bool:
    """Whether a word has letters, and signs in the place of others."""
    return any(c in STRUCK for c in word) and any(c.isalpha() for c in word)


def _stands_for(struck: Sequence[str], tokens: Tokens) -> bool:
    pairs = [(a, b) for one, token in zip(struck, tokens, strict=True) for a, b in _letters(one, token)]
    known = sum(a == b for a, b in pairs)
    return len(pairs) == sum(map(len, tokens)) <= 2 * known and all(a == b or a in STRUCK for a, b in pairs)


def _letters(struck: str, token: str) -> Iterator[tuple[str, str]]:
    """Letter by letter; nothing where their lengths differ."""
    return iter(zip(struck, token, strict=True)) if len(struck) == len(token) else iter(())


def _by_first(forms: Sequence[tuple[Tokens, Term]]) -> dict[str, list[tuple[Tokens, Term]]]:
    found: dict[str, list[tuple[Tokens, Term]]] = {}
    for form, term in forms:
        found.setdefault(form[0], []).append((form, term))
    return found


def _standing(forms: dict[str, list[tuple[Tokens, Term]]], words: Sequence[str]) -> Iterator[tuple[int, int, Term]]:
    """Where forms stand in words of the same form: from, to, whose."""
    for at, word in enumerate(words):
        for form, term in forms.get(word, ()):
            if tuple(words[at : at + len(form)]) == form:
                yield at, at + len(form), term


def _meant(term: Term, said: Said, first: int, last: int) -> Iterator[Term]:
    """A term, unless a phrase that is well lies over it once its words are put right."""
    if is_meant(term, said, first, last):
        yield term


def _ordered(word: str) -> str:
    """The same for every order of a word's inner letters; of three letters, of the last two, and of fewer none."""
    return word if len(word) < 3 else shuffle(word) if len(word) > 3 else word[0] + "".join(sorted(word[1:]))
