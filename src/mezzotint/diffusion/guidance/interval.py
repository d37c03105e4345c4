"""Guidance in a limited interval of noise levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.guidance.noise_of import noise_of
from mezzotint.diffusion.level import Level, expand


@dataclass(frozen=True)
class Interval:
    r"""``inside`` where :math:`low < \sigma/\alpha \le high`, ``outside`` elsewhere: guidance only where it helps.

    inside: mostly a ``Guided``.   outside: mostly the bare denoiser, so that a step outside costs one call.
    low, high: bounds of sigma/alpha, 0 … inf (EDM2's best: 0.28 … 2.9); ``Interval.logsnr`` takes bounds of logsnr.
    One level for the batch, or the same side for all rows: one of the two is called.  Rows or frames on both sides:
    both are.
    Kynkaanniemi et al., 2024, Applying Guidance in a Limited Interval, eq. 5.
    """

    inside: Denoiser
    outside: Denoiser
    low: float
    high: float

    @classmethod
    def logsnr(cls, inside: Denoiser, outside: Denoiser, low: float, high: float) -> Interval:
        """The same with bounds low <= logsnr < high of 2 ln(alpha/sigma), -inf … inf."""
        return cls(inside, outside, math.exp(-high / 2), math.exp(-low / 2))

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        within = inside(level, self.low, self.high)
        if bool(within.all()):
            return self.inside(x, level, cond)
        if not bool(within.any()):
            return self.outside(x, level, cond)
        return choose(expand(within, x), self.inside(x, level, cond), self.outside(x, level, cond), x, level)


def inside(level: Level, low: float, high: float) -> Tensor:
    r"""Whether :math:`low < \sigma/\alpha \le high`, bool, of the level's shape; at alpha = 0 where high is inf."""
    within = (low * level.alpha < level.sigma) & (level.sigma <= high * level.alpha)
    return within | (level.alpha == 0) if math.isinf(high) else within


def choose(first: Tensor, a: Posterior, b: Posterior, x: Tensor, level: Level) -> Posterior:
    """``a`` where ``first`` (bool, broadcasts against x), else ``b``; an eps that one alone prescribes is completed."""
    bare = a.eps is None and b.eps is None
    eps = None if bare else torch.where(first, noise_of(a, x, level), noise_of(b, x, level))
    logvar = None if a.logvar is None or b.logvar is None else torch.where(first, a.logvar, b.logvar)
    return Posterior(torch.where(first, a.mean, b.mean), logvar, eps)
