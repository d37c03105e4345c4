"""What a prompt names, of what product pictures are known to show: the kind, the view, the product's colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mezzotint.products.captions import VIEWS
from mezzotint.products.colours import NAMES, SYNONYMS
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.vocabulary import vocabulary

UNNAMED = -1
"""In tensors, the number of what is not named."""


@dataclass(frozen=True)
class Asked:
    """Numbers of ``judging.kinds``, ``judging.VIEW_NAMES`` and ``colours.NAMES``; None is not named."""

    kind: int | None = None
    view: int | None = None
    colour: int | None = None


ASPECTS = ("kind", "view", "colour")
"""In the order of a ranker's answers."""

WEIGHTS = {"kind": 1.0, "view": 0.5, "colour": 0.5}
"""How much each counts, where a ranker learns, where it teaches, where it chooses and where it guides."""


def asked(text: str) -> Asked:
    """Of an English prompt.  Of several kinds ("a lamp on a table") the one that is named first, of words that begin
    together ("desk lamp", "desk") the longest.  A colour is the product's where it is said last before it, and not of a
    background ("on a red background, a chair")."""
    low = text.lower()
    kind, view = _first(low, _kind_words()), _first(low, _view_words())
    colour = None if kind is None else _colour_before(low[: kind[0]])
    return Asked(
        None if kind is None else kinds().index(kind[1]),
        None if view is None else VIEW_NAMES.index(view[1]),
        None if colour is None else NAMES.index(colour),
    )


def numbers(asks: Sequence[Asked]) -> dict[str, Tensor]:
    """Each aspect of some prompts: (B,) int64, UNNAMED where it is not named."""
    named = zip(*((one.kind, one.view, one.colour) for one in asks), strict=True)
    found = [[UNNAMED if n is None else n for n in them] for them in named]
    return {aspect: torch.tensor(them) for aspect, them in zip(ASPECTS, found, strict=True)}


def log_prob(answers: Sequence[Tensor], asks: Mapping[str, Tensor], smoothing: float = 0.0) -> Tensor:
    r"""How well what a network answers fits what is named: :math:`\sum_a w_a \ln p(a)`, (B,) float32; 0 of nothing.

    answers: logits of kinds, views and colours, (B, ·) each.   asks: as ``numbers`` gives them.   smoothing: of kinds.
    """
    terms = [
        -WEIGHTS[aspect]
        * F.cross_entropy(logits, asks[aspect], ignore_index=UNNAMED, reduction="none", label_smoothing=smooth)
        for aspect, logits, smooth in zip(ASPECTS, answers, (smoothing, 0.0, 0.0), strict=True)
    ]
    return torch.stack(terms).sum(0)


def _first(text: str, words: tuple[tuple[str, str], ...]) -> tuple[int, str] | None:
    """Where the first of the words stands in a text, and what it stands for."""
    found = [(at, -len(word), means) for word, means in words if (at := _at(text, word)) is not None]
    return (min(found)[0], min(found)[2]) if found else None


def _at(text: str, word: str) -> int | None:
    """Where a word stands as a word of its own, or in the plural."""
    match = re.search(rf"(?<!\w){re.escape(word)}(?:s|es)?(?!\w)", text)
    return None if match is None else match.start()


def _colour_before(text: str) -> str | None:
    """The last colour that is named, where no background follows it."""
    *_, last = [None, *_colours().finditer(text)]
    if last is None or re.search(r"\b(background|backdrop)\b", text[last.end() :]):
        return None
    word = last.group().lower()
    return next(name for name in NAMES if word == name or word in SYNONYMS.get(name, ()))


@cache
def _colours() -> re.Pattern[str]:
    words = [*NAMES, *(word for others in SYNONYMS.values() for word in others)]
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, words))})(?!\w)")


def _sorted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((word.lower(), means) for word, means in pairs))


@cache
def _kind_words() -> tuple[tuple[str, str], ...]:
    known = vocabulary()
    pairs = (*known.words.items(), *known.asked.items())
    return _sorted((word, kind) for kind, said in pairs for word in said)


@cache
def _view_words() -> tuple[tuple[str, str], ...]:
    return _sorted((word, view) for view, said in VIEWS.items() for word in said)
