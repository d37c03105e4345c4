"""One number of calls: the base grid, the fit, and the held-out check against where it began."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
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
from mezzotint.fewstep.parameters import F64, fixed
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.warm import greedy
from mezzotint.files import pretty_json, write_atomic

NONE: Mapping[str, Tensor] = MappingProxyType({})

FEW = 2
"""Usual base grids that are tried with weights."""

TRIED = 32
"""Rows that base grids are compared on."""

WARM = 256
"""Rows that the start of the fit is computed from."""


@dataclass(frozen=True)
class Checked:
    """On held-out rows, against the teacher's ends, at the start and of what was found: the root mean squared distance,
    and the mean of the loss that was fitted.

    better: the share of rows whose loss is less than at the start.
    """

    start: float
    found: float
    loss_start: float
    loss_found: float
    better: float

    @property
    def holds(self) -> bool:
        """Whether it may be used: of less loss in the mean and for most rows, and nearer in the mean.

        The loss alone would let a solver pass that deceives what the loss looks through.
        """
        return not self.wanting

    @property
    def wanting(self) -> tuple[str, ...]:
        """Of these three what does not hold, for people."""
        found = {
            f"loss {self.loss_start:.4f} -> {self.loss_found:.4f}": self.loss_found < self.loss_start,
            f"less loss in {self.better:.0%} of the rows, not in most": self.better > 0.5,
            f"distance {self.start:.4f} -> {self.found:.4f}": self.found < self.start,
        }
        return tuple(said for said, good in found.items() if not good)


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
        """For the side-car; what is infinite is None."""
        held = {name: value if math.isfinite(value) else None for name, value in asdict(self.checked).items()}
        return {"base": self.base, "held_out": held}


def distances(x: Tensor, goal: Tensor) -> Tensor:
    """The mean squared distance of each row, (B,)."""
    return (x.cpu().double() - goal.double()).square().flatten(1).mean(1)


def errors(problem: Problem, rows: range, levels: Level, solver: Solver[Any], ends: Tensor) -> Tensor:
    """The same of a solver's ends, as they are shown; infinite where it diverges."""
    found, goal = problem.all_ends(rows, levels, solver), ends[list(rows)]
    return _or_infinite(distances(problem.shown(found), problem.shown(goal)))


def _or_infinite(values: Tensor) -> Tensor:
    return torch.where(values.isfinite(), values, torch.inf)


@dataclass(frozen=True, eq=False)
class Begun:
    """Where a fit begins.   start: the base grid on which the backbone alone is nearest to the teacher; the result is
    held against that.  name, base: the one on which the weights of least squares (``greedy``) are nearest."""

    start: Tensor
    name: str
    base: Tensor


def begun(problem: Problem, ends: Tensor, n: int, more: Mapping[str, Tensor] = NONE) -> Begun:
    """By rows that are learnt from: of the usual base grids, and of ``more``, by name.

    A grid that suits the weights need not suit the backbone, whose last long step extrapolates: of the usual ones
    the best few are tried with weights, and of the others all.
    """
    rows = problem.learnt[:TRIED]
    found = {**bases(problem.schedule, n), **more}
    plain = {k: errors(problem, rows, ending_in_data(u), backbone(n), ends).mean().item() for k, u in found.items()}
    ranked = sorted(found, key=plain.__getitem__)
    tried = [*(name for name in ranked if name not in more)][:FEW] + list(more)
    warm = {k: _warm_error(problem, ends, found[k]) for k in tried}
    name = min(warm, key=warm.__getitem__)
    return Begun(found[ranked[0]], name, found[name])


def _kept(path: Path, find: Callable[[], Begun]) -> Begun:
    """What was found before, from its file; a fit that goes on need not look again."""
    try:
        told = json.loads(path.read_bytes())
        return Begun(torch.tensor(told["start"], dtype=F64), told["name"], torch.tensor(told["base"], dtype=F64))
    except (OSError, ValueError, KeyError, TypeError):
        found = find()
        told = {"name": found.name, "start": found.start.tolist(), "base": found.base.tolist()}
        write_atomic(path, pretty_json(told))
        return found


def _warm_error(problem: Problem, ends: Tensor, base: Tensor) -> float:
    """Of the weights of least squares of some rows, on others."""
    half = min(TRIED, len(problem.learnt) // 2)
    solver, u = fixed(greedy(problem, base, ends, problem.learnt[:half]), base)
    return errors(problem, problem.learnt[half : 2 * half], ending_in_data(u), solver, ends).mean().item()


def checked(problem: Problem, ends: Tensor, plain: Tensor, solver: Learned, u: Tensor, loss: Loss) -> Checked:
    """A solver on held-out rows beside the backbone on the grid ``plain``."""
    start = _measured(problem, ends, ending_in_data(plain), backbone(len(plain) - 1), loss)
    found = _measured(problem, ends, ending_in_data(u), solver, loss)
    far = [distance.mean().sqrt().item() for distance, _ in (start, found)]
    lost = [value.mean().item() for _, value in (start, found)]
    return Checked(far[0], far[1], lost[0], lost[1], (found[1] < start[1]).double().mean().item())


def _measured(problem: Problem, ends: Tensor, levels: Level, solver: Solver[Any], loss: Loss) -> tuple[Tensor, Tensor]:
    """(mean squared distance, loss) of each held-out row, infinite where a solver diverges."""
    found: list[tuple[Tensor, Tensor]] = []
    for part in problem.batches(problem.held_out):
        x = problem.shown(problem.ends(part, levels, solver))
        goal = problem.shown(ends[list(part)].to(problem.device))
        with torch.no_grad():
            found.append((distances(x, goal.cpu()), loss(x, goal, part).cpu().double()))
    far, lost = (_or_infinite(torch.cat(values)) for values in zip(*found, strict=True))
    return far, lost


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
    where = _kept(folder / "base.json", lambda: begun(problem, ends, n, more))

    def first() -> Tensor:
        return greedy(problem, where.base, ends, problem.learnt[:WARM])

    theta = fit(problem, ends, where.base, first, recipe, loss, folder, watch, frugal)
    solver, u = fixed(theta, where.base)
    return Calibrated(n, solver, tuple(u.tolist()), where.name, checked(problem, ends, where.start, solver, u, loss))
