"""Captions that say what is in a scene, with words and order varied; nothing is said that is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mezzotint.products.colours import SYNONYMS
from mezzotint.products.vocabulary import vocabulary

MARKS = re.compile(
    r"\d|apple|playstation|chevrolet|ford|peugeot|renault|seat |vw |yamaha|smart|haussmann|winchester", re.I
)
"""Names of catalog entries that captions do not repeat: brands, and numbers that say nothing to see."""

VIEWS: Mapping[str, tuple[str, ...]] = {
    "front": ("front view", "seen from the front", "frontal view"),
    "three-quarter": ("three-quarter view", "seen at an angle", "angled view"),
    "side": ("side view", "seen from the side", "in profile"),
    "back": ("back view", "seen from behind", "rear view"),
}
STYLES = ("photo of ", "product photo of ", "picture of ", "studio shot of ")
SAYS_COLOUR, SAYS_BACKGROUND, SAYS_VIEW, SAYS_STYLE = 0.9, 0.85, 0.5, 0.25
OWN_WORD = 0.6
"""How often a kind of product is called by its first word."""


@dataclass(frozen=True)
class Facts:
    """What is true of a scene.

    colour: a name of ``colours``, or "" where none is clear.  background: as ``scene`` names it, for example "beige",
    "beige gradient", "wood".
    """

    kind: str
    name: str
    colour: str
    background: str
    view: str


def article(words: str) -> str:
    """The words with "a" or "an" before them."""
    return f"{'an' if words[:1].lower() in 'aeiou' else 'a'} {words}"


def noun(facts: Facts, random: np.random.Generator) -> str:
    """A word for the product: its kind's own, a synonym, or its name where that is a kind of it ("oak table")."""
    said = vocabulary().words[facts.kind]
    own = facts.name.lower()
    if own.endswith(" " + facts.kind.lower()) and not MARKS.search(own) and random.random() < 0.3:
        return own
    return said[0] if len(said) == 1 or random.random() < OWN_WORD else str(random.choice(said[1:]))


def colour_word(colour: str, random: np.random.Generator) -> str:
    """The colour's name, or one time in five another word for it."""
    others = SYNONYMS.get(colour, ())
    return str(random.choice(others)) if others and random.random() < 0.2 else colour


def behind(background: str, random: np.random.Generator) -> str:
    """The words for a background; plain colours are "on a beige background" in several ways."""
    head, _, kind = background.partition(" ")
    tail = f" {kind}" if kind else ""
    word = f"{colour_word(head, random)}{tail}"
    forms = (f"on {article(word)} background", f"on {article(word)} backdrop", f"against {article(word)} background")
    return str(random.choice(forms if random.random() < 0.8 else (f"on {word}", f"{word} background")))


def caption(facts: Facts, random: np.random.Generator) -> str:
    """One caption, drawn; some leave out the colour, the background or the view, so that short prompts work too."""
    thing = noun(facts, random)
    if facts.colour and random.random() < SAYS_COLOUR:
        thing = f"{colour_word(facts.colour, random)} {thing}"
    if random.random() < 0.9:
        thing = article(thing)
    place = behind(facts.background, random) if random.random() < SAYS_BACKGROUND else ""
    view = str(random.choice(VIEWS[facts.view])) if random.random() < SAYS_VIEW else ""
    style = str(random.choice(STYLES)) if random.random() < SAYS_STYLE else ""
    return _ordered(style + thing, place, view, random)


def _ordered(thing: str, place: str, view: str, random: np.random.Generator) -> str:
    """The parts in one of the orders that people use; the place is joined by a space or a comma."""
    if view.endswith("view") and random.random() < 0.25:
        return _joined([f"{view} of {thing}", place], random)
    if place and random.random() < 0.15:
        return _joined([thing, view, place], random)
    return _joined(
        [f"{thing} {place}".strip() if place[:2] in ("on", "ag") else f"{thing}, {place}".strip(", "), view], random
    )


def _joined(parts: Sequence[str], random: np.random.Generator) -> str:
    return ", ".join(part for part in parts if part)


def plain_caption(facts: Facts) -> str:
    """The one caption that evaluation uses: "a red armchair on a beige background, side view"."""
    thing = article(f"{facts.colour} {facts.kind}".strip())
    return f"{thing} on {article(facts.background)} background, {VIEWS[facts.view][0]}"
