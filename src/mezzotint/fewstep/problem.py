"""What a solver is fitted to: a denoiser with the noises and conditions of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import sample, start
from mezzotint.diffusion.schedule import Schedule
from mezzotint.diffusion.solver.base import Solver


def as_it_is(x: Tensor) -> Tensor:
    """States that are shown whole."""
    return x


def in_range(x: Tensor) -> Tensor:
    """Pixels as they are shown, -1 … 1: what is beyond is cut off when a picture is written, and is no error."""
    return x.clamp(-1, 1)


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows 0 … len(seeds) - 1, the last ``held`` of them held out.

    denoiser: guidance included; it must let gradients through to x.  shape: of one row's state.
    cond: row numbers -> what they are told.  batch: rows computed together.  shown: ends -> what is compared of them.
    """

    denoiser: Denoiser
    schedule: Schedule
    shape: tuple[int, ...]
    seeds: tuple[int, ...]
    held: int
    cond: Callable[[Sequence[int]], Cond]
    device: str = "cpu"
    batch: int = 16
    shown: Callable[[Tensor], Tensor] = as_it_is

    @property
    def learnt(self) -> range:
        """The rows that are learnt from."""
        return range(len(self.seeds) - self.held)

    @property
    def held_out(self) -> range:
        """The rows that are not."""
        return range(len(self.seeds) - self.held, len(self.seeds))

    def batches(self, rows: Sequence[int]) -> list[Sequence[int]]:
        """The rows in pieces of ``batch``."""
        return [rows[i : i + self.batch] for i in range(0, len(rows), self.batch)]

    def started(self, rows: Sequence[int], levels: Level) -> Tensor:
        """Pure noise at the first level, (B, *shape): draw 0 of each seed, as a run with that seed begins."""
        return start(Noise(tuple(self.seeds[k] for k in rows)), self.shape, levels, self.device)

    def ends(self, rows: Sequence[int], levels: Level, solver: Solver[Any]) -> Tensor:
        """Where a solver ends, (B, *shape), without gradients."""
        noise = Noise(tuple(self.seeds[k] for k in rows))
        with torch.no_grad():
            return sample(self.denoiser, self.started(rows, levels), levels, solver, noise, self.cond(rows))

    def all_ends(self, rows: Sequence[int], levels: Level, solver: Solver[Any]) -> Tensor:
        """The same of any number of rows, ``batch`` at a time."""
        return torch.cat([self.ends(part, levels, solver) for part in self.batches(rows)])

    def traced(self, rows: Sequence[int], levels: Level, solver: Solver[Any], frugal: bool) -> Tensor:
        """The same with gradients to the tensors of levels and solver.

        frugal: whether each evaluation is computed again for its gradient, in place of being kept in memory.
        """
        noise = Noise(tuple(self.seeds[k] for k in rows))
        denoiser = _again(self.denoiser) if frugal else self.denoiser
        first = Level(levels.alpha.detach(), levels.sigma.detach())
        return sample(denoiser, self.started(rows, first), levels, solver, noise, self.cond(rows))


def _again(denoiser: Denoiser) -> Denoiser:
    """A denoiser that keeps nothing for its gradient but what it was given; its answers have the same bits."""

    def mean(x: Tensor, alpha: Tensor, sigma: Tensor, cond: Cond) -> Tensor:
        return denoiser(x, Level(alpha, sigma), cond).mean

    def call(x: Tensor, level: Level, cond: Cond) -> Posterior:
        if level.index is not None:
            return denoiser(x, level, cond)
        answer: Tensor = checkpoint(mean, x, level.alpha, level.sigma, cond, use_reentrant=False)
        return Posterior(answer)

    return call
