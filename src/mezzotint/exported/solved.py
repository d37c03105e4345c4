"""A solver's coefficients out of the solver itself: it is run on unit vectors in float64, so that nothing is said
twice.

Draw d of the noise is one unit vector and the denoiser's answer to call j another.  What the solver then feeds call j
is a vector of coefficients, and so is the state at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.diffusion.sample import start, trajectory
from mezzotint.diffusion.solver.base import Solver
from mezzotint.errors import UsageError
from mezzotint.exported.plan import Call, Program, Sum, walk

NONE = 1e-13
"""A coefficient below this share of its sum's largest is the rounding of 0."""

WIDTH = 5
"""Numbers of the state on which a program is compared with its solver."""


@dataclass(frozen=True)
class Units:
    """Noise whose draws are unit vectors: draw d is 1 at its own place.   places: those asked for, as they came."""

    width: int
    places: dict[int, int] = field(default_factory=dict)
    dtype: torch.dtype = torch.float64

    def rows(self) -> tuple[Units, ...]:
        return (self,)

    def __call__(self, draw: int, shape: Sequence[int]) -> Tensor:
        return unit(self.places.setdefault(draw, len(self.places)), self.width)

    def many(self, draws: Sequence[int], shape: Sequence[int]) -> Iterator[Tensor]:
        yield from (self(draw, shape) for draw in draws)


def unit(place: int, width: int) -> Tensor:
    """(1, width) float64: 1 at a place, nothing where that is beyond."""
    made = torch.zeros(1, width, dtype=torch.float64)
    made[0, place : place + 1] = 1
    return made


@dataclass
class Asked:
    """A denoiser that answers call j with its unit vector, and keeps what it was asked."""

    first: int
    width: int
    states: list[Tensor] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        self.states.append(x)
        self.levels.append(level)
        return Posterior(unit(self.first + len(self.states) - 1, self.width))


def _walk(solver: Solver[Any], levels: Level, asked: Asked, noise: Units) -> Tensor:
    """The end of the trajectory."""
    x = start(noise, (asked.width,), levels)
    for state in trajectory(asked, x, levels, solver, noise, {}):
        x = state.x
    return x


def program(solver: Solver[Any], levels: Level, parametrisation: Parametrisation) -> Program:
    """The program of a solver on a grid, for a network of a parametrisation.

    Raises UsageError for a solver that is not linear in the denoiser's answers.
    """
    counted, noise = Asked(0, 1), Units(1)
    _walk(solver, levels, counted, noise)  # how many draws and calls there are
    draws = tuple(noise.places)
    width = len(draws) + len(counted.states)
    asked = Asked(len(draws), width)
    end = _walk(solver, levels, asked, Units(width))
    states = [x[0] for x in (*asked.states, end)]
    sums = [_sum(x, before, draws) for x, before in zip(states, [None, *states[:-1]], strict=True)]
    calls = [_call(said, level, parametrisation) for said, level in zip(sums, asked.levels, strict=False)]
    made = Program(tuple(calls), sums[-1])
    _check(made, solver, levels)
    return made


def _sum(x: Tensor, before: Tensor | None, draws: tuple[int, ...]) -> Sum:
    """A state as a sum with few terms."""
    carry = 0.0 if before is None else _carry(x, before)
    rest = x if before is None else x - carry * before
    n = len(draws)
    found = [(int(k), rest[k].item()) for k in (rest.abs() > _least(x)).nonzero()[:, 0]]
    return Sum(carry, tuple((k - n, c) for k, c in found if k >= n), tuple((draws[k], c) for k, c in found if k < n))


def _least(x: Tensor) -> Tensor:
    return NONE * x.abs().max()


def _carry(x: Tensor, before: Tensor) -> float:
    """How much of the state before is in x: of what its single terms say, that which leaves the fewest over."""
    shares = torch.cat([x.new_zeros(1), (x / before)[before != 0]])
    left = ((x - shares[:, None] * before).abs() > _least(x)).sum(1)
    return shares[left.argmin()].item()


def _call(said: Sum, level: Level, parametrisation: Parametrisation) -> Call:
    c = parametrisation(level)
    return Call(said, *(float(value) for value in (c.skip, c.out, c.inp, c.noise)))


def _check(made: Program, solver: Solver[Any], levels: Level) -> None:
    """Raises UsageError unless the program is the solver, on a denoiser that is not linear."""
    noise = Noise((7, 8), dtype=torch.float64)
    shape = (2, WIDTH)

    def bent(x: Tensor) -> Tensor:
        return torch.tanh(x) + 0.3 * x.roll(1, -1).cos()

    def denoise(x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Posterior(bent(x))

    *_, last = trajectory(denoise, start(noise, (WIDTH,), levels), levels, solver, noise, {})
    *_, ours = walk(
        made, lambda y, call: bent(torch.as_tensor(y)).numpy(), lambda d: next(noise.many([d], shape)).numpy()
    )
    if not torch.allclose(torch.as_tensor(ours), last.x, rtol=0, atol=1e-5):
        raise UsageError(
            f"{type(solver).__name__} on this grid is no sum of what the network answers, and cannot be exported;"
            " choose another solver"
        )
