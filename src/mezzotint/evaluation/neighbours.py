"""Nearest neighbours of feature vectors, exact and in pieces, for the measures that ask who is near whom."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mezzotint.errors import UsageError

ROWS = 1024
"""Rows of the distance table in memory at a time."""


def distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """Euclidean distances from rows of a (N, D) to all of b (M, D), ROWS of them at a time: (<= ROWS, M), float64.

    float64 because |a|^2 + |b|^2 - 2ab loses half its digits where it matters: between a picture and its copy.
    """
    centre = b.double().mean(0)
    b = b.double() - centre
    for rows in torch.split(a.double() - centre, ROWS):
        yield torch.cdist(rows, b, compute_mode="use_mm_for_euclid_dist")


def nearest(a: Tensor, b: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest rows of b for each row of a: distances (N, k), ascending, and their indices (N, k).

    Raises UsageError when b has fewer than k rows.
    """
    if len(b) < k:
        raise UsageError(f"{k} neighbours were asked of {len(b)} samples; expected at least {k}; use more samples")
    found = [d.topk(k, largest=False) for d in distances(a, b)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def radii(x: Tensor, k: int) -> Tensor:
    """The distance of each row of x (N, D) to its k-th nearest other row, (N,)."""
    return nearest(x, x, k + 1)[0][:, k]
