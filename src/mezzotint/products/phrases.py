"""Prompts in other languages, read by a phrase table: what was understood, in English, and what was not.

The text encoder reads English alone.  A prompt is taken apart into the words for products, colours, backgrounds and
views that the table of a language has, and put together again in English; the language is the one that explains most of
it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from unicodedata import category

from mezzotint.products.captions import VIEWS, article
from mezzotint.products.colours import NAMES
from mezzotint.products.vocabulary import vocabulary

TEXTURES = ("wood", "marble", "fabric", "stone", "leather")
UNSPACED = ("zh", "ja", "th")
"""Languages written without spaces between words."""

JOINERS = "\u200c\u200d"
"""Within words of Persian and of Indian scripts: of Unicode's category Cf, and no marks."""

TOO = frozenset(
    [
        "auto",
        "bad",
        "balance",
        "bank",
        "boom",
        "container",
        "controller",
        "costume",
        "couch",
        "element",
        "extension",
        "fitness",
        "four",
        "gonna",
        "jam",
        "journal",
        "lit",
        "marker",
        "metro",
        "monitoring",
        "mum",
        "pad",
        "pain",
        "pan",
        "pet",
        "plateau",
        "plot",
        "police",
        "pop",
        "portable",
        "present",
        "robe",
        "rock",
        "roller",
        "smart",
        "step",
        "ton",
        "villa",
        "wanna",
        "water",
    ]
)
"""Words of tables that are English too, and mean something else there ("four" is an oven in French)."""

LEAST_EXPLAINED = 0.3
"""A language must explain this share of a prompt's letters to be the one it is written in."""


@dataclass(frozen=True)
class Reading:
    """What was understood of a prompt.

    english: what the encoder is given.  language: a code of the table, "" for English.   unknown: parts not understood.
    """

    english: str
    language: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Word:
    """A part of a prompt that the table has: what it means, and where it is."""

    meaning: str
    start: int
    end: int

    @property
    def role(self) -> str:
        """colour | texture | background | gradient | view | product."""
        if self.meaning in NAMES:
            return "colour"
        if self.meaning in TEXTURES:
            return "texture"
        if self.meaning in VIEWS:
            return "view"
        return self.meaning if self.meaning in ("background", "gradient") else "product"


@dataclass(frozen=True)
class Language:
    """One language's table.

    colour: "before", "after" or "both": where a colour stands beside its noun.
    apart: small words that never stand between a noun and its colour.   small: those that mean nothing alone.
    """

    code: str
    colour: str
    apart: frozenset[str]
    small: frozenset[str]
    meanings: Mapping[str, str]
    pattern: re.Pattern[str]

    def words(self, prompt: str) -> list[Word]:
        """The parts of a prompt that it has, longest first at each place."""
        return [Word(self._meaning(m.group()), m.start(), m.end()) for m in self.pattern.finditer(prompt.casefold())]

    def _meaning(self, text: str) -> str:
        if text in self.meanings:
            return self.meanings[text]
        stems = (s for s in self.meanings if s.endswith("*") and text.startswith(s[:-1]))
        return self.meanings[max(stems, key=len)]


def _pattern(code: str, phrases: Sequence[str], ending: int | None) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    any_ending = r"\w*" if ending is None else rf"\w{{0,{ending}}}"
    parts = [re.escape(p[:-1]) + any_ending if p.endswith("*") else re.escape(p) for p in ordered]
    edge = "" if code in UNSPACED else r"\b"
    return re.compile(edge + "(?:" + "|".join(parts) + ")" + edge)


ABOUT = ("colour", "apart", "small", "ending")
"""What a table says beside the phrases of each meaning."""


@cache
def languages() -> Mapping[str, Language]:
    """Every language of the table: colours, backgrounds, views and everyday products by hand, others from the catalog's
    translations."""
    here = files("mezzotint.products")
    by_hand = tomllib.loads((here / "phrases.toml").read_text("utf-8"))
    everyday = tomllib.loads((here / "phrases_nouns.toml").read_text("utf-8"))
    catalog = json.loads((here / "phrases_catalog.json").read_text("utf-8"))
    made = {}
    for code, table in by_hand.items():
        meanings = {name.casefold(): kind for name, kind in catalog.get(code, {}).items()}
        meanings |= {p.casefold(): kind for kind, said in everyday.items() for p in said.get(code, ())}
        meanings |= {p.casefold(): k for k, phrases in table.items() if k not in ABOUT for p in phrases}
        apart, small = frozenset(table.get("apart", ())), frozenset(table.get("small", ()))
        pattern = _pattern(code, list(meanings), table.get("ending"))
        made[code] = Language(code, table["colour"], apart, small, meanings, pattern)
    return made


@cache
def english_words() -> frozenset[str]:
    """The English words that captions are made of, and the small words between them."""
    said = [w for words in vocabulary().words.values() for w in words]
    said += [*NAMES, *TEXTURES, *(form for forms in VIEWS.values() for form in forms)]
    small = "a an the on in of with and background backdrop gradient photo picture product studio shot seen from view"
    return frozenset(re.findall(r"[a-z]+", " ".join([*said, small]).lower()))


def read(prompt: str, names: Sequence[str] = ()) -> Reading:
    """What is understood of a prompt.

    names: of products that a model was taught, which stay as they are, and are of no language.
    A prompt of which English explains as much as any other language is left as it is.
    """
    low = prompt.casefold()
    named = _named(low, names)
    rest = _without(low, named)
    letters = sum(c.isalpha() for c in rest)
    if not letters:
        return Reading(prompt)
    known = english_words() | TOO
    english = sum(len(w) for w in re.findall(r"[^\W\d_]+", rest) if w in known or w.rstrip("s") in known)
    scored = [(sum(w.end - w.start for w in found), code, found) for code, found in _found(rest)]
    score, code, words = max(scored, key=lambda s: s[0])
    if score <= english or score < LEAST_EXPLAINED * letters:
        return Reading(prompt)
    both = sorted([*words, *named], key=lambda word: word.start)
    language = languages()[code]
    return Reading(_said(low, both, language), code, _unknown(low, both, language.small))


def read_whole(prompt: str) -> str:
    """The English of a prompt of which the table of its language has every word, small ones aside; "" for any other."""
    found = read(prompt)
    if not found.language:
        return ""
    language, low = languages()[found.language], prompt.casefold()
    left = re.findall(r"[^\W_]+", _without(low, language.words(low)))
    return found.english if language.small.issuperset(left) else ""


def _named(low: str, names: Sequence[str]) -> list[Word]:
    """Where a text says names, the longest first where they overlap."""
    ordered = sorted({name.casefold() for name in names if name.strip()}, key=len, reverse=True)
    if not ordered:
        return []
    alone = rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, ordered))})(?![a-z0-9])"  # "cup" is not in "cupboard"
    return [Word(m.group(), m.start(), m.end()) for m in re.finditer(alone, low)]


def without_names(text: str, names: Sequence[str]) -> str:
    """A text in small letters with spaces where it says names."""
    low = text.casefold()
    return _without(low, _named(low, names))


def _without(low: str, words: Sequence[Word]) -> str:
    """A text with spaces where words are."""
    made = list(low)
    for word in words:
        made[word.start : word.end] = " " * (word.end - word.start)
    return "".join(made)


def _found(low: str) -> Iterator[tuple[str, list[Word]]]:
    for code, language in languages().items():
        yield code, language.words(low)


def _said(low: str, words: Sequence[Word], language: Language) -> str:
    """The words in English: "a red armchair on a beige background, side view"."""
    nouns = [w for w in words if w.role in ("product", "background")]
    told: dict[int, list[str]] = {i: [] for i in range(len(nouns))}
    for word in words:
        if word.role in ("colour", "texture", "gradient") and nouns:
            told[_owner(low, word, nouns, language)].append(word.meaning)
    things = [_thing(told[i], w.meaning) for i, w in enumerate(nouns) if w.role == "product"]
    grounds = [_thing(told[i], "background") for i, w in enumerate(nouns) if w.role == "background"]
    loose = [] if nouns else [w.meaning for w in words if w.role in ("colour", "texture")]
    text = " and ".join(map(article, things)) or " ".join(loose)
    text = " ".join([text, *(f"on {article(ground)}" for ground in grounds)]).strip()
    return ", ".join([text, *(VIEWS[w.meaning][0] for w in words if w.role == "view")])


def _thing(told: Sequence[str], noun: str) -> str:
    ordered = sorted(dict.fromkeys(told), key=lambda m: (m == "gradient", m in TEXTURES))
    return " ".join([*ordered, noun])


def _owner(low: str, word: Word, nouns: Sequence[Word], language: Language) -> int:
    """The noun that a colour belongs to: the next or the last one as the language has it, else the nearest."""
    after = [i for i, n in enumerate(nouns) if n.start >= word.end]
    before = [i for i, n in enumerate(nouns) if n.end <= word.start]
    if language.colour == "before" and after:
        return after[0]
    if language.colour == "after" and before:
        return before[-1]
    return min(range(len(nouns)), key=lambda i: _distance(low, word, nouns[i], language.apart))


def _distance(low: str, word: Word, noun: Word, apart: frozenset[str]) -> tuple[bool, int]:
    gap = low[min(word.end, noun.end) : max(word.start, noun.start)]
    return any(w in apart for w in gap.split()), len(gap)


def words_of(text: str) -> list[str]:
    """Its runs of letters with the marks that belong to them (Unicode L, M): a vowel sign is no end of a word."""
    kept = "".join(c if category(c)[0] in "LM" or c in JOINERS else " " for c in text)
    return [_begun(word).rstrip(JOINERS) for word in kept.split() if any(category(c)[0] == "L" for c in word)]


def _begun(word: str) -> str:
    """Without marks at its begin, which belong to what stood before it: an emoji's, say."""
    return word.lstrip(JOINERS + "".join(c for c in word if category(c)[0] == "M"))


def _unknown(low: str, words: Sequence[Word], small: Set[str]) -> tuple[str, ...]:
    """What no word covers, of more than two letters and with a meaning of its own."""
    return tuple(part for part in words_of(_without(low, words)) if len(part) > 2 and part not in small)
