r"""Grids from how the model's own trajectories bend: a few network calls, no gradients.

With states :math:`x_i` of a fine teacher grid in the coordinate y = x/alpha, one Euler step from i to j leaves the
trajectory by

.. math:: c_{ij} = \bigl|\,y_i + (r_j - r_i)\,d_i - y_j\,\bigr| \Big/ |y_0 - y_M|, \qquad d_i = (y_i - \hat x_{0,i})/r_i

averaged over rows; a dynamic programme picks the N steps of least :math:`\sum \gamma^k c`, later errors discounted.
Chen et al., 2024, On the Trajectory Regularity of ODE-based Diffusion Sampling (GITS), sec. 4, alg. 1, gamma 1.15:
there the deviation is that of the step's distance to the chord.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import trajectory
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import Teacher

GAMMA = 1.0
FAR = 1e9


def costs(problem: Problem, teacher: Teacher, rows: Sequence[int]) -> Tensor:
    """c (M+1, M+1) of the teacher's levels, above the diagonal; the rest is never used.  One trajectory a row."""
    parts = [_costs(problem, teacher, part) * len(part) for part in problem.batches(rows)]
    return torch.stack(parts).sum(0) / len(rows)


def _costs(problem: Problem, teacher: Teacher, rows: Sequence[int]) -> Tensor:
    levels = teacher.levels
    with torch.no_grad():
        x = problem.started(rows, levels)
        noise = Noise(tuple(problem.seeds[k] for k in rows))
        walk = list(trajectory(problem.denoiser, x, levels, teacher.solver, noise, problem.cond(rows)))
    states = [_clean(x, levels[0]), *(_clean(s.x, s.level) for s in walk)]
    r, answers = (levels.sigma / levels.alpha).tolist(), [s.x0.cpu().double().flatten(1) for s in walk]
    chord = (states[0] - states[-1]).norm(dim=1)
    found = torch.full((len(r), len(r)), FAR, dtype=torch.float64)
    for i, answer in enumerate(answers):
        d = (states[i] - answer) / r[i]
        for j in range(i + 1, len(r)):
            found[i, j] = ((states[i] + (r[j] - r[i]) * d - states[j]).norm(dim=1) / chord).mean()
    return found


def _clean(x: Tensor, level: Level) -> Tensor:
    """x/alpha, in double precision, flat."""
    return (x.cpu().double() / level.alpha.clamp(min=1e-6).item()).flatten(1)


def path(c: Tensor, n: int, gamma: float = GAMMA) -> list[int]:
    """The n+1 numbers of levels, from the first to the last, whose steps cost least.   c: (M+1, M+1), n <= M."""
    size = len(c)
    best = torch.full((n + 1, size), FAR, dtype=torch.float64)  # [k, i]: from i to the end in k steps
    then = torch.zeros(n + 1, size, dtype=torch.long)
    best[0, -1] = 0
    for k in range(1, n + 1):
        best[k], then[k] = torch.triu(c + gamma * best[k - 1][None], 1).where(_above(size), torch.inf).min(1)
    found = [0]
    for k in range(n, 0, -1):
        found.append(int(then[k, found[-1]]))
    return found


def _above(size: int) -> Tensor:
    return torch.ones(size, size, dtype=torch.bool).triu(1)
