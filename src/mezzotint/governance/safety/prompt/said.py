"""The words of a text, and which of them stand in one clause.

A phrase that is well holds inside one clause alone: "a nude pink lipstick" is goods, "nude, pink background" is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from mezzotint.governance.safety.prompt.ages import minor_age

WORD = re.compile(r"[^\W_]+")
_SOFT = re.compile(r" ?['’‘`´\"“”]? ?|[-\u2010./+:*_]")
"""What may stand between two words of a clause; all else ends it: commas, brackets, lines, tags, dashes with spaces."""
_INITIAL = re.compile(r"\. ?")
"""After a single letter, as in a name."""
_OWN = re.compile(r"['’‘]")


@dataclass(frozen=True)
class Said:
    """minors: the places right after marks of minors, asked only where a phrase may be well.  people: those of words
    for anybody.  parted: words and clauses, where some are put right; read from the text where they are not."""

    text: str
    minors: Callable[[Said], Iterable[int]] = lambda said: ()
    parted: tuple[Sequence[str], Sequence[int]] | None = None
    people: Callable[[Said], Iterable[int]] = lambda said: ()

    @cached_property
    def words(self) -> Sequence[str]:
        """As views have them."""
        return WORD.findall(self.text) if self.parted is None else self.parted[0]

    @cached_property
    def clauses(self) -> Sequence[int]:
        """The number of each word's clause."""
        if self.parted is not None:
            return self.parted[1]
        found = [0] if self.words else []
        for before, gap in zip(self.words, self.gaps, strict=False):
            soft = _SOFT.fullmatch(gap) or (len(before) == 1 and _INITIAL.fullmatch(gap))
            found.append(found[-1] + (not soft))
        return found

    @cached_property
    def gaps(self) -> Sequence[str]:
        """What stands between each word and the next."""
        spans = [found.span() for found in WORD.finditer(self.text)]
        return [self.text[before[1] : after[0]] for before, after in pairwise(spans)]

    @cached_property
    def after_minors(self) -> frozenset[int]:
        """Places right after marks of minors whose own nothing is: "kids nude", not "a kid's nude shoe"."""
        ends = self.minors(self)
        return frozenset(end for end in ends if end > len(self.gaps) or not _OWN.search(self.gaps[end - 1]))

    @cached_property
    def of_people(self) -> frozenset[int]:
        """Places where words for a person begin."""
        return frozenset(self.people(self))

    @cached_property
    def is_aged(self) -> bool:
        """Whether an age below 18 is named anywhere."""
        return minor_age(" ".join(self.words))

    @cached_property
    def of_minors(self) -> frozenset[int]:
        """Clauses with a mark of a minor or with an age."""
        marked = {self.clauses[end - 1] for end in self.after_minors}
        said: dict[int, list[str]] = {}
        for word, clause in zip(self.words, self.clauses, strict=True):
            said.setdefault(clause, []).append(word)
        return frozenset(marked | {clause for clause, words in said.items() if minor_age(" ".join(words))})

    def is_whole(self, first: int, last: int) -> bool:
        """Whether words stand in one clause."""
        return self.clauses[first] == self.clauses[last - 1]

    def with_words(self, first: int, last: int, tokens: Sequence[str]) -> Said:
        """With others in the place of some, in the clause of the first."""
        words, clauses = list(self.words), list(self.clauses)
        words[first:last] = tokens
        clauses[first:last] = [clauses[first]] * len(tokens)
        same = replace(self, parted=(words, clauses))
        same.__dict__["after_minors"] = frozenset(end for end in self.after_minors if end <= first)
        return same
