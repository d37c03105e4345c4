r"""What a network predicts, as four coefficients of the level: :math:`\hat x_0 = c_{skip} x + c_{out} F(c_{in} x,
c_{noise})`.

A parametrisation is data.  A model in another convention is one more function ``Level -> Coeffs``, never a subclass.
All of them depend on (alpha, sigma) only through D(k x; k alpha, k sigma) = D(x; alpha, sigma): networks see
unit-scale input.
Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, eq. 7, generalised to alpha !=
1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, expand, noised
from mezzotint.errors import UsageError

LOGSNR_BOUND = 20.0
"""|logsnr| fed to networks stops here: exp(-10) of noise is below bf16 resolution, and sigma = 0, alpha = 0 stay
finite.
"""


class Coeffs(NamedTuple):
    """c_skip, c_out, c_in, c_noise; each of the level's shape."""

    skip: Tensor
    out: Tensor
    inp: Tensor
    noise: Tensor


class Parametrisation(Protocol):
    """Level -> Coeffs, a pure function."""

    def __call__(self, level: Level) -> Coeffs: ...


def bounded_logsnr(level: Level) -> Tensor:
    """logsnr clamped to +-LOGSNR_BOUND: finite at alpha = 0 and sigma = 0."""
    return level.logsnr.clamp(-LOGSNR_BOUND, LOGSNR_BOUND)


def EPS(level: Level) -> Coeffs:
    r"""The network predicts eps: :math:`\hat x_0 = (x - \sigma\varepsilon)/\alpha`.  Ho et al., 2020, DDPM, eq. 11.

    c_noise = bounded logsnr.  Raises UsageError at alpha = 0, where eps says nothing about x0.
    """
    if bool((level.alpha == 0).any()):
        raise UsageError(
            "an eps-prediction network cannot start from alpha = 0 (zero terminal SNR): x0 = (x - sigma eps)/alpha;"
            " use a grid with alpha > 0, or a v, x0 or flow model"
        )
    return Coeffs(1 / level.alpha, -level.sigma / level.alpha, 1 / level.scale, bounded_logsnr(level))


def V(level: Level) -> Coeffs:
    r"""The network predicts v = (alpha eps - sigma x0)/sqrt(alpha^2+sigma^2).  Salimans & Ho, 2022, Progressive
    Distillation, app. D.

    c_noise = bounded logsnr.
    """
    n = 1 / level.scale
    return Coeffs(level.alpha * n * n, -level.sigma * n, n, bounded_logsnr(level))


def X0(level: Level) -> Coeffs:
    """The network predicts x0 itself.  c_noise = bounded logsnr."""
    return Coeffs(torch.zeros_like(level.alpha), torch.ones_like(level.alpha), 1 / level.scale, bounded_logsnr(level))


def FLOW(level: Level) -> Coeffs:
    r"""The network predicts the rectified-flow velocity eps - x0 at :math:`u = \sigma/(\alpha+\sigma)`.

    y = x/(alpha+sigma) = (1-u) x0 + u eps, so x0 = y - u F.  c_noise = u in [0, 1].
    Liu et al., 2022, Flow Straight and Fast, eq. 1.
    """
    n = 1 / (level.alpha + level.sigma)
    return Coeffs(n, -level.sigma * n, n, level.sigma * n)


@dataclass(frozen=True)
class EDM:
    r"""The preconditioning of Karras et al., 2022, table 1, at any alpha; sigma_data is the data's standard deviation.

    With :math:`r^2 = \sigma^2 + \sigma_d^2\alpha^2`: c_skip = sigma_d^2 alpha / r^2,
    c_out = sigma sigma_d / r, c_in = 1/r,
    c_noise = -logsnr/8 (= ln(sigma/alpha)/4), bounded.  At alpha = 1 these are the paper's.
    """

    sigma_data: float = 0.5

    def __call__(self, level: Level) -> Coeffs:
        d2 = self.sigma_data**2
        r2 = level.sigma.square() + d2 * level.alpha.square()
        r = r2.sqrt()
        return Coeffs(d2 * level.alpha / r2, level.sigma * self.sigma_data / r, 1 / r, -bounded_logsnr(level) / 8)


@dataclass(frozen=True)
class Clean:
    r"""The network predicts x0 over sigma_data, fed as ``EDM`` feeds it: :math:`\hat x_0 = \sigma_d F(x/r, c_{noise})`.

    A patch of clean data has far fewer degrees of freedom than its noise, so a network narrower than its patches can
    say it: Li & He, 2025, Back to Basics: Let Denoising Generative Models Denoise, sec. 3.
    """

    sigma_data: float = 0.5

    def __call__(self, level: Level) -> Coeffs:
        zero, out = torch.zeros_like(level.alpha), torch.full_like(level.alpha, self.sigma_data)
        return EDM(self.sigma_data)(level)._replace(skip=zero, out=out)


@dataclass(frozen=True)
class Indexed:
    """A parametrisation whose network is fed its own time index: the level's if it carries one, else
    ``to_index(logsnr)``.

    to_index: () | (B,) logsnr -> index, e.g. ``TableSchedule.index``.
    """

    base: Parametrisation
    to_index: Callable[[Tensor], Tensor]

    def __call__(self, level: Level) -> Coeffs:
        index = self.to_index(level.logsnr) if level.index is None else level.index
        return self.base(level)._replace(noise=index.to(level.alpha.dtype))


@dataclass(frozen=True)
class Counted:
    """``FLOW`` for a network that counts u in 0 … 1 as 0 … n, as published flow transformers do.

    It is fed the level's index where that carries one: schedulers of other tools round it.
    """

    n: int = 1000

    def __call__(self, level: Level) -> Coeffs:
        c = FLOW(level)
        return c._replace(noise=c.noise * self.n if level.index is None else level.index.to(level.alpha.dtype))


def target(x0: Tensor, eps: Tensor, level: Level, parametrisation: Parametrisation) -> Tensor:
    r"""What a perfect network returns: :math:`F = (x_0 - c_{skip} x)/c_{out}`, with :math:`x = \alpha x_0 +
    \sigma\varepsilon`.

    Args: x0, eps: (B, *).  level: () | (B,) …, sigma > 0.   Returns: (B, *).
    """
    c = parametrisation(level)
    return (x0 - expand(c.skip, x0) * noised(x0, eps, level)) / expand(c.out, x0)


PARAMETRISATIONS: dict[str, Parametrisation] = {"eps": EPS, "v": V, "x0": X0, "flow": FLOW, "edm": EDM()}
