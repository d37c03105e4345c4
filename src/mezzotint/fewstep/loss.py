"""How far the end of few steps is from that of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, noised
from mezzotint.diffusion.noise import Noise
from mezzotint.fewstep.problem import Problem

NOISE_DRAW = 2**62
"""The draw of the noise that ends are looked at through; trajectories use none beyond their steps."""


class Loss(Protocol):
    """(ends, the teacher's, both (B, *), their row numbers) -> a number ()."""

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor: ...


@dataclass(frozen=True)
class Absolute:
    """The mean absolute difference, of pixels or latents."""

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        return (x - goal).abs().mean()


@dataclass(frozen=True, eq=False)
class Seen:
    r"""The same, and as the model itself sees it: :math:`|x-y| + w\,|D(x+\sigma\varepsilon) - D(y+\sigma\varepsilon)|`.

    What a denoiser makes of noised data is what it takes for content, so no other network is needed, and none that a
    metric uses (Lin & Yang, 2024, Diffusion Model with Perceptual Loss, take its inner layers likewise).
    sigma: of the noise, one draw a row.  weight: w.
    """

    problem: Problem
    sigma: float = 0.5
    weight: float = 1.0

    def __call__(self, x: Tensor, goal: Tensor, rows: Sequence[int]) -> Tensor:
        one = torch.ones((), dtype=torch.float64)
        level, cond = Level(one, one * self.sigma), self.problem.cond(rows)
        noise = Noise(tuple(self.problem.seeds[k] for k in rows))(NOISE_DRAW, x.shape).to(x)
        with torch.no_grad():
            want = self.problem.denoiser(noised(goal, noise, level), level, cond).mean
        seen = self.problem.denoiser(noised(x, noise, level), level, cond).mean
        return (x - goal).abs().mean() + self.weight * (seen - want).abs().mean()
