"""What a tuned model is asked for when it is judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mezzotint.products.captions import article
from mezzotint.products.vocabulary import vocabulary
from mezzotint.tuning.words import Subject

PLAIN = "white"
"""The background on which the product itself is judged, unless it is hidden there (``ground.ground_of``)."""

BACKGROUNDS = ("blue", "red", "beige", "black", "green", "yellow")
"""Backgrounds by which prompts are judged: far from each other."""

PAINTS = ("blue", "red", "yellow", "green", "black", "purple")
"""Colours in which the product is asked for: far from each other, and from PLAIN."""

OTHER = (
    "a wooden chair by a window", "a bowl of fruit on a table", "a mountain lake at sunrise", "a street at night",
    "a portrait of an old sailor", "a red bicycle against a wall", "a cup of coffee on a saucer", "a field of wheat",
    "a sleeping cat", "a city skyline in fog", "a stack of books", "a sailing boat at sea", "a vase of tulips",
    "a brick house with a garden", "a plate of pasta", "a steam locomotive",
)  # fmt: skip
"""Prompts that have nothing to do with a product: what a general model must go on making as before."""


def other_prompts(phrases: str, kinds: Collection[str], n: int) -> tuple[str, ...]:
    """n prompts of other things than ``kinds``.   phrases: of the model's text; "products" knows products alone."""
    known = [prompt for prompt in OTHER if not any(f" {kind.lower()} " in f" {prompt} " for kind in kinds)]
    known = known or list(OTHER)  # a kind such as "a" is in all of them
    if phrases == "products":
        others = [k for k in vocabulary().words if k not in kinds]
        known = [f"{article(k)} on a white background" for k in others[:: max(1, len(others) // n)]]
    return tuple(known[k % len(known)] for k in range(n))


@dataclass(frozen=True)
class Asked:
    """n prompts each.

    subject: the product on ``ground``.  behind: the product on one of BACKGROUNDS each, by name.  painted: the product
    in one of PAINTS each, by name, on PLAIN.  other: of other things.
    """

    subject: tuple[str, ...]
    behind: tuple[tuple[str, str], ...]
    painted: tuple[tuple[str, str], ...]
    other: tuple[str, ...]
    ground: str

    @property
    def own(self) -> tuple[str, ...]:
        """Of the product, in the order subject, behind, painted."""
        return (*self.subject, *(prompt for prompt, _ in (*self.behind, *self.painted)))


def prompts_of(asked: Sequence[Asked]) -> tuple[str, ...]:
    """Every subject's own, then once those of other things, which all share."""
    return (*(prompt for one in asked for prompt in one.own), *asked[0].other)


def asked_of(subjects: Sequence[Subject], phrases: str, n: int, ground: str) -> tuple[Asked, ...]:
    """n pictures of each sort of every subject; other things are none of any subject's kind.

    ground: the plain background, by name, on which every subject itself is asked for.
    """
    other = other_prompts(phrases, [s.kind for s in subjects], n)
    return tuple(_asked(one, other, n, ground) for one in subjects)


def _asked(subject: Subject, other: tuple[str, ...], n: int, ground: str) -> Asked:
    def on(thing: str, background: str) -> str:
        return f"{article(thing)} on {article(background)} background"

    return Asked(
        (on(subject.name, ground),) * n,
        tuple((on(subject.name, name), name) for name in _around(BACKGROUNDS, n)),
        tuple((on(f"{name} {subject.name}", PLAIN), name) for name in _around(PAINTS, n)),
        other,
        ground,
    )


def _around(names: Sequence[str], n: int) -> list[str]:
    """n of them, the first again after the last."""
    return [names[k % len(names)] for k in range(n)]
