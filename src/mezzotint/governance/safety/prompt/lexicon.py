"""The curated words: one TOML file a language, each entry with its category, severity and the phrases that are well.

A term is a word or several; ``word*`` is every word that begins so.  Terms of scripts without spaces are found anywhere
in a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from mezzotint.governance.licence import reading
from mezzotint.governance.licence.reading import choice, several, wrong
from mezzotint.governance.safety.prompt.canonical import canonical
from mezzotint.governance.safety.prompt.inflections import ENGLISH, forms
from mezzotint.governance.safety.prompt.phrases import Phrases
from mezzotint.governance.safety.prompt.scripts import script_of
from mezzotint.governance.safety.prompt.term import Term, Tokens, collapse, shuffle
from mezzotint.governance.safety.prompt.views import WORD
from mezzotint.governance.safety.prompt.words import CATEGORIES, MARKS, SEVERITIES

OF_NO_MINOR = ("sexual", "nudity", "suggestive", "undress")
"""Categories that no minor is in."""
LEAST = 4
"""Letters of a word that is looked for with a gap in it."""
K = TypeVar("K")
V = TypeVar("V")
LONG_ENOUGH = 8
"""Letters of a phrase that is looked for without its marks too: shorter ones are words of other languages then."""


@dataclass(frozen=True)
class Lexicon:
    """All terms of all languages, with what finds them quickly.

    harmless: phrases of scripts without spaces that hold a term and mean no harm.
    """

    terms: tuple[Term, ...]
    harmless: tuple[str, ...] = ()

    @cached_property
    def exact(self) -> dict[str, list[Term]]:
        """By first word, where that is whole."""
        return _grouped((t.tokens[0], t) for t in self.terms if not t.dense and (len(t.tokens) > 1 or not t.stem))

    @cached_property
    def stems(self) -> dict[str, list[Term]]:
        """Single words that may go on, by how they begin."""
        return _grouped((t.tokens[0], t) for t in self.terms if not t.dense and len(t.tokens) == 1 and t.stem)

    @cached_property
    def stem_sizes(self) -> list[int]:
        return sorted({len(stem) for stem in self.stems})

    @cached_property
    def dense(self) -> dict[str, list[Term]]:
        """Those of scripts without spaces, by their text."""
        return _grouped((t.text, t) for t in self.terms if t.dense)

    @cached_property
    def dense_sizes(self) -> dict[str, set[int]]:
        """How long they are, by their first letter."""
        found: dict[str, set[int]] = {}
        for text in self.dense:
            found.setdefault(text[0], set()).add(len(text))
        return found

    @cached_property
    def well(self) -> re.Pattern[str]:
        """Any harmless phrase of such a script, with a space only where it is written with one."""
        return re.compile(_any(self.harmless))

    @cached_property
    def loud(self) -> list[Term]:
        """Single words that are looked for under disguises that cost likeness: strong ones, and marks of minors."""
        return [t for t in self.terms if t.loud and not t.dense and len(t.tokens) == 1]

    @cached_property
    def phrases(self) -> Phrases:
        """The same of several words."""
        some = tuple(t for t in self.terms if t.loud and not t.dense and len(t.tokens) > 1)
        return Phrases(some, tuple(t.tokens[0] for t in self.loud if t.category == "minor" and len(t.tokens[0]) > 2))

    def beginning(self, word: str) -> Iterator[Term]:
        """Terms that may begin with a word; a plural counts as its singular."""
        yield from self.exact.get(word, ())
        for size in self.stem_sizes:
            if size > len(word):
                break
            yield from self.stems.get(word[:size], ())

    @cached_property
    def forms(self) -> list[tuple[str, Term]]:
        """The words that are looked for under disguises, each whole: those of stems are what they are known to go on
        to.  Made when a text is first read, for a start reads none."""
        return [(form, term) for term in self.loud for form in forms(term)]

    @cached_property
    def spelt(self) -> dict[str, list[Term]]:
        """English words that are looked for with a gap in them, by their spelling."""
        quiet = (t for t in self.terms if t.category in OF_NO_MINOR and not t.loud and len(t.tokens) == 1)
        found = [*self.forms, *((form, t) for t in quiet for form in forms(t))]
        return _grouped((form, t) for form, t in found if t.language in ENGLISH and len(form) >= LEAST)

    @cached_property
    def collapsed(self) -> dict[str, list[Term]]:
        """By their letters, each run once."""
        return _grouped((collapse(form), t) for form, t in self.forms)

    @cached_property
    def shuffled(self) -> dict[str, list[tuple[str, Term]]]:
        """By first letter, inner letters in order, last letter; words of four letters and more, as they are spelt."""
        return _grouped((shuffle(form), (form, t)) for form, t in self.forms if len(form) >= 4)

    @cached_property
    def by_size(self) -> dict[tuple[int, str], list[tuple[str, Term]]]:
        """By length and first letter; by length alone, with "", too."""
        return _grouped(((len(form), c), (form, t)) for form, t in self.forms for c in (form[0], ""))


@dataclass(frozen=True)
class Allowed:
    """Phrases that are well, of one entry, split once for all its words.   spaced: with a space before each word."""

    phrases: tuple[tuple[str, Tokens], ...] = ()
    spaced: str = ""

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Allowed:
        split = (tuple(WORD.findall(phrase)) for phrase in phrases)
        found = tuple((f" {' '.join(tokens)}", tokens) for tokens in split)
        return cls(found, "".join(spaced for spaced, _ in found))

    def near(self, word: str) -> tuple[Tokens, ...]:
        """Those with a word that begins as a term does, in tokens."""
        begins = f" {word}"
        return tuple(tokens for spaced, tokens in self.phrases if begins in spaced) if begins in self.spaced else ()


def _any(texts: Iterable[str]) -> str:
    """A pattern of any of them, the longest first; of nothing where there are none."""
    ordered = sorted(texts, key=len, reverse=True)
    return "|".join(" ?".join(map(re.escape, text.split())) for text in ordered) or r"(?!)"


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    found: dict[K, list[V]] = {}
    for key, term in pairs:
        found.setdefault(key, []).append(term)
    return found


_ENTRY = {
    "category": choice(*CATEGORIES, *MARKS),
    "severity": choice(*SEVERITIES),
    "words": several(reading.said),
    "allow": several(reading.said),
}


def read_lexicon(data: bytes, where: str) -> Lexicon:
    """The terms of a file.  Raises InputError for one that is damaged."""
    table = reading.fields(
        reading.parsed(data, where),
        {"language": reading.said, "source": reading.said, "reviewer": reading.text, "entry": several(_entry)},
        ("language", "source", "entry"),
        where,
    )
    terms = tuple(term for entry in table["entry"] for term in _terms(entry, table["language"], where))
    phrases = (canonical(phrase).accented for entry in table["entry"] for phrase in entry["allow"])
    return Lexicon(terms, tuple(phrase for phrase in phrases if _is_dense(phrase)))


def read_words(words: Iterable[str], category: str, severity: str, where: str) -> Lexicon:
    """The terms of plain words, of any language.  Raises InputError for one without letters."""
    return Lexicon(
        tuple(
            t
            for word in words
            for t in _term(word, Term(word, (), category, severity, "any"), (Allowed(), Allowed()), where)
        )
    )


def together(lexicons: Iterable[Lexicon]) -> Lexicon:
    """Several as one.  A word that stands in two of them means no harm in the phrases of either."""
    found = tuple(lexicons)
    terms = [term for one in found for term in one.terms]
    well: dict[tuple[object, ...], dict[Tokens, None]] = {}
    for term in terms:
        well.setdefault(_word(term), {}).update(dict.fromkeys(term.allow))
    merged = (replace(term, allow=tuple(well[_word(term)])) for term in terms)
    return Lexicon(tuple(merged), tuple(phrase for one in found for phrase in one.harmless))


def _word(term: Term) -> tuple[object, ...]:
    """What makes two terms of two lists the same word of a category."""
    return term.tokens, term.stem, term.accented, term.dense, term.text if term.dense else "", term.category


def _entry(value: Any, where: str) -> dict[str, Any]:
    return {"allow": (), **reading.fields(value, _ENTRY, ("category", "severity", "words"), where)}


def _terms(entry: dict[str, Any], language: str, where: str) -> Iterable[Term]:
    said = [canonical(phrase) for phrase in entry["allow"]]
    allow = Allowed.of(one.bare for one in said), Allowed.of(one.accented for one in said)
    for word in entry["words"]:
        yield from _term(word, Term(word, (), entry["category"], entry["severity"], language), allow, where)


def _is_dense(text: str) -> bool:
    return any(script_of(c) in ("han", "thai", "tamil") for c in text)


def _term(word: str, empty: Term, allow: tuple[Allowed, Allowed], where: str) -> Iterable[Term]:
    """As it is written; one with marks and long enough also without them.

    allow: phrases that are well, without marks and with.
    """
    said = canonical(word.rstrip("*"))
    if _is_dense(said.accented):
        yield replace(empty, text=letters(said.accented), tokens=(said.accented,), dense=True)
        return
    bare, accented = tuple(WORD.findall(said.bare)), tuple(WORD.findall(said.accented))
    if not bare:
        raise wrong(where, f"{word!r} has no letters", "a word")
    plain = replace(empty, tokens=bare, stem=word.endswith("*"), allow=allow[0].near(bare[0]))
    if bare == accented:
        yield plain
        return
    yield replace(plain, tokens=accented, accented=True, allow=allow[1].near(accented[0]))
    if len(bare) > 1 and sum(map(len, bare)) >= LONG_ENOUGH:
        yield plain


def is_letter(c: str) -> bool:
    r"""Whether a character is one, a digit, or a vowel sign of Thai and Tamil, which are no ``\w``."""
    return c.isalnum() or "\u0b80" <= c <= "\u0bff" or "\u0e00" <= c <= "\u0e7f"


def letters(text: str) -> str:
    """Letters of a text alone."""
    return "".join(filter(is_letter, text))


def tokens_of(text: str) -> Tokens:
    """The words of a text, as views have them."""
    return tuple(WORD.findall(canonical(text).bare))
