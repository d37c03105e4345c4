"""What is held out: whole products, and pairs that a model is tested on without ever having seen them together.

Pairs are of a *kind* of product with a colour or a background, not of one product with them: a prompt names the kind,
so a pair is new to the model only where no product of the kind was seen so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

SUBJECTS = 60
PAIR_SHARE = 0.10
LEAST_OF_A_KIND = 3
"""A product is held out only where so many others of its kind stay, so that its kind is known."""

MOST_OF_A_KIND = 2


def _share(*words: str) -> float:
    """A number in [0, 1) that is a function of the words alone."""
    digest = hashlib.sha256("/".join(words).encode()).digest()
    return int.from_bytes(digest[:8], "little") / 2**64


def held_colour(kind: str, colour: str) -> bool:
    """Whether pictures of this kind of product painted in this colour are kept for the test of composition."""
    return _share("colour", kind, colour) < PAIR_SHARE


def held_background(kind: str, background: str) -> bool:
    """Whether pictures of this kind of product on this background are kept for the test of composition."""
    return _share("background", kind, background) < PAIR_SHARE


def subjects(products: Iterable[tuple[str, str]], n: int = SUBJECTS) -> frozenset[str]:
    """The ids of n whole products that are never learnt from, of (id, kind) pairs; a function of those pairs alone.

    Taken in the order of a hash, at most MOST_OF_A_KIND of a kind, and only where LEAST_OF_A_KIND of it stay.
    """
    pairs = sorted(set(products))
    of_kind = Counter(kind for _, kind in pairs)
    taken: Counter[str] = Counter()
    chosen: list[str] = []
    for name, kind in sorted(pairs, key=lambda p: _share("subject", p[0])):
        if len(chosen) < n and taken[kind] < MOST_OF_A_KIND and of_kind[kind] - taken[kind] > LEAST_OF_A_KIND:
            taken[kind] += 1
            chosen.append(name)
    return frozenset(chosen)
