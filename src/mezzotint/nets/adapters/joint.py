"""One layer of a file that is several of the base, q, k and v in one matrix: what it says of each, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mezzotint.nets.adapters.changes import Cut, Ranges, taken
from mezzotint.nets.adapters.contents import Held
from mezzotint.nets.adapters.layouts import Pieces

ROWS = ("up", "diff", "diff_b", "hada_w1_a", "hada_w2_a", "magnitude")
"""Tensors whose first axis is that of the layer's output."""

SHARED = ("down", "mid", "hada_w1_b", "hada_w2_b")
"""Tensors that say the same of every row."""


def rows_of(pieces: Pieces) -> int:
    """Output rows of them all."""
    return sum(end - begin for _, rows in pieces for begin, end in rows)


def apart(one: Held, pieces: Pieces) -> dict[str, Held] | None:
    """What a file's layer says of each of the base's; None where none can be told alone.

    Layers of which nothing is said are left out, and so are components of the rank that say nothing of a layer: those
    of its neighbours, where ``together`` put different matrices side by side.
    """
    if all(rows == () for _, rows in pieces):
        return dict.fromkeys((path for path, _ in pieces), one)
    of = rows_of(pieces)
    known = {*ROWS, *SHARED}
    if not set(one.tensors) <= known or any(len(one.tensors[k]) != of for k in ROWS if k in one.tensors):
        return None
    made = {path: _rows(one, Cut(rows, of)) for path, rows in pieces}
    return _without_nothing(made) if len(made) > 1 else made


def _rows(one: Held, cut: Cut) -> Held:
    return Held({k: taken(t, cut) if k in ROWS else t for k, t in one.tensors.items()}, one.alpha)


def _without_nothing(made: Mapping[str, Held]) -> dict[str, Held]:
    what = set(next(iter(made.values())).tensors)
    if what <= {"diff", "diff_b"}:
        return _saying({path: any(map(_any, one.tensors.values())) for path, one in made.items()}, made)
    if not {"down", "up"} <= what <= {"down", "up", "magnitude"}:
        return dict(made)
    own = {path: (one.tensors["up"].flatten(1) != 0).any(0) for path, one in made.items()}
    alone = int(torch.stack(list(own.values())).sum(0).max()) == 1
    trimmed = {path: _trimmed(one, own[path]) if alone and _any(own[path]) else one for path, one in made.items()}
    return trimmed if "magnitude" in what else _saying({path: _any(x) for path, x in own.items()}, trimmed)


def _saying(says: Mapping[str, bool], made: Mapping[str, Held]) -> dict[str, Held]:
    """Those that say something, all where none does."""
    return {path: one for path, one in made.items() if says[path] or not any(says.values())}


def _any(x: Tensor) -> bool:
    return bool(x.any())


def _trimmed(one: Held, own: Tensor) -> Held:
    """Without the components of the rank that are not its own; as strong as before."""
    assert one.alpha is not None
    scale = one.alpha / len(own)
    tensors = {**one.tensors, "down": one.tensors["down"][own], "up": one.tensors["up"][:, own].contiguous()}
    return Held(tensors, scale * int(own.sum()))


def together(held: Mapping[str, Held], pieces: Pieces) -> Held:
    """What a file's layer says for those of the base of which something is said: the inverse of ``apart``.

    Matrices that are shared stay as they are; different ones are put side by side, of a rank that is their sum.
    Raises ValueError that says why it cannot be said.
    """
    present = [(held[path], rows) for path, rows in pieces if path in held]
    if all(rows == () for _, rows in present):
        return present[0][0]
    kinds = {frozenset(one.tensors) for one, _ in present}
    if len(kinds) > 1 or not next(iter(kinds)) <= {*ROWS, *SHARED}:
        raise ValueError("it is of a kind that cannot be said of them together")
    if len(present) < len(pieces) and not next(iter(kinds)) <= {"down", "up", "diff", "diff_b"}:
        raise ValueError("something is said of only some of them")
    of = rows_of(pieces)
    if not _shares([one for one, _ in present]):
        present = _side_by_side(present)
    first = present[0][0]
    rows = {k: _put([(one.tensors[k], ranges) for one, ranges in present], of) for k in ROWS if k in first.tensors}
    return Held({**first.tensors, **rows}, first.alpha)


def _shares(held: Sequence[Held]) -> bool:
    """Whether what is said of every row is the same."""
    first = held[0]
    names = [k for k in SHARED if k in first.tensors]
    alike = all(
        one.tensors[k].shape == first.tensors[k].shape and torch.equal(one.tensors[k], first.tensors[k])
        for one in held
        for k in names
    )
    return alike and all(one.alpha == first.alpha for one in held)


def _side_by_side(present: Sequence[tuple[Held, Ranges]]) -> list[tuple[Held, Ranges]]:
    """LoRAs with matrices of their own as LoRAs of one rank, that have the same."""
    if any(set(one.tensors) - {"down", "up", "magnitude"} for one, _ in present):
        raise ValueError("their matrices differ")
    scales = {(one.alpha or 0.0) / (one.rank or 1) for one, _ in present}
    if len(scales) > 1:
        raise ValueError("they are put on in different strengths")
    down = torch.cat([one.tensors["down"] for one, _ in present])
    made, at = [], 0
    for one, ranges in present:
        up, rank = one.tensors["up"], one.tensors["up"].shape[1]
        wide = up.new_zeros(len(up), len(down), *up.shape[2:])
        wide[:, at : at + rank] = up
        made.append((Held({**one.tensors, "down": down, "up": wide}, next(iter(scales)) * len(down)), ranges))
        at += rank
    return made


def _put(parts: Sequence[tuple[Tensor, Ranges]], of: int) -> Tensor:
    """Rows where they belong, zeros elsewhere: the inverse of ``taken``."""
    first = parts[0][0]
    whole = first.new_zeros(of, *first.shape[1:])
    for x, ranges in parts:
        at = 0
        for begin, end in ranges:
            whole[begin:end] = x[at : at + end - begin]
            at += end - begin
    return whole
