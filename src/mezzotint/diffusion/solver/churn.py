"""Churn: a little fresh noise before a deterministic step, which then has more to remove, so that old errors are
forgotten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.scalar import combine
from mezzotint.diffusion.solver.base import Step
from mezzotint.errors import UsageError

MAX_GAMMA = math.sqrt(2) - 1


@dataclass(frozen=True)
class Churn:
    r"""Raises sigma at fixed alpha to :math:`(1+\gamma)\sigma`, :math:`\gamma = \min(S_{churn}/N, \sqrt 2-1)`, inside a
    band.

    amount: S_churn, spread over the grid's N steps.  s_min, s_max: the band of sigma/alpha it acts in; alpha = 0 is
    inside when s_max is inf.  s_noise: standard deviation of the noise added, 1.003 in EDM.
    Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, alg. 2, at any alpha.
    Raises UsageError for negative values or an empty band.
    """

    amount: float = 0.0
    s_min: float = 0.0
    s_max: float = math.inf
    s_noise: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("s_churn", self.amount), ("s_min", self.s_min), ("s_noise", self.s_noise)):
            if not 0 <= value < math.inf:
                raise UsageError(f"{name} is {value}; expected a finite number, 0 or above")
        if not self.s_max >= self.s_min:
            raise UsageError(f"s_max {self.s_max} is below s_min {self.s_min}, so nothing would be churned; swap them")

    def __call__(self, x: Tensor, step: Step) -> tuple[Tensor, Level]:
        """The churned state (B, *) and its level, without an index (no table knows it); both unchanged where nothing is
        churned.
        """
        cur = step.cur
        ratio = cur.sigma / cur.alpha
        inside = (ratio >= self.s_min) & (ratio <= self.s_max)
        if self.amount == 0.0 or not bool(inside.any()):
            return x, cur
        gamma = inside.to(cur.sigma.dtype) * min(self.amount / step.steps, MAX_GAMMA)
        added = cur.sigma * (gamma * (2 + gamma)).sqrt() * self.s_noise  # sqrt((1+gamma)^2 - 1) sigma
        share = added.item() if added.ndim == 0 else expand(added.to(torch.promote_types(x.dtype, torch.float32)), x)
        return combine((1.0, x), (share, step.noise())), Level(cur.alpha, cur.sigma * (1 + gamma))


NO_CHURN = Churn()
