"""Grids that a learned one begins with: n steps that end above sigma = 0, as u = sigma/(alpha+sigma)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mezzotint.diffusion import grid
from mezzotint.diffusion.schedule import Schedule
from mezzotint.diffusion.spread import rectified

CLEAN = 0.002
"""sigma/alpha where the schedule of a model begins at data itself: noise of half a grey level."""

TOPS, BOTTOMS = (1000.0, 30.0, 15.0), (0.0, 0.01, 0.03)
"""Where they begin at most and end at least, in sigma/alpha.  Above 30 a network says little but its data's mean, and
one call that says little is a large part of four; noise that is left at 0.03 is the weights' of the last step to take.
"""

RHOS = {"logsnr": 1000.0, "karras": 7.0}
"""Karras' rho; with 1000 logsnr is even."""


def bounds(schedule: Schedule) -> tuple[float, float]:
    """The largest and the smallest sigma/alpha of a schedule, the latter above 0; the former may be infinite."""
    u = rectified(schedule.level(torch.tensor([1.0, 0.0], dtype=torch.float64)))
    high, low = u[0].item(), max(u[1].item(), CLEAN / (1 + CLEAN))
    return high / (1 - high) if high < 1 else math.inf, low / (1 - low)


def above_data(u: Sequence[float], end: float) -> Tensor:
    """A grid whose last level, where that is data itself, is at the sigma/alpha ``end`` instead, or halfway to the one
    before where that is lower."""
    last = u[-1] if u[-1] > 0 else min(end / (1 + end), u[-2] / 2)
    return torch.tensor([*u[:-1], last], dtype=torch.float64)


def bases(schedule: Schedule, n: int) -> dict[str, Tensor]:
    """Name -> u, (n+1,): every spacing from every top to every bottom within the schedule, and u spaced evenly."""
    high, low = bounds(schedule)
    return dict(_spaced(n, high, low))


def _spaced(n: int, high: float, low: float) -> Iterator[tuple[str, Tensor]]:
    for top in dict.fromkeys(min(t, high) for t in TOPS):
        for bottom in dict.fromkeys(max(b, low) for b in BOTTOMS):
            for name, rho in RHOS.items():
                u = rectified(grid.karras(n + 1, bottom, top, rho)[:-1])
                yield f"{name} from {top:.4g} to {bottom:.4g}", u
    top = high / (1 + high) if high < math.inf else 1.0
    yield "uniform", torch.linspace(top, low / (1 + low), n + 1, dtype=torch.float64)
