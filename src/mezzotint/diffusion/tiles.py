"""Planes in overlapping tiles: cut, worked on one by one, blended without seams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from mezzotint.errors import UsageError

Span = tuple[slice, slice]
"""Rows and columns of a tile."""


@dataclass(frozen=True)
class Tiles:
    """size: (height, width) of a tile.  overlap: of neighbours, at least.   Raises UsageError: out of range."""

    size: tuple[int, int]
    overlap: int

    def __post_init__(self) -> None:
        if min(self.size) < 1 or not 0 <= self.overlap < min(self.size):
            height, width = self.size
            raise UsageError(
                f"tiles of {width}x{height} with an overlap of {self.overlap}: expected less overlap than tile"
            )

    def spans(self, plane: tuple[int, int]) -> list[Span]:
        """Tiles that cover a plane (height, width), evenly spread, row by row; one where it is no larger."""
        sides = zip(plane, self.size, strict=True)
        rows, columns = ([slice(i, i + min(t, n)) for i in starts(n, t, self.overlap)] for n, t in sides)
        return list(product(rows, columns))


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where the fewest tiles begin that cover a length and overlap by at least so much, evenly spread."""
    if length <= tile:
        return [0]
    many = -(-(length - overlap) // (tile - overlap))
    return [round(k * (length - tile) / (many - 1)) for k in range(many)]


def ramp(length: int, overlap: int) -> Tensor:
    """(length,): 1 within, falling over the overlap towards both ends, never 0."""
    near = torch.arange(1, length + 1, dtype=torch.float32)
    return torch.minimum(near, near.flip(0)).clamp(max=overlap + 1) / (overlap + 1)


def blended(tiles: Tiles, plane: tuple[int, int], made: Callable[[Span], Tensor], scale: int = 1) -> Tensor:
    r"""The weighted mean of what is made of each tile, :math:`\sum_k w_k y_k / \sum_k w_k`, w falling to the edges.

    plane: (height, width) that is cut.  made: a span of it -> (B, C, scale h, scale w), one at a time, so that memory
    is bounded by a tile's work and the answer.   Returns: (B, C, scale height, scale width).
    """
    total: Tensor | None = None
    weights = torch.zeros([n * scale for n in plane])
    for rows, columns in tiles.spans(plane):
        part = made((rows, columns))
        into = tuple(slice(s.start * scale, s.stop * scale) for s in (rows, columns))
        high, wide = (ramp(s.stop - s.start, tiles.overlap * scale) for s in into)
        weight = high[:, None] * wide
        if total is None:
            total = part.new_zeros(
                (*part.shape[:2], *weights.shape), dtype=torch.promote_types(part.dtype, torch.float32)
            )
        total[:, :, into[0], into[1]] += part * weight.to(total)
        weights[into] += weight
    assert total is not None
    return total / weights.to(total)
