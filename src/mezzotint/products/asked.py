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
    together ("desk lamp", "desk") the longest, and of a compound its head.  A colour is the product's where it is said
    last before it, and not of a background ("on a red background, a chair")."""
    low = text.lower()
    kind, view = _kind(low), _view(low)
    colour = None if kind is None else _colour_before(low[: kind[0]])
    return Asked(
        None if kind is None else kinds().index(kind[1]),
        None if view is None else VIEW_NAMES.index(view),
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


def _kind(text: str) -> tuple[int, str] | None:
    """Where the kind that is named first stands, and which it is.  Of kinds that follow one another directly ("a glass
    door refrigerator") the last, which is what the thing is."""
    found = _kinds().search(text)
    while found is not None:
        after = _next(_kinds(), text, found)
        if after is None and not _qualifies(text, found):
            return found.start(), _kind_words()[found[1]]
        found = after or _kinds().search(text, found.start() + 1)
    return None


def _view(text: str) -> str | None:
    found = _views().search(text)
    return None if found is None else _view_words()[found[1]]


def _next(words: re.Pattern[str], text: str, found: re.Match[str]) -> re.Match[str] | None:
    """A word that directly follows one in the singular."""
    gap = _GAP.match(text, found.end())
    return None if gap is None or found.end() > found.end(1) else words.match(text, gap.end())


def _qualifies(text: str, found: re.Match[str]) -> bool:
    """Whether a word that captions never use ("sink") may stand for a noun that nobody knows ("plunger")."""
    if found[1] not in _asked_words():
        return False
    after = _next(_WORD, text, found)
    if after is None or after[0] in _NO_NOUN or after[0].endswith(("ed", "ing")):
        return False
    return not any(known.match(text, after.start()) for known in (_colours(), _views()))


_GAP, _WORD = re.compile(r"[ -]+"), re.compile(r"[^\W\d_]+")
_NO_NOUN = frozenset(
    {
        "a", "above", "against", "an", "and", "as", "at", "behind", "beside", "by", "for", "from", "has", "here", "in",
        "inside", "into", "is", "isolated", "its", "near", "next", "of", "on", "onto", "or", "out", "outside", "over",
        "photo", "photograph", "picture", "seen", "shot", "that", "the", "there", "this", "to", "under", "view",
        "which", "while", "with", "within", "without",
    }
)  # fmt: skip
"""What may follow the thing itself."""


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


def _said(words: Iterable[str]) -> re.Pattern[str]:
    """Words as words of their own, or in the plural; of those that begin together the longest."""
    ordered = "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
    return re.compile(rf"(?<!\w)({ordered})(?:s|es)?(?!\w)")


@cache
def _kinds() -> re.Pattern[str]:
    return _said(_kind_words())


@cache
def _views() -> re.Pattern[str]:
    return _said(_view_words())


@cache
def _kind_words() -> dict[str, str]:
    known = vocabulary()
    pairs = (*known.words.items(), *known.asked.items())
    return {word.lower(): kind for kind, said in pairs for word in said}


@cache
def _asked_words() -> frozenset[str]:
    return frozenset(word for said in vocabulary().asked.values() for word in said)


@cache
def _view_words() -> dict[str, str]:
    return {word.lower(): view for view, said in VIEWS.items() for word in said}
