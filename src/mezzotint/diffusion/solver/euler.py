"""Euler's method and its ancestral form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.levels import Coordinate
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, kept, renoised
from mezzotint.diffusion.solver.churn import NO_CHURN, Churn
from mezzotint.diffusion.solver.ddim import fresh_share
from mezzotint.errors import UsageError


@dataclass(frozen=True)
class Euler:
    r"""Euler's method: :math:`x_s = \alpha_s\hat x_0 + \sigma_s\hat\varepsilon`, after EDM's churn.

    In sigma/alpha (k-diffusion's Euler) and in sigma/(alpha+sigma) (rectified flow's) this is the same step, and
    without churn it is DDIM with eta = 0: in both, Euler's line is the line through x0 and eps.  Finite at alpha = 0
    and sigma = 0.
    Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, alg. 2, its first part.
    """

    churn: Churn = NO_CHURN
    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        cur = step.cur
        if self.churn.amount:
            x, cur = self.churn(x, step)
        posterior = denoise(x, cur)
        (a, s), (an, sn) = cur.coefficients(x), step.nxt.coefficients(x)
        return renoised(posterior, x, a, s, an, sn), None, posterior.mean


@dataclass(frozen=True)
class EulerAncestral:
    r"""Euler's method down to less noise than the next level has, then fresh noise.

    .. math:: x_s = \alpha_s\hat x_0 + c\,\hat\varepsilon + \sqrt{\sigma_s^2-c^2}\,S_{noise}\,z

    coordinate: where c is measured.  With r = sigma/alpha and u = sigma/(alpha+sigma), at t now and at s next,
    ``ratio``: :math:`c = \sigma_s\sqrt{1-\min(1, \eta^2(1-(r_s/r_t)^2))}`, k-diffusion's, DDIM of the same eta;
    ``rectified``: :math:`c = \alpha_s\tfrac{u_d}{1-u_d}, u_d = u_s(1+\eta(u_s/u_t-1))`, that of rectified-flow models.
    eta = 0 is Euler, 1 the ancestral step.  s_noise scales the fresh noise.  Finite at alpha = 0 and sigma = 0.
    Song et al., 2021, DDIM, eq. 16; Karras et al., 2022 (the coordinate).   Raises UsageError for values out of range.
    """

    eta: float = 1.0
    s_noise: float = 1.0
    coordinate: Coordinate = "ratio"
    order: ClassVar[int] = 1
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        top = 1.0 if self.coordinate == "rectified" else math.inf
        if not 0 <= self.eta <= top or math.isinf(self.eta):
            raise UsageError(f"eta is {self.eta}; expected a number from 0 to {top:g}")
        if not 0 <= self.s_noise < math.inf:
            raise UsageError(f"s_noise is {self.s_noise}; expected a finite number, 0 or above")

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        posterior = denoise(x, step.cur)
        (a, s), (an, sn) = step.cur.coefficients(x), step.nxt.coefficients(x)
        if self.eta == 0.0 or everywhere(sn == 0):
            return renoised(posterior, x, a, s, an, sn), None, posterior.mean
        c = self._kept(a, s, an, sn)
        fresh = self.s_noise * sqrt(sn * sn - c * c)
        return combine((1.0, renoised(posterior, x, a, s, an, c)), (fresh, step.noise())), None, posterior.mean

    def _kept(self, a: Scalar, s: Scalar, an: Scalar, sn: Scalar) -> Scalar:
        """c: how much of the next level's noise is the present one's."""
        if self.coordinate == "ratio":
            return sn * sqrt(1 - self.eta * self.eta * fresh_share(a, s, an, sn))
        un = sn / (an + sn)
        down = un * (1 + self.eta * (kept(un, s / (a + s)) - 1))
        return an * down / (1 - down)
