"""The held-out check of a distilled model: against the model that it began as, in the same calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mezzotint.codecs.base import Codec
from mezzotint.diffusion.denoiser import Denoiser
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.base import Solver
from mezzotint.evaluation.kernel import kernel_distance
from mezzotint.fewstep.calibrated import errors
from mezzotint.fewstep.problem import Problem


@dataclass(frozen=True)
class Held:
    """On held-out rows, of the base in as many calls and of what was learnt.

    measure: by what.  better: the share of rows that are nearer than at the start, None where no rows belong together.
    """

    measure: str
    start: float
    found: float
    better: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it may be kept: nearer in the mean, and for most rows."""
        return self.found < self.start and (self.better is None or self.better > 0.5)

    @property
    def said(self) -> dict[str, Any]:
        """For documents; what is infinite is None."""
        table = asdict(self)
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in table.items()}


def near_teacher(problem: Problem, student: Denoiser, levels: Level, solver: Solver[Any], ends: Tensor) -> Held:
    """By the root mean squared distance to the teacher's ends from the same noise, as they are shown.

    ends: of the held-out rows, (held, *shape).
    """
    rows = problem.held_out
    goals = torch.zeros(len(problem.seeds), *problem.shape)
    goals[list(rows)] = ends
    start, found = (
        errors(replace(problem, denoiser=d), rows, levels, solver, goals) for d in (problem.denoiser, student)
    )
    better = (found < start).double().mean().item()
    return Held("distance to the teacher", start.mean().sqrt().item(), found.mean().sqrt().item(), better)


def near_data(
    problem: Problem, student: Denoiser, levels: Level, solver: Solver[Any], codec: Codec,
    features: Callable[[Tensor], Tensor], real: Tensor,
) -> Held:  # fmt: skip
    """By the kernel distance of pictures to held-out ones.   real: (N, C, H, W) uint8, 200 at least."""
    reference = features(real)
    values = [_kernel(replace(problem, denoiser=d), levels, solver, codec, features, reference)
              for d in (problem.denoiser, student)]  # fmt: skip
    return Held("kernel distance to held-out pictures", *values)


def _kernel(
    problem: Problem, levels: Level, solver: Solver[Any], codec: Codec, features: Callable[[Tensor], Tensor],
    reference: Tensor,
) -> float:  # fmt: skip
    """Infinite where a state is not finite."""
    ends = problem.all_ends(problem.held_out, levels, solver).float()
    if not bool(ends.isfinite().all()):
        return math.inf
    with torch.no_grad():
        pictures = torch.cat([codec.decode(part).cpu() for part in torch.split(ends, problem.batch)])
    return kernel_distance(features(pictures), reference).value
