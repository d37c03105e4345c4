"""The one loop: a trajectory is an iterator, so previews, film strips, cancellation and progress are an ordinary
``for``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor

from mezzotint.diffusion.begun import begun
from mezzotint.diffusion.brownian import Brownian
from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Draws
from mezzotint.diffusion.solver.base import Solver, Step

FIRST_DRAW = 1
"""Draw 0 is the starting noise; step i draws FIRST_DRAW + i."""


@dataclass(frozen=True)
class State:
    """Where a trajectory stands after step i (from 0) of ``steps``: x (B, *) at ``level``, and the denoiser's last
    estimate x0 (B, *).
    """

    i: int
    steps: int
    x: Tensor
    x0: Tensor
    level: Level


def start(noise: Draws, shape: tuple[int, ...], levels: Level, device: str = "cpu") -> Tensor:
    r"""The state a grid starts from, pure noise at its first level: :math:`x = \sqrt{\alpha^2+\sigma^2}\,\varepsilon`.

    The scale is the marginal's for unit-variance data, and sigma's own where alpha = 0 or sigma >> alpha.
    Args: shape: of one sample.  levels: (N+1,).   Returns: (B, *shape).
    """
    first = levels[0]
    return (noise(0, (len(noise.rows()), *shape)) * first.scale.item()).to(device)


def trajectory(
    denoiser: Denoiser,
    x: Tensor,
    levels: Level,
    solver: Solver[Any],
    noise: Draws,
    cond: Cond,
    first: int = 0,
) -> Iterator[State]:
    """Solves the reverse process from x at levels[0] down the grid, one ``State`` a step.

    Args: x: (B, *).  levels: (N+1,) grid, or (N+1, B), (N+1, F) for a level a row or a frame.
        noise: for solvers that add some, keyed by step.  first: number of the first step, when a grid's tail is run
        (resume, img2img).
    """

    def denoise(y: Tensor, level: Level) -> Posterior:
        return asked(y, level, cond)

    asked, brownian = begun(denoiser), Brownian(noise)
    state = solver.init(x)
    grid = list(levels)
    steps = len(grid) - 1
    for i, (cur, nxt) in enumerate(pairwise(grid)):
        draw = FIRST_DRAW + first + i

        def fresh(draw: int = draw, like: Tensor = x) -> Tensor:
            return noise(draw, like.shape).to(like)

        def between(a: Level, b: Level, like: Tensor = x) -> Tensor:
            return brownian(a, b, like.shape).to(like)

        step = Step(first + i, i == steps - 1, cur, nxt, fresh, between, first + steps)
        x, state, x0 = solver.step(denoise, x, state, step)
        yield State(first + i, first + steps, x, x0, nxt)


def sample(denoiser: Denoiser, x: Tensor, levels: Level, solver: Solver[Any], noise: Draws, cond: Cond) -> Tensor:
    """The end of ``trajectory``: (B, *)."""
    for state in trajectory(denoiser, x, levels, solver, noise, cond):
        x = state.x
    return x
