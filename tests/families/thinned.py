"""Cases, thinned: the others are slow.  Of a grid each value of each axis is left at least once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest


def thinned(*axes: Iterable[Any]) -> list[Any]:
    """pytest's parameters for all combinations; but as many as the longest axis has values they are slow.

    The shorter axes count beside the longest as digits do, so that their values also meet each other.
    """
    values = [list(axis) for axis in axes]
    longest = max(map(len, values))
    kept = {_beside(i, [len(axis) for axis in values], longest) for i in range(longest)}
    return [
        pytest.param(
            *(axis[i] for axis, i in zip(values, at, strict=True)), marks=() if at in kept else pytest.mark.slow
        )
        for at in product(*(range(len(axis)) for axis in values))
    ]


def some(values: Iterable[Any], *kept: Any) -> list[Any]:
    """pytest's parameters for all values, of which those that are not ``kept`` are slow."""
    return [pytest.param(value, marks=() if value in kept else pytest.mark.slow) for value in values]


def _beside(i: int, sizes: list[int], longest: int) -> tuple[int, ...]:
    """What is beside the longest axis' value i on each axis."""
    at, left = [], i
    for size in sizes:
        if size == longest:
            at.append(i)
        else:
            at.append(left % size)
            left //= size
    return tuple(at)
