"""Which photographs are held apart to judge by: none that is the same picture as one that is learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mezzotint.tuning.checks import NEARLY, thumbs
from mezzotint.tuning.photos import Photo, parted

LEAST = 4
"""Different pictures from which on some are held apart."""

EVERY = 5
"""Of so many different pictures one judges."""


def alike(photos: Sequence[Photo], others: Sequence[Photo]) -> NDArray[np.bool_]:
    """(n, m): whether a photograph and another are the same picture, to the byte or nearly (``checks.NEARLY``)."""
    if not (photos and others):
        return np.zeros((len(photos), len(others)), bool)
    mine, theirs = (thumbs([photo.pixels for photo in several]) for several in (photos, others))
    # Of one plain colour the correlation is 0, so bytes are asked too.
    same = np.array([photo.sha256 for photo in photos])[:, None] == np.array([photo.sha256 for photo in others])
    found: NDArray[np.bool_] = (mine @ theirs.T > NEARLY) | same
    return found


def _among(photos: Sequence[Photo], others: Sequence[Photo]) -> list[bool]:
    """Of each photograph, whether it is the same picture as any of the others."""
    return [bool(row.any()) for row in alike(photos, others)]


def groups(photos: Sequence[Photo]) -> list[list[int]]:
    """The numbers of photographs that are one picture, directly or through others; by their first."""
    linked, seen, found = alike(photos, photos), set[int](), []
    for k in range(len(photos)):
        if k not in seen:
            found.append(sorted(_reached(k, linked)))
            seen.update(found[-1])
    return found


def _reached(start: int, linked: NDArray[np.bool_]) -> set[int]:
    reached, waiting = {start}, [start]
    while waiting:
        new = {int(j) for j in np.flatnonzero(linked[waiting.pop()])} - reached
        reached |= new
        waiting += new
    return reached


def held_apart(photos: Sequence[Photo], beside: Sequence[Photo] = ()) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """(to learn from, to judge by): of LEAST different pictures and more every fifth judges, spread over all, with all
    photographs that are the same picture; of fewer none.

    beside: photographs that are learnt from too, of other subjects; what is the same picture as one of them is learnt.
    """
    every = groups(photos)
    known = _among(photos, beside)
    free = [group for group in every if not any(known[k] for k in group)]
    held = {k for group in _spread(free, max(1, len(every) // EVERY)) for k in group} if len(every) >= LEAST else set()
    return parted(photos, held)


def _spread(found: Sequence[list[int]], n: int) -> list[list[int]]:
    """n of them, away from both ends; fewer where they are fewer."""
    if not found:
        return []
    places = dict.fromkeys(int(k) for k in np.linspace(0, len(found) - 1, n + 2).round()[1:-1])
    return [found[k] for k in places]


def too_few(photos: Sequence[Photo], held: Sequence[Photo]) -> Iterator[str]:
    """That of photographs which would be enough none is held apart, and why."""
    if held or len(photos) < LEAST:
        return
    n, then = len(groups(photos)), "none is held apart, so it is judged by what it learnt from"
    if n >= LEAST:
        yield f"every photograph is the same picture as one of another subject's: {then}"
    else:
        show = "show one picture" if n == 1 else f"show {n} different pictures"
        yield f"{len(photos)} photographs {show}: {then}; give {LEAST} or more that differ"


def never_learnt(judges: Sequence[Photo], learnt: Sequence[Photo]) -> tuple[tuple[Photo, ...], tuple[str, ...]]:
    """Further photographs to judge by that are no picture which is learnt from, and what people should know."""
    known = _among(judges, learnt)
    left = tuple(photo for photo, both in zip(judges, known, strict=True) if not both)
    if len(left) == len(judges):
        return left, ()
    first = next(photo.name for photo, both in zip(judges, known, strict=True) if both)
    rest = (
        f"the other {len(left)} judge" if left else "none is left, so it is judged by what it learnt from; give others"
    )
    return left, (f"{sum(known)} of the photographs to judge by are learnt from, {first} first: {rest}",)
