"""The ancestral sampler of unCLIP: DDPM's step whose variance is the network's where it learns one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.solver.base import Denoise, Step
from mezzotint.diffusion.solver.ddpm import Variance, ancestral


@dataclass(frozen=True)
class UnCLIP:
    r"""DALL-E 2's sampler, and Karlo's: a learned variance interpolates its bounds in log, otherwise it is the lower.

    :math:`\ln\Sigma = f \ln\beta + (1-f)\ln\tilde\beta` with f = ``Posterior.logvar`` where the denoiser gives one (the
    decoder), else :math:`\tilde\beta` (the prior).  Its grid is ``grid.linspace`` on ``schedule.cosine_table``.
    Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, app. C;
    Nichol & Dhariwal, 2021, Improved DDPM, eq. 15.
    """

    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        posterior = denoise(x, step.cur)
        variance: Variance = "fixed_small" if posterior.logvar is None else "learned"
        return ancestral(x, posterior, step, variance, "unclip"), None, posterior.mean
