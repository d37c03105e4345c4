"""Trajectory distillation: a student of few steps follows where its teacher's many steps go, without any data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Denoiser, Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.fewstep.loss import Loss
from mezzotint.fewstep.problem import as_it_is, in_range
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample


def stepped(x: Tensor, x0: Tensor, cur: Level, nxt: Level) -> Tensor:
    r"""A step of DDIM, :math:`x_s = \alpha_s\hat x_0 + \sigma_s\,(x - \alpha\hat x_0)/\sigma`.

    Song et al., 2021, Denoising Diffusion Implicit Models, eq. 12 at eta = 0.
    """
    (a, s), (an, sn) = cur.coefficients(x), nxt.coefficients(x)
    return an * x0 + (sn / s) * (x - a * x0)


@dataclass(frozen=True)
class Follow:
    r"""Each step of a student begins where it has come to itself, and is held to where the teacher is then:

    .. math:: \sum_k \ell\bigl(\Psi_k(\mathrm{sg}(\tilde x_k)),\, x^*_{k+1}\bigr)

    with :math:`\tilde x_0 = x^*_0` noise, :math:`\tilde x_{k+1} = \Psi_k(\tilde x_k)` the student's step of DDIM, sg no
    gradient.  Zhou et al., 2024, Simple and Fast Distillation of Diffusion Models (SFD), alg. 1, there with
    :math:`\ell` = L1 throughout and an update a step; here the last step's is ``loss``, and an update is of all.

    levels: (alpha, sigma) of the student's grid, N + 1, the last sigma = 0.   shows: whether ends are cut off at -1 and
    1 before they are compared, as pixels are.   The run's samples are walks (``walks``), its codec their ``Halves``.
    """

    levels: tuple[tuple[float, float], ...]
    loss: Loss
    shows: bool

    @property
    def grid(self) -> Level:
        """The same as levels."""
        alpha, sigma = torch.tensor(self.levels, dtype=torch.float64).unbind(1)
        return Level(alpha, sigma)

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        states = recipe.codec.encode(given.images)
        return self.lost(Preconditioned(network, recipe.parametrisation), states, given)

    def lost(self, student: Denoiser, states: Tensor, given: Sample) -> Tensor:
        """The loss of each row, (B,).   states: (B, (N+1) C, *), the teacher's over their levels' ``scale``."""
        levels = list(self.grid)
        goals = [s * level.scale.item() for s, level in zip(states.chunk(len(levels), 1), levels, strict=True)]
        x, rows, total = goals[0], given.draws.rows, torch.zeros(len(states), device=states.device)
        shown = in_range if self.shows else as_it_is
        for k, (cur, nxt) in enumerate(pairwise(levels)):
            x = stepped(x, student(x, cur, given.cond).mean.float(), cur, nxt)
            last = k == len(levels) - 2
            inner = (x - goals[k + 1]).abs().flatten(1).mean(1) / nxt.alpha.item()
            total = total + (self.loss(shown(x), shown(goals[-1]), rows) if last else inner)
            x = x.detach()
        return total
