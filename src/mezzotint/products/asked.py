"""What a prompt names, of what product pictures are known to show: the kind and the view."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mezzotint.products.captions import VIEWS
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.vocabulary import vocabulary


@dataclass(frozen=True)
class Asked:
    """Numbers of ``judging.kinds`` and ``judging.VIEW_NAMES``; None is not named."""

    kind: int | None
    view: int | None


def asked(text: str) -> Asked:
    """Of an English prompt.  Of several kinds ("a lamp on a table") the one that is named first, of words that begin
    together ("desk lamp", "desk") the longest."""
    low = text.lower()
    kind, view = _first(low, _kind_words()), _first(low, _view_words())
    return Asked(None if kind is None else kinds().index(kind), None if view is None else VIEW_NAMES.index(view))


def _first(text: str, words: tuple[tuple[str, str], ...]) -> str | None:
    """What the first of the words in a text stands for."""
    found = [(at, -len(word), means) for word, means in words if (at := _at(text, word)) is not None]
    return min(found)[2] if found else None


def _at(text: str, word: str) -> int | None:
    """Where a word stands as a word of its own, or in the plural."""
    match = re.search(rf"(?<!\w){re.escape(word)}(?:s|es)?(?!\w)", text)
    return None if match is None else match.start()


def _sorted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((word.lower(), means) for word, means in pairs))


@cache
def _kind_words() -> tuple[tuple[str, str], ...]:
    return _sorted((word, kind) for kind, said in vocabulary().words.items() for word in said)


@cache
def _view_words() -> tuple[tuple[str, str], ...]:
    return _sorted((word, view) for view, said in VIEWS.items() for word in said)
