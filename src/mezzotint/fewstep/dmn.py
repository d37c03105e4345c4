r"""Grids that need no network call: where errors of its answers weigh least in the end.

A deterministic solver's end is linear in the answers it was given, :math:`x_N = c\,x_0 + \sum_j w_j \hat x_{0,j}`, and
an answer at ratio :math:`r = \sigma/\alpha` may be wrong by about r.  The grid minimises :math:`\sum_j |w_j|\,r_j^p`.
Xue et al., 2024, Accelerating Diffusion Sampling with Optimized Time Steps (DMN), eqs. 13 to 16, there for
DPM-Solver++ and UniPC in closed form; here the weights are read off any solver by running it on unit vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.pndm import PNDM
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.diffusion.spread import ending_in_data, moved
from mezzotint.errors import UsageError

POWER = 2.0
MOST = 1e6
"""The ratio of pure noise counts as this."""

REACH = 3.0
"""A gap grows or shrinks by e to this at most."""


class Forbidden(Noise):
    """Noise for solvers that must draw none."""

    def __call__(self, draw: int, shape: Any) -> Tensor:
        raise UsageError("this solver draws noise, so its grid cannot be optimised so; choose another grid")


def weights(solver: Solver[Any], levels: Level) -> tuple[Tensor, Tensor]:
    """(w_j, r_j) of each answer that the solver asks for on a grid that ends in data, in their order.

    Raises UsageError for one that draws noise.
    """
    most, ratios = solver.calls * (len(levels) + 2), list[float]()

    def unit(x: Tensor, level: Level, cond: Cond) -> Posterior:
        answer = torch.zeros_like(x)
        answer[0, len(ratios)] = 1.0
        ratios.append((level.sigma / level.alpha.clamp(min=1e-12)).item())
        return Posterior(answer)

    x = torch.zeros(1, most, dtype=torch.float64)
    for state in trajectory(unit, x, levels, solver, Forbidden((0,)), {}):
        x = state.x
    return x[0, : len(ratios)], torch.tensor(ratios, dtype=torch.float64)


def bound(solver: Solver[Any], levels: Level, power: float = POWER) -> float:
    """What is minimised; infinite where it is not finite."""
    w, r = weights(solver, levels)
    value = (w.abs() * r.clamp(max=MOST) ** power).sum().item()
    return value if np.isfinite(value) else np.inf


def dmn(solver: Solver[Any], u: Tensor, power: float = POWER) -> Tensor:
    """The grid u (N+1,), from most noise to data, its inner levels moved to where the bound is least.

    By Powell's method on the logits of its gaps, a second or less; never worse than u by the bound.
    """
    from scipy.optimize import minimize

    count = len(u) - 1

    def value(logits: NDArray[np.float64]) -> float:
        return bound(solver, ending_in_data(moved(u, torch.from_numpy(np.append(logits, 0.0)))), power)

    if count < 2:
        return u
    limits = [(-REACH, REACH)] * (count - 1)
    start = np.zeros(count - 1)
    found = minimize(value, start, method="Powell", bounds=limits, options={"maxiter": 20, "xtol": 1e-3})
    best = found.x if found.fun < value(start) else start
    return moved(u, torch.from_numpy(np.append(best, 0.0)))


def suited(solver: Solver[Any], u: Tensor) -> Solver[Any]:
    """The solver whose grid is taken for this one: itself, but UniPC-2 for one that extrapolates eps or v.

    Their weights of x0 are large and cancel, so that the bound says nothing.
    Raises UsageError for one that draws noise.
    """
    weights(solver, ending_in_data(u))
    return UniPC() if isinstance(solver, DEIS | IPNDM | PNDM) else solver
