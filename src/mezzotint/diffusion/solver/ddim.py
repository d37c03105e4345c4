"""DDIM: the deterministic first-order step, and its stochastic family (eta)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, kept, renoised
from mezzotint.errors import UsageError


def ddim(x: Tensor, x0: Tensor, cur: Level, nxt: Level) -> Tensor:
    r"""One deterministic step, exact when x0 does not depend on x.

    .. math:: x_s = \tfrac{\sigma_s}{\sigma_t} x_t + \bigl(\alpha_s - \alpha_t \tfrac{\sigma_s}{\sigma_t}\bigr) \hat x_0

    Finite at alpha_t = 0 and at sigma_s = 0.  Song et al., 2021, Denoising Diffusion Implicit Models,
    eq. 12 with eta = 0.

    Args: x, x0: (B, *).  cur, nxt: () or (B,) …; rows at sigma = 0 stand still.   Returns: (B, *), dtype of x.
    """
    (a, s), (an, sn) = cur.coefficients(x), nxt.coefficients(x)
    r = kept(sn, s)
    return combine((r, x), (an - a * r, x0))


def fresh_share(a: Scalar, s: Scalar, an: Scalar, sn: Scalar) -> Scalar:
    r"""The part of the next level's noise variance that the DDPM posterior draws afresh: :math:`1 -
    (\alpha_t\sigma_s/\alpha_s\sigma_t)^2`.
    """
    q = a / an * kept(sn, s)
    return 1 - q * q


@dataclass(frozen=True)
class DDIM:
    r"""Song et al., 2021, Denoising Diffusion Implicit Models, eq. 12.

    :math:`x_s = \alpha_s \hat x_0 + \sqrt{\sigma_s^2-\tau^2}\,\hat\varepsilon + \tau z`, with
    :math:`\tau = \eta\,\sigma_s \sqrt{1 - (\alpha_t\sigma_s/\alpha_s\sigma_t)^2}`.  eta = 0 is
    deterministic, 1 the DDPM posterior.
    Finite at alpha = 0 and sigma = 0.  The way back, from data to noise, is ``DDIMInversion``.
    Raises UsageError for an eta outside 0 … 1: above 1, tau may exceed the next level's whole noise.
    """

    eta: float = 0.0
    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0 <= self.eta <= 1:
            raise UsageError(f"eta is {self.eta}; expected a number from 0 to 1: ddim to the DDPM posterior")

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        posterior = denoise(x, step.cur)
        (a, s), (an, sn) = step.cur.coefficients(x), step.nxt.coefficients(x)
        if self.eta == 0.0 or everywhere(sn == 0):
            return renoised(posterior, x, a, s, an, sn), None, posterior.mean
        tau = self.eta * sn * sqrt(fresh_share(a, s, an, sn))
        older = renoised(posterior, x, a, s, an, sqrt(sn * sn - tau * tau))
        return combine((1.0, older), (tau, step.noise())), None, posterior.mean
