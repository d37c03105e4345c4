"""Consistency tuning: a trained denoiser learns to answer alike along a trajectory, from data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond, Denoiser, Preconditioned
from mezzotint.diffusion.level import Level, expand
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample

SEEDS = 2**31


@dataclass(frozen=True)
class Consistency:
    r"""The difference of the answers at two levels of the same picture and noise, over the gap between them:

    .. math:: \lVert D(x_0 + t\varepsilon;\,t) - \mathrm{sg}\,D(x_0 + r\varepsilon;\,r)\rVert_2 \,/\, (t - r),
              \qquad r = \max\bigl(0,\ t\,(1 - n(t)/q)\bigr),\quad n(t) = 1 + k\,\mathrm{sigmoid}(-bt)

    at alpha = 1, D(x; 0) = x, sg no gradient; the norm is the root mean square of a row's entries here.  With r = 0 it
    is denoising, by which the base was trained; as q grows the gap closes.  Both answers use the same dropout.
    Geng et al., 2024, Consistency Models Made Easy (ECT), https://arxiv.org/abs/2406.14548, eq. 11 to 13 and app. A;
    q from ``first`` to ``q`` is reached by even factors, one in each of ``stages`` parts of the run.
    """

    q: float = 64.0
    first: float = 64.0
    stages: int = 1
    k: float = 8.0
    b: float = 1.0

    def at(self, step: int, steps: int) -> float:
        """q in update ``step`` = 0 … steps - 1."""
        if self.stages < 2:
            return self.q
        stage = min(self.stages - 1, self.stages * step // steps)
        return float(self.first * (self.q / self.first) ** (stage / (self.stages - 1)))

    def lower(self, t: Tensor, q: float) -> Tensor:
        """r of t, both sigma/alpha."""
        n = 1 + self.k * torch.sigmoid(-self.b * t)
        return (t * (1 - n / q)).clamp(min=0)

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        x0 = recipe.codec.encode(given.images).float()
        level = recipe.levels(given.u.cpu())
        t = (level.sigma / level.alpha).to(x0)
        seed = int(given.draws.uniforms(0)[0] * SEEDS)
        return self.lost(Preconditioned(network, recipe.parametrisation), x0, given.eps, t, given.cond, seed,
                         self.at(given.draws.step, recipe.steps))  # fmt: skip

    def lost(self, model: Denoiser, x0: Tensor, eps: Tensor, t: Tensor, cond: Cond, seed: int, q: float) -> Tensor:
        """The loss of each row, (B,).   x0, eps: (B, *).  t: (B,).  seed: of dropout."""
        r = self.lower(t, q)
        torch.manual_seed(seed)
        high = model(x0 + expand(t, x0) * eps, Level(torch.ones_like(t), t), cond).mean.float()
        torch.manual_seed(seed)
        with torch.no_grad():
            low = answered(model, x0 + expand(r, x0) * eps, r, cond)
        far = (high - low).square().flatten(1).mean(1)
        # At 0 the root has no slope: a row without a difference has nothing to learn.
        root = torch.where(far > 0, far.clamp(min=1e-20).sqrt(), torch.zeros_like(far))
        return root / (t - r)


def answered(model: Denoiser, x: Tensor, ratio: Tensor, cond: Cond) -> Tensor:
    """D(x; ratio) at alpha = 1, (B, *) float32; x itself where ratio (B,) is 0."""
    clean = ratio <= 0
    if bool(clean.all()):
        return x
    asked = torch.where(clean, torch.full_like(ratio, 1e-3), ratio)
    answer = model(x, Level(torch.ones_like(asked), asked), cond).mean.float()
    return torch.where(expand(clean, x), x, answer)
