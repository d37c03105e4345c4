"""What distilled guidance is worth on noise that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Denoiser
from mezzotint.fewstep.calibrated import distances
from mezzotint.fewstep.problem import Problem
from mezzotint.pretrained.plan import Plan

SHARE = 0.7
"""Of the distance that guidance moves a picture by, what may be left; and so for as many rows as ``MOST``."""
MOST = 0.75


@dataclass(frozen=True)
class Checked:
    """On held-out rows, at one scale, the root mean squared distance to the pictures of two calls: without guidance,
    and with it in the weights.   better: the share of rows that are nearer than without guidance.
    """

    scale: float
    without: float
    found: float
    better: float

    @property
    def holds(self) -> bool:
        """Whether it may be used."""
        return self.found < SHARE * self.without and self.better > MOST


def checked(problem: Problem, plan: Plan, base: Denoiser, student: Denoiser) -> Checked:
    """problem: its denoiser is guided by two calls.   Ends where the plan's solver leads, as they are shown."""
    goal = problem.shown(_ends(problem, plan))

    def far(denoiser: Denoiser) -> Tensor:
        """Of each row, (B,); infinite where it is not finite."""
        ends = problem.shown(_ends(replace(problem, denoiser=denoiser), plan))
        return distances(ends, goal).nan_to_num(torch.inf, torch.inf)

    without, found = far(base), far(student)
    root = [e.mean().sqrt().item() for e in (without, found)]
    return Checked(plan.scale, root[0], root[1], (found < without).double().mean().item())


def _ends(problem: Problem, plan: Plan) -> Tensor:
    return problem.all_ends(problem.held_out, plan.levels, plan.solver).cpu()


def measured(found: Sequence[Checked]) -> list[dict[str, Any]]:
    """As JSON; what is not finite is None."""
    said = ({k: v if math.isfinite(v) else None for k, v in asdict(one).items()} for one in found)
    return list(said)
