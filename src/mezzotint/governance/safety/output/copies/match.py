"""Whether one picture is a copy of another: candidates by their windows' vectors, then each laid over and compared.

A copy may be flipped, turned by up to seven degrees or so, cut to two thirds of each side, scaled, and written over in
part.  The score is the share of the structure, block by block, that is the same once the two are laid over each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.governance.safety.output.copies.sign import (
    SIDE,
    WINDOWS,
    Floats,
    Signature,
    Thumb,
    coarse,
    luma,
    normalised,
    resized,
    turned,
)

Spectrum = NDArray[np.complexfloating[Any, Any]]

ANGLES = (-5.0, 0.0, 5.0)
MORE_ANGLES = (-2.5, 2.5)
MORE_SIDES = (-3, 3)
PADDED = 96
CANDIDATES = 6
LIKELY = 0.25
"""The least cosine of a candidate's vector."""

BLOCK = 8
TEXTURE = 8.0
"""A block's least energy, of 64 pixels that have about 1 each where there is structure."""

LEAST = 4
"""Blocks with structure in two pictures laid over each other: fewer say nothing."""

HOPELESS = 0.3
"""A score that no small turn makes large."""

HIDDEN = 0.15
"""The share of blocks that may differ wherever they are."""

DIFFERENT, LEAST_SHOWN = 5.0, 1e4
"""What a difference of pixels weighs; the least sum of squares that counts as something shown."""

SHADE, SAME = 12, 24
"""Grey levels by which a block is no ground, and within which two are of one colour."""

NEAR = 0.7
"""The score from which two pictures are near-copies; measured (docs/measured.md)."""


@dataclass(frozen=True)
class Pose:
    """How a query may lie in another picture: mirrored, turned by degrees, and how many thumbnail pixels it takes."""

    flip: bool
    angle: float
    side: int


@dataclass(frozen=True, eq=False)
class Laid:
    """A query in a pose: rgb (n, n, 3), structure (n, n), the conjugate of its spectrum."""

    rgb: Thumb
    structure: Floats
    spectrum: Spectrum


@dataclass(frozen=True, eq=False)
class Query:
    """A picture whose originals are looked for."""

    signature: Signature
    _laid: dict[Pose, Laid] = field(default_factory=dict)

    @cached_property
    def vectors(self) -> Floats:
        """(2 x angles, 144): mirrored or not, turned back."""
        return np.stack([coarse(luma(self.posed(flip, angle))) for flip, angle in POSES])

    def posed(self, flip: bool, angle: float) -> Thumb:
        """The thumbnail, mirrored and turned."""
        rgb = self.signature.rgb
        return turned(np.ascontiguousarray(rgb[:, ::-1]) if flip else rgb, angle)

    def laid(self, pose: Pose) -> Laid:
        """As it would lie."""
        if pose not in self._laid:
            rgb = resized(self.posed(pose.flip, pose.angle), pose.side)
            structure = normalised(luma(rgb).astype(np.float32))
            self._laid[pose] = Laid(rgb, structure, np.conj(np.fft.rfft2(structure, (PADDED, PADDED))))
        return self._laid[pose]


POSES = tuple(product((False, True), ANGLES))


def candidates(query: Query, vectors: Floats) -> list[tuple[int, Pose]]:
    """The likeliest (entry, pose) of entries' vectors (N, windows, 144), each entry once, the likeliest first."""
    cosines = np.einsum("qd,nwd->nqw", query.vectors, vectors, optimize=True).reshape(len(vectors), -1)
    best = cosines.argmax(1)
    likely = cosines[np.arange(len(vectors)), best]
    order = np.argsort(-likely)[:CANDIDATES]
    return [(int(i), _pose(int(best[i]))) for i in order if likely[i] >= LIKELY]


def _pose(number: int) -> Pose:
    pose, window = divmod(number, len(WINDOWS))
    flip, angle = POSES[pose]
    return Pose(flip, angle, WINDOWS[window][2])


def score(query: Query, entry: Signature, hint: Pose) -> float:
    """0 ... 1 of a query and an entry near a pose: turned a little, then scaled a little."""
    spectrum = np.fft.rfft2(entry.structure, (PADDED, PADDED))
    best, found = hint, _agreement(query, hint, entry, spectrum)
    if found < HOPELESS:
        return found
    for angle, side in (*((more, 0) for more in MORE_ANGLES), *((0.0, more) for more in MORE_SIDES)):
        pose = replace(best, angle=best.angle + angle, side=best.side + side)
        if pose.side <= SIDE + 2:
            best, found = max((best, found), (pose, _agreement(query, pose, entry, spectrum)), key=_second)
    return found


def _second(pair: tuple[Pose, float]) -> float:
    return pair[1]


def _agreement(query: Query, pose: Pose, entry: Signature, spectrum: Spectrum) -> float:
    """Of a query laid over an entry where their correlation is largest."""
    part = query.laid(pose)
    n = len(part.structure)
    found = np.fft.irfft2(spectrum * part.spectrum, (PADDED, PADDED))
    top, left = (int(k) - PADDED if k > SIDE else int(k) for k in np.unravel_index(found.argmax(), found.shape))
    theirs = tuple(slice(max(0, k), min(SIDE, k + n)) for k in (top, left))
    mine = tuple(slice(one.start - k, one.stop - k) for one, k in zip(theirs, (top, left), strict=True))
    share = part.structure[mine].size / part.structure.size
    alike = _structure(part.structure[mine], entry.structure[theirs])
    same = _colour(part.rgb[mine], entry.rgb[theirs], (query.signature.ground, entry.ground))
    blocks = max(min(_mean(alike[seen]), _mean(same[seen])) for seen in _seen(alike.shape))
    return max(blocks, _pixels(part.rgb[mine], entry.rgb[theirs], (query.signature.ground, entry.ground))) * share


def _pixels(a: Thumb, b: Thumb, grounds: tuple[Floats, Floats]) -> float:
    """1 - 5 r of what differs over what is shown, r = |a - b|² / max(|a - ground|², |b - ground|²): pictures of too
    little structure for blocks are copies where all their pixels are nearly the same."""
    x, y = a.astype(np.float32), b.astype(np.float32)
    shown = max(float(((z - ground) ** 2).sum()) for z, ground in zip((x, y), grounds, strict=True))
    return 0.0 if shown < LEAST_SHOWN else max(0.0, 1 - DIFFERENT * float(((x - y) ** 2).sum()) / shown)


def _seen(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """All blocks; then all but those above, below, left, right, where something may have been written over."""
    (rows, columns), every = shape, slice(None)
    yield every, every
    yield from ((part, every) for part in (slice(rows * 3 // 10, None), slice(rows - rows * 3 // 10)))
    yield from ((every, part) for part in (slice(columns * 3 // 10, None), slice(columns - columns * 3 // 10)))


def _mean(blocks: Floats) -> float:
    """Of what is told (not NaN), the worst left out; 0 where too little is."""
    told = np.sort(blocks[~np.isnan(blocks)])
    return float(told[int(HIDDEN * len(told)) :].mean()) if len(told) >= LEAST else 0.0


def _structure(a: Floats, b: Floats) -> Floats:
    """The correlation of each block, 0 where it is negative, NaN where neither has structure."""
    both, mine, theirs = (_sums(x) for x in (a * b, a * a, b * b))
    energy = np.maximum(mine, theirs)
    return np.where(energy > TEXTURE, np.maximum(both, 0) / (energy + 1e-6), np.nan).astype(np.float32)


def _colour(a: Thumb, b: Thumb, grounds: tuple[Floats, Floats]) -> Floats:
    """Whether each block has the same colour in both, NaN where both show the ground alone."""
    mine, theirs = (_sums(x.astype(np.float32)) / BLOCK**2 for x in (a, b))
    shown = np.maximum(*(np.abs(x - g).max(-1) for x, g in zip((mine, theirs), grounds, strict=True))) > SHADE
    return np.where(shown, np.abs(mine - theirs).max(-1) < SAME, np.nan).astype(np.float32)


def _sums(x: Floats) -> Floats:
    """Over whole blocks of (H, W, *)."""
    rows, columns = (n // BLOCK for n in x.shape[:2])
    cut = x[: rows * BLOCK, : columns * BLOCK]
    return np.asarray(cut.reshape(rows, BLOCK, columns, BLOCK, *x.shape[2:]).sum((1, 3)), np.float32)


def nearest(query: Signature, vectors: Floats, entries: Sequence[Signature]) -> tuple[int, float]:
    """(entry, score) of the best match; (-1, 0.0) where there is none."""
    asked = Query(query)
    scored = [(i, score(asked, entries[i], pose)) for i, pose in candidates(asked, vectors)]
    return max(scored, key=lambda one: one[1], default=(-1, 0.0))
