"""One number of calls: the base grid, the fit, and the held-out check against where it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.learned import Learned, backbone
from mezzotint.diffusion.spread import ending_in_data
from mezzotint.fewstep.bases import bases
from mezzotint.fewstep.fit import Recipe, Watch, fit
from mezzotint.fewstep.loss import Loss
from mezzotint.fewstep.parameters import fixed
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.warm import greedy

NONE: Mapping[str, Tensor] = MappingProxyType({})

TRIED = 32
"""Rows that base grids are compared on."""

WARM = 256
"""Rows that the start of the fit is computed from."""


@dataclass(frozen=True)
class Checked:
    """On held-out rows, against the teacher's ends: the root mean squared distance, and how it is spread over rows.

    better: the share of rows that are nearer than at the start.
    """

    start: float
    found: float
    better: float

    @property
    def holds(self) -> bool:
        """Whether it may be used: nearer in the mean, and for most rows."""
        return self.found < self.start and self.better > 0.5


@dataclass(frozen=True, eq=False)
class Calibrated:
    """What came of it.   base: the name of the grid it began with.  u: of its own grid, calls + 1."""

    calls: int
    solver: Learned
    u: tuple[float, ...]
    base: str
    checked: Checked

    @property
    def measured(self) -> dict[str, Any]:
        """For the side-car."""
        return {"base": self.base, "held_out": asdict(self.checked)}


def distances(x: Tensor, goal: Tensor) -> Tensor:
    """The mean squared distance of each row, (B,)."""
    return (x.cpu().double() - goal.double()).square().flatten(1).mean(1)


def errors(problem: Problem, rows: range, levels: Level, solver: Solver[Any], ends: Tensor) -> Tensor:
    """The same of a solver's ends; infinite where it diverges."""
    found = distances(problem.all_ends(rows, levels, solver), ends[list(rows)])
    return torch.where(found.isfinite(), found, torch.inf)


def best_base(problem: Problem, ends: Tensor, n: int, more: Mapping[str, Tensor] = NONE) -> tuple[str, Tensor]:
    """The base grid on which the backbone alone is nearest to the teacher, by rows that are learnt from.

    more: further ones to choose among, by name.
    """
    rows = problem.learnt[:TRIED]
    found = {**bases(problem.schedule, n), **more}
    far = {k: errors(problem, rows, ending_in_data(u), backbone(n), ends).mean().item() for k, u in found.items()}
    name = min(far, key=far.__getitem__)
    return name, found[name]


def checked(problem: Problem, ends: Tensor, base: Tensor, solver: Learned, u: Tensor) -> Checked:
    """A solver on held-out rows beside the backbone on its base grid."""
    rows, n = problem.held_out, len(base) - 1
    start = errors(problem, rows, ending_in_data(base), backbone(n), ends)
    found = errors(problem, rows, ending_in_data(u), solver, ends)
    better = (found < start).double().mean().item()
    return Checked(start.mean().sqrt().item(), found.mean().sqrt().item(), better)


def calibrate(
    problem: Problem,
    ends: Tensor,
    n: int,
    recipe: Recipe,
    loss: Loss,
    folder: Path,
    watch: Watch,
    frugal: bool = False,
    more: Mapping[str, Tensor] = NONE,
) -> Calibrated:
    """A solver of n calls, whatever it is worth: see its ``checked``.   ends: the teacher's, of all rows.  more: base
    grids beside the usual ones.

    Raises NonFiniteError, StorageError, HaltedError (asked to stop; the same call with the same folder goes on).
    """
    name, base = best_base(problem, ends, n, more)

    def first() -> Tensor:
        return greedy(problem, base, ends, problem.learnt[:WARM])

    theta = fit(problem, ends, base, first, recipe, loss, folder, watch, frugal)
    solver, u = fixed(theta, base)
    return Calibrated(n, solver, tuple(u.tolist()), name, checked(problem, ends, base, solver, u))
