"""The ancestral sampler of unCLIP: DDPM's step whose variance is the network's where it learns one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.solver.base import Denoise, Step
from mezzotint.diffusion.solver.ddpm import Variance, ancestral


@dataclass(frozen=True)
class UnCLIP:
    r"""DALL-E 2's sampler, and Karlo's: the decoder's variance interpolates its bounds in log, the prior's is the lower
    bound.

    :math:`\ln\Sigma = f \ln\beta + (1-f)\ln\tilde\beta` with f = ``Posterior.logvar`` where the denoiser gives one,
    else
    :math:`\tilde\beta`.  Its grid is ``grid.linspace`` on ``schedule.cosine_table``.
    Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, app. C; Nichol & Dhariwal,
    2021, eq. 15.
    """

    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        posterior = denoise(x, step.cur)
        variance: Variance = "fixed_small" if posterior.logvar is None else "learned"
        return ancestral(x, posterior, step, variance, "unclip"), None, posterior.mean
