"""What is said of a picture while an adapter learns: the product's name, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mezzotint.errors import UsageError
from mezzotint.products.captions import STYLES, article, behind
from mezzotint.products.colours import COLOURS, delta_e, nearest
from mezzotint.products.colours import NAMES as COLOUR_NAMES
from mezzotint.tuning.masks import backdrop
from mezzotint.tuning.photos import Photo

LONGEST = 60
NAMED = 15.0
"""A backdrop is called by a colour's name where it is within this CIE76 difference of it."""


@dataclass(frozen=True)
class Subject:
    """What is learnt.

    name: what a prompt calls it, "acme bag".  kind: what it is an instance of, "bag", which other such things are
    called too.   Raises UsageError for an empty or an endless name.
    """

    name: str
    kind: str

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("class", self.kind)):
            if not text.strip() or len(text) > LONGEST or not text.isprintable():
                raise UsageError(f"{what} {text[:80]!r}; expected a few words, such as 'acme bag'")


def subject(name: str, kind: str | None) -> Subject:
    """A subject; its kind is the last word of its name where nobody says."""
    clean = " ".join(name.split())
    return Subject(clean, " ".join((kind or clean.rpartition(" ")[2]).split()))


def said(name: str, background: str, random: np.random.Generator) -> str:
    """A caption of a thing by its name on a background by its name, "" is not said; words and order vary."""
    thing = article(name) if random.random() < 0.9 else name
    style = str(random.choice(STYLES)) if random.random() < 0.25 else ""
    if not background:
        return f"{style}{thing}"
    place = behind(background, random)
    return f"{style}{thing} {place}" if place[:2] in ("on", "ag") else f"{style}{thing}, {place}"


def backdrop_name(photo: Photo) -> str:
    """The colour of a photograph's plain background, "" where it is not plain or has no name."""
    colour = backdrop(photo.pixels)
    if colour is None:
        return ""
    name = COLOUR_NAMES[int(nearest(colour))]
    return name if float(delta_e(colour, COLOURS[name])) <= NAMED else ""
