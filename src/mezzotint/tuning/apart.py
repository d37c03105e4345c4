"""Which photographs are held apart to judge by: none that is the same picture as one that is learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import eq, lt

import numpy as np
from numpy.typing import NDArray

from mezzotint.tuning.checks import NEARLY, thumbs
from mezzotint.tuning.photos import Photo

LEAST = 4
"""Different pictures from which on some are held apart."""

EVERY = 5
"""Of so many different pictures one judges."""


def alike(photos: Sequence[Photo], others: Sequence[Photo]) -> NDArray[np.bool_]:
    """(n, m): whether a photograph and another are the same picture, to the byte or nearly (``checks.NEARLY``), as it
    is or mirrored: a copy of a mirrored one is a copy too."""
    if not (photos and others):
        return np.zeros((len(photos), len(others)), bool)
    mine, theirs = (thumbs([photo.pixels for photo in several]) for several in (photos, others))
    mirrored = thumbs([photo.pixels[:, ::-1] for photo in others])
    # Of one plain colour the correlation is 0, so bytes are asked too.
    same = np.array([photo.sha256 for photo in photos])[:, None] == np.array([photo.sha256 for photo in others])
    found: NDArray[np.bool_] = (np.maximum(mine @ theirs.T, mine @ mirrored.T) > NEARLY) | same
    return found


def _among(photos: Sequence[Photo], others: Sequence[Photo]) -> list[bool]:
    """Of each photograph, whether it is the same picture as any of the others."""
    return [bool(row.any()) for row in alike(photos, others)]


def groups(photos: Sequence[Photo]) -> list[list[int]]:
    """The numbers of photographs that are the same picture as their first; not through others, or the frames of a
    turntable would be one."""
    return _grouped(alike(photos, photos))


def _grouped(linked: NDArray[np.bool_]) -> list[list[int]]:
    found: list[list[int]] = []
    for k, row in enumerate(linked):
        first = next((group for group in found if row[group[0]]), None)
        if first is None:
            found.append([k])
        else:
            first.append(k)
    return found


def held_apart(photos: Sequence[Photo], beside: Sequence[Photo] = ()) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """(to learn from, to judge by): of LEAST different pictures and more every fifth judges, spread over all, with all
    photographs that are the same picture; of fewer none.

    What is like one that judges and is of another group is in neither.  All that learning goes without is a fifth of
    the photographs at most, of LEAST different pictures a quarter, or one; where that is not possible, none judges.

    beside: photographs that are learnt from too, of other subjects; what is the same picture as one of them is learnt.
    """
    linked = alike(photos, photos)
    every, known = _grouped(linked), _among(photos, beside)
    if len(every) < LEAST:
        return tuple(photos), ()
    free = [group for group in every if not any(known[k] for k in group)]
    room = max(1, len(photos) // min(EVERY, len(every)))
    held = [k for group in _smallest(free, linked, max(1, len(every) // EVERY), room) for k in group]
    lost: list[bool] = np.asarray(linked[held].any(0)).tolist()
    learnt = tuple(photo for photo, without in zip(photos, lost, strict=True) if not without)
    return learnt, tuple(photos[k] for k in sorted(held))


def _smallest(found: Sequence[list[int]], linked: NDArray[np.bool_], n: int, room: int) -> list[list[int]]:
    """n groups, those that take the fewest photographs from learning, spread where there is a choice; fewer where they
    would take more than ``room``."""
    taken = [int(linked[group].any(0).sum()) for group in found]
    fit = [size for size, total in _totals(sorted(taken)[:n]) if total <= room]
    if not fit:
        return []
    less, level = (
        [group for group, size in zip(found, taken, strict=True) if is_it(size, fit[-1])] for is_it in (lt, eq)
    )
    return [*less, *_spread(level, len(fit) - len(less))]


def _totals(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each, and the sum until it."""
    return zip(sizes, accumulate(sizes), strict=True)


def _spread(found: Sequence[list[int]], n: int) -> list[list[int]]:
    """n of them, away from both ends; fewer where they are fewer."""
    places = dict.fromkeys(int(k) for k in np.linspace(0, len(found) - 1, n + 2).round()[1:-1])
    return [found[k] for k in places]


def too_few(photos: Sequence[Photo], held: Sequence[Photo], beside: Sequence[Photo] = ()) -> Iterator[str]:
    """That of photographs which would be enough none is held apart, and why.   beside: as of ``held_apart``."""
    if held or len(photos) < LEAST:
        return
    n, then = len(groups(photos)), "none is held apart, so it is judged by what it learnt from"
    if n >= LEAST:
        same = "the same picture as one of another subject's"
        crowd = "like too many others to be held apart with them"
        yield f"every photograph is {same if all(_among(photos, beside)) else crowd}: {then}"
    else:
        show = "show one picture" if n == 1 else f"show {n} different pictures"
        yield f"{len(photos)} photographs {show}: {then}; give {LEAST} or more that differ"


def left_out(photos: Sequence[Photo], learnt: Sequence[Photo], held: Sequence[Photo]) -> Iterator[str]:
    """That some photographs are neither learnt from nor judge."""
    n = len(photos) - len(learnt) - len(held)
    if n:
        yield f"{n} photographs are nearly the same as some that judge: they are neither learnt from, nor do they judge"


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
