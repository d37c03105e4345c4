"""Where terms stand in the readings of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from mezzotint.governance.safety.prompt.abroad import naked_minor
from mezzotint.governance.safety.prompt.ages import minor_age
from mezzotint.governance.safety.prompt.backwards import backwards
from mezzotint.governance.safety.prompt.births import born_a_minor
from mezzotint.governance.safety.prompt.decoders import rot13
from mezzotint.governance.safety.prompt.gaps import gapped
from mezzotint.governance.safety.prompt.lexicon import Lexicon, letters
from mezzotint.governance.safety.prompt.pairs import paired
from mezzotint.governance.safety.prompt.phrases import TRIPLE
from mezzotint.governance.safety.prompt.said import Said
from mezzotint.governance.safety.prompt.term import Term, collapse, shuffle, words_of
from mezzotint.governance.safety.prompt.undressing import undresses
from mezzotint.governance.safety.prompt.unspaced import unspaced, within
from mezzotint.governance.safety.prompt.views import View, Views
from mezzotint.governance.safety.prompt.well import is_meant

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


_PEOPLE = ("minor", "young", "person")
REAL = words_of(
    "brain brains brian carp carps fraction fractional fractionally fractions furcations gelatine insect insects lana "
    "motionless not parc pines plier prone sail"
)
"""Common words that are others when letters change places, backwards or 13 places on."""
DOUBLED = words_of("bonner bookkeep poorna popping rapped rapping")
"""Common words that are others with their double letters once."""
DOUBLE = re.compile(r"(.)\1")
ENOUGH = 5
"""Letters, each run once, of a word whose double letters may be drawn out."""

AGE = Term("an age below 18", ("age",), "minor", "mark", "any")
ABROAD = Term("a minor in another language", ("minor",), "minor", "mark", "any")
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
    """What no list can hold, for it is said with numbers, in many orders, or in a language without a list."""
    text, accented = (some.replace("\n", " ") for some in (view.text, view.accented))
    texts = [text, *([accented] if accented else [])]
    if minor_age(text, accented) or any(born_a_minor(text, today) for text in texts):
        yield AGE
    if undresses(text):
        yield UNDRESSES
    if naked_minor(texts[-1]):
        yield from (ABROAD, UNDRESSES)


def _undone(word: str, kind: str) -> str:
    """What stood in the text for a word of a view."""
    return word[::-1] if kind == "reversed" else rot13(word)


def in_views(read: Views, lexicon: Lexicon) -> Iterator[Term]:
    """Terms in the readings that keep phrases whole."""
    for view in read.readings:
        if view.kind in _ORDERED:
            yield from _in_view(view, lexicon)


def _in_view(view: View, lexicon: Lexicon) -> Iterator[Term]:
    minors, people = partial(_after_minors, lexicon=lexicon), partial(_of_people, lexicon=lexicon)
    words = Said(view.text, minors, people=people)
    yield from _worded(words, lexicon, accented=False)
    marked = Said(view.accented if view.accented != view.text else "", minors, people=people)
    yield from _worded(marked, lexicon, accented=True)
    if not (view.accented or view.text).isascii():
        yield from _dense(view, lexicon)
    if view.kind in ("plain", "joined", "encoded"):
        for some in (words, marked) if marked.words else (words,):
            yield from _disguised(some, lexicon)


def _dense(view: View, lexicon: Lexicon) -> Iterator[Term]:
    """Terms of scripts without spaces."""
    text = view.accented or view.text
    if view.kind in _ORDERED:
        yield from unspaced(text, lexicon)
    elif view.kind == "reversed":
        found, well = partial(within, lexicon=lexicon), partial(lexicon.well.sub, " ")
        yield from backwards(text, found, letters, well)


def _disguised(words: Said, lexicon: Lexicon) -> Iterator[Term]:
    """Terms with letters drawn out or swapped, and phrases whose spaces are elsewhere."""
    phrases = lexicon.phrases
    yield from _stretched(words.words, lexicon)
    yield from _swapped(words.words, lexicon)
    yield from paired(words.words, lexicon)
    yield from gapped(words, lexicon)
    yield from phrases.stretched(words)
    yield from phrases.swapped(words)
    yield from phrases.respaced(words)
    yield from phrases.inside(words)


def _worded(said: Said, lexicon: Lexicon, *, accented: bool) -> Iterator[Term]:
    for at, word in enumerate(said.words):
        for term in lexicon.beginning(word):
            begins = term.accented == accented and term.begins(said.words, at)
            if begins and is_meant(term, said, at, at + len(term.tokens)):
                yield term


def _after_minors(said: Said, lexicon: Lexicon) -> Iterator[int]:
    """Places right after marks of minors."""
    for at, word in enumerate(said.words):
        for term in lexicon.beginning(word):
            if term.category == "minor" and term.begins(said.words, at):
                end = at + len(term.tokens)
                if not any(said.is_whole(k, k + len(p)) for k, p in term.phrases_over(said.words, at)):
                    yield end


def _of_people(said: Said, lexicon: Lexicon) -> Iterator[int]:
    """Places where words for a person begin, of whatever age."""
    for at, word in enumerate(said.words):
        if any(term.category in _PEOPLE and term.begins(said.words, at) for term in lexicon.beginning(word)):
            yield at


def _stretched(words: Sequence[str], lexicon: Lexicon) -> Iterator[Term]:
    """Words with a letter three times and more; long ones also with one twice."""
    for word in words:
        if DOUBLE.search(word) and word not in REAL and word not in DOUBLED:
            short = collapse(word)
            if len(short) >= ENOUGH or TRIPLE.search(word):
                yield from (t for t in lexicon.collapsed.get(short, ()) if not t.begins((word,), 0))


def _swapped(words: Sequence[str], lexicon: Lexicon) -> Iterator[Term]:
    """Words whose inner letters changed places."""
    for word in words:
        if len(word) >= 4 and word not in REAL:
            some = lexicon.shuffled.get(shuffle(word), ())
            yield from (t for form, t in some if form != word and not t.begins((word,), 0))


def _masked(words: tuple[str, ...], lexicon: Lexicon) -> Iterator[Term]:
    """Words with letters struck out; at least half of them must be left."""
    for word in words:
        trimmed = word.strip("#%?") if len(word) > 3 else word
        left = re.sub(r"[^\w]", "", trimmed)
        if not trimmed or left == trimmed or 2 * len(left) < len(trimmed):
            continue
        pattern = re.compile(re.sub(r"[^\w]", ".", trimmed))
        some = lexicon.by_size.get((len(trimmed), trimmed[0] if trimmed[0].isalnum() else ""), ())
        yield from (t for form, t in some if pattern.fullmatch(form))


def _run_together(runs: tuple[str, ...], lexicon: Lexicon) -> Iterator[Term]:
    """Words within what is spelt letter by letter."""
    for run in runs:
        yield from (t for t in lexicon.loud if len(t.tokens[0]) >= 4 and t.tokens[0] in run)
