"""At which levels a distilled model is asked, and by which solver: words that its ``model.json`` can say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import Flow
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.spread import rectified
from mezzotint.errors import UsageError
from mezzotint.fewstep.bases import bounds
from mezzotint.pretrained.plan import plan
from mezzotint.pretrained.spec import QUALITIES, Distilled, Sampling, Spec
from mezzotint.pretrained.stage_model import schedule_of

SOLVERS = {"consistency": "lcm:sigma_data=0", "trajectory": "ddim"}
"""A consistent model jumps to x0 and adds noise again; one that follows trajectories makes steps of them."""

TOP = 80.0
"""sigma/alpha of the first call at most: above it nothing is left of any data.  A rectified flow begins at noise alone.
"""

AGAIN = 0.8
"""sigma/alpha at which a consistent model is asked last.  Geng et al., 2024, sec. 4, 0.821 for two calls."""


def last_of(spec: Spec, by: str, calls: int) -> float:
    """sigma/alpha of the last call: of Karras' grid of one step more, which leaves as much to each call; the largest
    where there is one call alone."""
    high, low = bounds(schedule_of(spec))
    high = min(high, TOP)
    if calls == 1:
        return high
    if by == "consistency":
        return AGAIN
    ramp = (calls - 1) / calls
    return float((high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7)


def sampled(spec: Spec, by: str, calls: int, last: float | None = None) -> Sampling:
    """How a model is sampled when it is distilled.   last: sigma/alpha of the last call; None is ``last_of``.

    Raises UsageError for one beyond the schedule.
    """
    schedule = schedule_of(spec)
    high, low = bounds(schedule)
    end = last_of(spec, by, calls) if last is None else last
    if not low <= end <= high or (calls > 1 and end >= high):
        raise UsageError(f"the last call is at {end:g}; expected sigma/alpha from {low:.4g} to below {high:.4g}")
    flows = isinstance(schedule, Flow)
    grid: dict[str, Any] = {"name": "karras", "sigma_min": end / (1 + end) if flows else end}
    if flows or high > TOP:
        grid["sigma_max"] = 1.0 if flows else TOP
    return Sampling(SOLVERS[by], grid, calls)


def few_spec(spec: Spec, sampling: Sampling, distilled: Distilled) -> Spec:
    """What the distilled model says of itself."""
    return replace(spec, sampling=dict.fromkeys(QUALITIES, sampling), distilled=distilled)


def way(spec: Spec, sampling: Sampling) -> tuple[Solver[Any], Level]:
    """The solver and the levels, calls + 1."""
    found = plan(replace(spec, sampling={"standard": sampling}))
    return found.solver, found.levels


def asked_at(levels: Level) -> tuple[float, ...]:
    """u of the calls."""
    return tuple(rectified(levels)[:-1].tolist())


def as_pairs(levels: Level) -> tuple[tuple[float, float], ...]:
    """(alpha, sigma) of each."""
    pairs = torch.stack((levels.alpha, levels.sigma), 1).double().tolist()
    return tuple((alpha, sigma) for alpha, sigma in pairs)
