"""Where terms stand in the readings of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from mezzotint.governance.safety.prompt.ages import minor_age
from mezzotint.governance.safety.prompt.backwards import backwards
from mezzotint.governance.safety.prompt.births import born_a_minor
from mezzotint.governance.safety.prompt.decoders import rot13
from mezzotint.governance.safety.prompt.lexicon import Lexicon, letters
from mezzotint.governance.safety.prompt.phrases import TRIPLE
from mezzotint.governance.safety.prompt.term import Term, collapse, shuffle
from mezzotint.governance.safety.prompt.undressing import undresses
from mezzotint.governance.safety.prompt.views import WORD, View, Views

_ORDERED = ("plain", "joined", "leet", "encoded")
"""Kinds of views that keep phrases whole, so that all severities count in them."""


@dataclass(frozen=True)
class Hit:
    """A term in a field.  kind: of the view."""

    term: Term
    field: str
    kind: str

    @property
    def mark(self) -> str:
        """What it is for conjunctions."""
        return self.term.category


REAL = frozenset(("carp", "carps", "insect", "lana", "not", "parc", "pines"))
"""Common words that are others when letters change places, backwards or 13 places on."""

AGE = Term("an age below 18", ("age",), "minor", "mark", "any")
UNDRESSES = Term("clothes taken off", ("undress",), "undress", "strong", "any")


def hits(read: Views, lexicon: Lexicon, field: str, today: date) -> Iterator[Hit]:
    """Every term in every reading; the plain reading first.   today: for years of birth."""
    for view in read.readings:
        loud_only = view.kind not in _ORDERED
        for term in _in_view(view, lexicon):
            if not loud_only or (term.loud and _undone(term.tokens[0], view.kind) not in REAL):
                yield Hit(term, field, view.kind)
        if not loud_only:
            yield from (Hit(term, field, view.kind) for term in _said(view, today))
    struck = (term for words in read.struck for term in lexicon.phrases.struck(words))
    for term in (*_masked(read.masked, lexicon), *struck, *_run_together(read.runs, lexicon)):
        yield Hit(term, field, "masked")


def _said(view: View, today: date) -> Iterator[Term]:
    """What no list can hold, for it is said with numbers or in many orders."""
    texts = [view.text, *([view.accented] if view.accented else [])]
    if minor_age(view.text, view.accented) or any(born_a_minor(text, today) for text in texts):
        yield AGE
    if undresses(view.text):
        yield UNDRESSES


def _undone(word: str, kind: str) -> str:
    """What stood in the text for a word of a view."""
    return word[::-1] if kind == "reversed" else rot13(word)


def in_views(read: Views, lexicon: Lexicon) -> Iterator[Term]:
    """Terms in the readings that keep phrases whole."""
    for view in read.readings:
        if view.kind in _ORDERED:
            yield from _in_view(view, lexicon)


def _in_view(view: View, lexicon: Lexicon) -> Iterator[Term]:
    words = WORD.findall(view.text)
    yield from _worded(words, lexicon, accented=False)
    marked = WORD.findall(view.accented) if view.accented != view.text else []
    yield from _worded(marked, lexicon, accented=True)
    if not (view.accented or view.text).isascii():
        yield from _dense(view, lexicon)
    if view.kind in ("plain", "joined", "encoded"):
        for some in (words, marked) if marked else (words,):
            yield from _disguised(some, lexicon)


def _dense(view: View, lexicon: Lexicon) -> Iterator[Term]:
    """Terms of scripts without spaces."""
    text = view.accented or view.text
    if view.kind in _ORDERED:
        yield from _within(lexicon.well.sub(" ", letters(text)), lexicon)
    elif view.kind == "reversed":
        found, well = partial(_within, lexicon=lexicon), partial(lexicon.well.sub, " ")
        yield from backwards(text, found, letters, well)


def _disguised(words: list[str], lexicon: Lexicon) -> Iterator[Term]:
    """Terms with letters drawn out or swapped, and phrases whose spaces are elsewhere."""
    phrases = lexicon.phrases
    yield from _stretched(words, lexicon)
    yield from _swapped(words, lexicon)
    yield from phrases.stretched(words)
    yield from phrases.swapped(words)
    yield from phrases.respaced(words)
    yield from phrases.inside(words)


def _worded(words: list[str], lexicon: Lexicon, *, accented: bool) -> Iterator[Term]:
    for at, word in enumerate(words):
        for term in _at(word, lexicon):
            if term.accented == accented and term.begins(words, at) and not term.meant_well(words, at):
                yield term


def _within(text: str, lexicon: Lexicon) -> Iterator[Term]:
    """Terms of scripts without spaces, anywhere in a text of letters alone."""
    for at in range(len(text)):
        for size in lexicon.dense_sizes.get(text[at], ()):
            yield from lexicon.dense.get(text[at : at + size], ())


def _at(word: str, lexicon: Lexicon) -> Iterable[Term]:
    """Terms that may begin with a word; a plural counts as its singular."""
    yield from lexicon.exact.get(word, ())
    for size in lexicon.stem_sizes:
        if size > len(word):
            break
        yield from lexicon.stems.get(word[:size], ())


def _stretched(words: list[str], lexicon: Lexicon) -> Iterator[Term]:
    """Words with a letter three times and more."""
    for word in words:
        if TRIPLE.search(word):
            yield from (t for t in lexicon.collapsed.get(collapse(word), ()) if word not in REAL)


def _swapped(words: list[str], lexicon: Lexicon) -> Iterator[Term]:
    """Words whose inner letters changed places."""
    for word in words:
        if len(word) >= 4 and word not in REAL:
            yield from (t for t in lexicon.shuffled.get(shuffle(word), ()) if t.tokens[0] != word)


def _masked(words: tuple[str, ...], lexicon: Lexicon) -> Iterator[Term]:
    """Words with letters struck out; at least half of them must be left."""
    for word in words:
        trimmed = word.strip("#%?") if len(word) > 3 else word
        left = re.sub(r"[^\w]", "", trimmed)
        if not trimmed or left == trimmed or 2 * len(left) < len(trimmed):
            continue
        pattern = re.compile(re.sub(r"[^\w]", ".", trimmed))
        yield from (t for t in lexicon.by_size.get(len(trimmed), ()) if pattern.fullmatch(t.tokens[0]))


def _run_together(runs: tuple[str, ...], lexicon: Lexicon) -> Iterator[Term]:
    """Words within what is spelt letter by letter."""
    for run in runs:
        yield from (t for t in lexicon.loud if len(t.tokens[0]) >= 4 and t.tokens[0] in run)
