"""Runs a solver step by step with noise given from outside, the way a peer's sampler is given it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from networks import FIRST_DRAW, SHAPE, noise
from torch import Tensor

from mezzotint.diffusion.denoiser import Denoiser
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.base import Solver, Step


def draw(i: int) -> Tensor:
    """The noise of step i, for both sides."""
    return noise()(FIRST_DRAW + i, SHAPE)


def stepped(model: Denoiser, x: Tensor, levels: Level, solver: Solver[Any]) -> list[Tensor]:
    """The states after each step, with ``draw(i)`` as both the noise and the Brownian increment of step i."""
    grid, state, states = list(levels), solver.init(x), []
    for i, (cur, nxt) in enumerate(pairwise(grid)):
        step = Step(
            i=i,
            last=i == len(grid) - 2,
            cur=cur,
            nxt=nxt,
            noise=lambda i=i: draw(i),
            brownian=lambda a, b, i=i: draw(i),
            steps=len(grid) - 1,
        )
        x, state, _ = solver.step(lambda y, level: model(y, level, {}), x, state, step)
        states.append(x)
    return states
