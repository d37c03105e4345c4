"""Captions of what nobody photographed: a kind of product in any colour, before anything, from any side.

Most kinds were photographed in a few colours alone, and what a model makes of the others is its own; it can be asked,
and a ranker can say whether the product is still there (``rewarding``).  Pairs that are held out stay so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mezzotint.products.asked import UNNAMED
from mezzotint.products.captions import Facts, caption
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.scene import draw_background
from mezzotint.products.split import held_colour
from mezzotint.products.textures import SOURCES

COLOURED = 0.75
"""Share of products that have a colour: the others look as they were made."""

BEHIND = dict.fromkeys(SOURCES, ())


def invented(kind: str, random: np.random.Generator) -> Facts:
    """A composition of a kind, of no held-out pair, and never of one colour before itself."""
    background = draw_background(kind, False, BEHIND, random)
    free = [name for name in NAMES if not held_colour(kind, name) and name != background.split()[0]]
    colour = str(random.choice(free)) if random.random() < COLOURED else ""
    return Facts(kind, kind, colour, background, str(random.choice(VIEW_NAMES)))


def captions(named: Sequence[int], drawn: Tensor) -> list[str]:
    """One of each row.   named: numbers of ``judging.kinds``; any of them in the place of UNNAMED.
    drawn: (rows,) float64 in (0, 1), the chance of each."""
    return [_caption(kind, float(u)) for kind, u in zip(named, drawn, strict=True)]


def _caption(kind: int, u: float) -> str:
    random = np.random.default_rng(int(u * 2**52))
    any_of = int(random.integers(len(kinds())))
    return caption(invented(kinds()[any_of if kind == UNNAMED else kind], random), random)
