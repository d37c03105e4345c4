"""DDPM: one ancestral step of the reverse Markov chain, with a fixed or a learned variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, log, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, kept, mean_only
from mezzotint.diffusion.solver.ddim import fresh_share
from mezzotint.errors import UsageError

Variance = Literal["fixed_small", "fixed_large", "learned"]


def variances(a: Scalar, s: Scalar, an: Scalar, sn: Scalar) -> tuple[Scalar, Scalar]:
    r"""The bounds of the reverse variance at the next level, beta-tilde and beta, for a step from (a, s) to (an, sn).

    :math:`\tilde\beta = \sigma_s^2 (1-q^2)`, q = alpha_t sigma_s/(alpha_s sigma_t), is right where data are points;
    :math:`\beta = 1-\bar\alpha_t/\bar\alpha_s`, of the variance-preserving levels and scaled back, where they are
    normal.
    Ho et al., 2020, DDPM, sec. 3.2.
    """
    n2 = an * an + sn * sn
    return sn * sn * fresh_share(a, s, an, sn), n2 - n2 * n2 * a * a / (an * an * (a * a + s * s))


def _spread(x: Tensor, posterior: Posterior, variance: Variance, bounds: tuple[Scalar, Scalar]) -> Scalar:
    """The standard deviation of the fresh noise: a number, or a tensor (B, *) where the network gives it."""
    small, large = bounds
    if variance != "learned":
        return sqrt(small if variance == "fixed_small" else large)
    if posterior.logvar is None:
        raise UsageError(
            "this denoiser does not learn its variance; use ddpm with variance 'fixed_small' or 'fixed_large'"
        )
    gap = log((large + 1e-30) / (small + 1e-30))
    return torch.exp(posterior.logvar * (gap / 2)).to(x.dtype) * sqrt(small)


def ancestral(x: Tensor, posterior: Posterior, step: Step, variance: Variance, solver: str) -> Tensor:
    r"""A draw of :math:`q(x_s \mid x_t, \hat x_0)`, perhaps with another variance.

    Its mean is :math:`q\tfrac{\sigma_s}{\sigma_t}x_t + \alpha_s(1-q^2)\hat x_0`, q = alpha_t sigma_s/(alpha_s sigma_t);
    no noise is added where the next sigma is 0.  Finite at alpha = 0.  Ho et al., 2020, DDPM, eq. 7, at any (alpha,
    sigma).
    Args: x: (B, *) at step.cur.   Returns: (B, *) at step.nxt.
    """
    x0 = mean_only(posterior, solver)
    (a, s), (an, sn) = step.cur.coefficients(x), step.nxt.coefficients(x)
    free, r = fresh_share(a, s, an, sn), kept(sn, s)
    mean = combine((a / an * r * r, x), (an * free, x0))
    if everywhere(sn == 0):
        return mean
    return combine((1.0, mean), (_spread(x, posterior, variance, variances(a, s, an, sn)) * (sn > 0), step.noise()))


@dataclass(frozen=True)
class DDPM:
    r"""Ho et al., 2020, Denoising Diffusion Probabilistic Models, alg. 2, on any grid.

    variance: of the fresh noise, ``fixed_small`` :math:`\tilde\beta`, ``fixed_large`` beta, or ``learned``: their
    interpolation in log by ``Posterior.logvar`` in [0, 1] (Nichol & Dhariwal, 2021, Improved DDPM, eq. 15).  With
    fixed_small it is DDIM with eta = 1.
    Raises UsageError for ``learned`` where the denoiser gives no variance.
    """

    variance: Variance = "fixed_small"
    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        posterior = denoise(x, step.cur)
        return ancestral(x, posterior, step, self.variance, "ddpm"), None, posterior.mean
