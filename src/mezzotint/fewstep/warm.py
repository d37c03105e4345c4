"""A start for the fit without gradients: the weights of each step by least squares to where the teacher is then."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import trajectory
from mezzotint.diffusion.solver.base import Step
from mezzotint.diffusion.solver.learned import History, backbone
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.diffusion.spread import ending_in_data
from mezzotint.fewstep.parameters import F64, Layout
from mezzotint.fewstep.problem import Problem

FINER = 5
"""Steps of the teacher in each of the solver's."""

RIDGE = 1e-4
"""Added to the mean squares of what is weighed, which are about 1: weights that say little stay near 0."""


class Walk(NamedTuple):
    """Where some rows are: their state, and what the solver has seen of them."""

    x: Tensor
    history: History


def finer(u: Tensor) -> Level:
    """The grid with ``FINER`` steps in each of its own, the same at its own levels, even in u between them."""
    parts = [torch.linspace(a, b, FINER + 1, dtype=F64)[:-1] for a, b in pairwise(u.tolist())]
    return ending_in_data(torch.cat([*parts, u[-1:]]))


def waypoints(problem: Problem, u: Tensor, rows: Sequence[int]) -> list[Tensor]:
    """The teacher's state (rows, *shape) at each level of the grid but the first."""
    levels = finer(u)
    noise = Noise(tuple(problem.seeds[k] for k in rows))
    with torch.no_grad():
        x = problem.started(rows, levels)
        walk = trajectory(problem.denoiser, x, levels, UniPC(3), noise, problem.cond(rows))
        return [state.x for state in walk if (state.i + 1) % FINER == 0]


def greedy(problem: Problem, u: Tensor, ends: Tensor, rows: Sequence[int]) -> Tensor:
    r"""The vector (``Layout``) whose weights (c, a) of step n minimise, of the solver's own states until then,
    :math:`E\,|x_{n+1} - x^*_{n+1}|^2/\alpha_{n+1}^2 + r\,|(c, a)|^2`; logits and shifts are 0.

    :math:`x^*` are the teacher's states, in the end ``ends`` (all rows, *shape).   u: the grid, (n+1,).
    """
    n, levels = len(u) - 1, list(ending_in_data(u))
    solver, parts = backbone(n), problem.batches(rows)
    goals = [[*waypoints(problem, u, part)[:-1], ends[list(part)].to(problem.device)] for part in parts]
    walks = [Walk(problem.started(part, ending_in_data(u)), solver.init(goals[0][0])) for part in parts]
    found: list[Tensor] = []
    for i in range(n):
        step = _step(i, n, levels[i], levels[i + 1])
        walks = [_stepped(problem, walk, part, step, n) for walk, part in zip(walks, parts, strict=True)]
        alpha = levels[i + 1].alpha.item()
        left = [(goal[i] - walk.x).cpu().double() / alpha for goal, walk in zip(goals, walks, strict=True)]
        weights = _solved([_seen(walk) for walk in walks], left)
        walks = [walk._replace(x=walk.x + (alpha * _mix(_seen(walk), weights)).to(walk.x)) for walk in walks]
        found.append(weights)
    zero = torch.zeros(2 * n, dtype=F64)
    answers, states = ([w[part * (k + 1) : (part + 1) * (k + 1)] for k, w in enumerate(found)] for part in (0, 1))
    made = torch.cat((zero, *answers, *states))
    assert len(made) == Layout(n).size
    return made


def _step(i: int, n: int, cur: Level, nxt: Level) -> Step:
    """A step that draws nothing."""

    def none(*levels: Level) -> Tensor:
        raise AssertionError("the backbone draws no noise")

    return Step(i, i == n - 1, cur, nxt, none, none, n)


def _stepped(problem: Problem, walk: Walk, part: Sequence[int], step: Step, n: int) -> Walk:
    """The backbone's step."""
    cond = problem.cond(part)

    def denoise(x: Tensor, level: Level) -> Posterior:
        return problem.denoiser(x, level, cond)

    with torch.no_grad():
        x, history, _ = backbone(n).step(denoise, walk.x, walk.history, step)
    return Walk(x, history)


def _seen(walk: Walk) -> list[Tensor]:
    """What is weighed: answers, then scaled states."""
    seen = walk.history.seen
    return [s.answer for s in seen] + [s.x / s.scale for s in seen]


def _solved(seen: Sequence[list[Tensor]], left: Sequence[Tensor]) -> Tensor:
    """The weights of what was seen that leave least of what is left."""
    count = sum(part.numel() for part in left)
    size = len(seen[0])
    squares, products = torch.zeros(size, size, dtype=F64), torch.zeros(size, dtype=F64)
    for columns, goal in zip(seen, left, strict=True):
        a = torch.stack([c.cpu().double().flatten() for c in columns])
        squares += a @ a.T
        products += a @ goal.flatten()
    found: Tensor = torch.linalg.solve(squares / count + RIDGE * torch.eye(size, dtype=F64), products / count)
    return found


def _mix(columns: Sequence[Tensor], weights: Tensor) -> Tensor:
    total = torch.zeros_like(columns[0], dtype=F64)
    for column, w in zip(columns, weights.tolist(), strict=True):
        total = total + w * column.double()
    return total
