"""Grids as values: made from numbers or by hand, joined, turned round, rescaled, given indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import TableSchedule
from mezzotint.errors import UsageError

Array = NDArray[np.float64]

Coordinate = Literal["ratio", "rectified"]
"""What a grid's numbers are: ``ratio`` sigma/alpha, giving (1, r); ``rectified`` sigma/(alpha+sigma) in [0, 1], giving
(1-u, u).
"""

Rounding = Literal["none", "nearest", "down"]
"""How a fractional index is fed to the network."""


def from_values(values: Array | Sequence[float], coordinate: Coordinate = "ratio") -> Level:
    """The levels of sigma/alpha, as (1, r), or of u = sigma/(alpha+sigma), as (1-u, u).

    Args: values: (N+1,).   Returns: (N+1,).
    """
    value = torch.as_tensor(np.asarray(values, np.float64).copy())
    return Level(torch.ones_like(value), value) if coordinate == "ratio" else Level(1 - value, value)


def custom(values: Level | Sequence[float], coordinate: Coordinate = "ratio") -> Level:
    """A grid given by hand: levels, or the values of a coordinate, from most to least noise.

    Raises UsageError for fewer than two, for one that is not a finite number >= 0 (<= 1 where rectified), or an order
    that does not fall.
    """
    levels = values if isinstance(values, Level) else _from_user(values, coordinate)
    if len(levels) < 2:
        raise UsageError(f"a custom grid needs at least two levels; this one has {len(levels)}")
    ratio = levels.sigma / levels.alpha
    rising = (ratio[1:] >= ratio[:-1]).nonzero()
    if len(rising):
        i = int(rising[0]) + 1
        raise UsageError(f"a custom grid must fall from noise to data; level {i} is not below level {i - 1}")
    return levels


def _from_user(values: Sequence[float], coordinate: Coordinate) -> Level:
    top = 1.0 if coordinate == "rectified" else math.inf
    for i, v in enumerate(values):
        if not (0 <= v <= top and math.isfinite(v)):
            raise UsageError(f"level {i} of the custom grid is {v}; expected a finite number from 0 to {top}")
    return from_values(values, coordinate)


def joined(*parts: Level) -> Level:
    """Grids end to end; the index is kept where every part has one."""
    index = [p.index for p in parts if p.index is not None]
    return Level(
        torch.cat([p.alpha for p in parts]),
        torch.cat([p.sigma for p in parts]),
        torch.cat(index) if len(index) == len(parts) else None,
    )


def clean(index: float | None = None) -> Level:
    """The single level (1, 0), (1,); an index is for grids that carry one, no network is called there."""
    one = torch.ones(1, dtype=torch.float64)
    return Level(one, 1 - one, None if index is None else one * index)


def variance_preserving(levels: Level) -> Level:
    """The same levels scaled to alpha^2 + sigma^2 = 1: the same pictures, x differs by that scale."""
    n = levels.scale
    return Level(levels.alpha / n, levels.sigma / n, levels.index)


def variance_exploding(levels: Level) -> Level:
    """The same levels scaled to alpha = 1, as k-diffusion has them.  Raises UsageError where alpha = 0."""
    if bool((levels.alpha == 0).any()):
        raise UsageError(
            "a grid that starts at alpha = 0 cannot be written with alpha = 1; leave it as it is, or start lower"
        )
    return Level(torch.ones_like(levels.alpha), levels.sigma / levels.alpha, levels.index)


def rising(levels: Level) -> Level:
    """A grid turned round, from data to noise, for inversion and the forward process."""
    index = None if levels.index is None else levels.index.flip(0)
    return Level(levels.alpha.flip(0), levels.sigma.flip(0), index)


def indexed(levels: Level, table: TableSchedule, rounding: Rounding = "none") -> Level:
    """The same levels with the table's index of each, fractional or rounded as some tools feed it to the network."""
    index = table.index(levels.logsnr)
    rounded = {"none": index, "nearest": index.round(), "down": (index + 1e-6).floor()}[rounding]
    return Level(levels.alpha, levels.sigma, rounded)


def without_cleanest(levels: Level) -> Level:
    """A grid less the level before its last, so that the final step is longer: of N+1 steps, N are left.

    diffusers' multistep schedulers place N+1 indices and do this, k-diffusion's samplers may ("discard next-to-last
    sigma").
    """
    return joined(levels[:-2], levels[-1:])


def noise_range(levels: Level) -> tuple[float, float]:
    """The smallest and largest sigma/alpha above 0 of some levels.

    Raises UsageError where the largest is infinite (alpha = 0).
    """
    ratio = levels.sigma / levels.alpha
    low, high = ratio[ratio > 0].min().item(), ratio.max().item()
    if math.isinf(high):
        raise UsageError(
            "this grid needs a finite sigma/alpha to start from, but the schedule ends at alpha = 0;"
            " give sigma_max, or use a grid over t (uniform, trailing, flow)"
        )
    return low, high
