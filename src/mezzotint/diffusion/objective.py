"""What training minimises: at which levels, with which weight, against which noise.

A level sampler is a pure map from uniforms to levels, so randomness is the caller's: stratified, keyed, resumable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.level import Level, noised
from mezzotint.errors import UsageError


class HasLevel(Protocol):
    """A schedule, as far as sampling levels needs one."""

    def level(self, t: Tensor) -> Level: ...


class LevelSampler(Protocol):
    """u (B,) uniform in (0, 1) -> levels (B,); increasing in noise, so stratified u gives stratified levels."""

    def __call__(self, u: Tensor) -> Level: ...


def stratified(offset: float, n: int) -> Tensor:
    """n uniforms on a lattice with one random offset in [0, 1): each is uniform, together they cover (0, 1) evenly,
    (n,) float64.

    Kingma et al., 2021, Variational Diffusion Models, app. I.1 (low-discrepancy sampler).
    """
    u = (offset + torch.arange(n, dtype=torch.float64) / n) % 1.0
    return u.clamp(2.0**-40, 1 - 2.0**-40)


def normal_quantile(u: Tensor) -> Tensor:
    """The standard normal quantile of u in (0, 1), same shape."""
    return math.sqrt(2) * torch.erfinv(2 * u - 1)


@dataclass(frozen=True)
class Uniform:
    """t uniform in [t_min, t_max] of a schedule.  Ho et al., 2020, DDPM, alg. 1."""

    schedule: HasLevel
    t_min: float = 0.0
    t_max: float = 1.0

    def __call__(self, u: Tensor) -> Level:
        return self.schedule.level(self.t_min + u * (self.t_max - self.t_min))


@dataclass(frozen=True)
class LogNormal:
    r""":math:`\ln(\sigma/\alpha) \sim N(mean, std^2)` at alpha = 1.  Karras et al., 2022, EDM, table 1 (-1.2, 1.2)."""

    mean: float = -1.2
    std: float = 1.2

    def __call__(self, u: Tensor) -> Level:
        sigma = (self.mean + self.std * normal_quantile(u)).exp()
        return Level(torch.ones_like(sigma), sigma)


@dataclass(frozen=True)
class LogitNormal:
    """t = sigmoid(N(mean, std^2)) on rectified flow, (alpha, sigma) = (1 - t, t).  Esser et al., 2024, Scaling
    Rectified Flow, eq. 19.
    """

    mean: float = 0.0
    std: float = 1.0

    def __call__(self, u: Tensor) -> Level:
        t = torch.sigmoid(self.mean + self.std * normal_quantile(u))
        return Level(1 - t, t)


@dataclass(frozen=True)
class Mode:
    r"""t = 1 - u - s (cos^2(pi u / 2) - 1 + u) on rectified flow, u reversed so that t rises.  Esser et al., 2024,
    eq. 20.

    scale: s in [-1, 2/(pi - 2)]; 0 is uniform, above 0 favours the middle.  Raises UsageError outside.
    """

    scale: float = 1.29

    def __post_init__(self) -> None:
        if not -1 <= self.scale <= 2 / (math.pi - 2):
            raise UsageError(f"mode scale {self.scale} is out of range; expected -1 <= s <= {2 / (math.pi - 2):.4f}")

    def __call__(self, u: Tensor) -> Level:
        w = 1 - u
        t = 1 - w - self.scale * ((math.pi * w / 2).cos().square() - 1 + w)
        return Level(1 - t, t)


class Weight(Protocol):
    """Levels -> the factor on the squared error of x0, shape of the level."""

    def __call__(self, level: Level) -> Tensor: ...


def snr(level: Level) -> Tensor:
    """Signal-to-noise ratio alpha^2/sigma^2: as a weight it is the eps loss of DDPM.  Ho et al., 2020, eq. 14."""
    return (level.alpha / level.sigma).square()


def uniform_weight(level: Level) -> Tensor:
    """1: the plain x0 loss."""
    return torch.ones_like(level.alpha)


def flow_weight(level: Level) -> Tensor:
    r""":math:`((\alpha+\sigma)/\sigma)^2`: the loss on the rectified-flow velocity.  Liu et al., 2022, eq. 1 (x0 = y
    - u F).
    """
    return ((level.alpha + level.sigma) / level.sigma).square()


def v_weight(level: Level) -> Tensor:
    """SNR + 1: the loss on v.  Salimans & Ho, 2022, Progressive Distillation, sec. 4."""
    return snr(level) + 1


@dataclass(frozen=True)
class Capped:
    """A weight that does not pass a number: for a network that predicts x0 and cannot be exact at low noise.

    Li & He, 2025, Back to Basics, app. A, cap the velocity's weight so.
    """

    base: Weight
    most: float

    def __call__(self, level: Level) -> Tensor:
        return self.base(level).clamp(max=self.most)


@dataclass(frozen=True)
class MinSNR:
    """min(SNR, gamma) on the x0 error.  Hang et al., 2023, Min-SNR Weighting Strategy, eq. 9."""

    gamma: float = 5.0

    def __call__(self, level: Level) -> Tensor:
        return snr(level).clamp(max=self.gamma)


@dataclass(frozen=True)
class EDMWeight:
    r""":math:`1/c_{out}^2 = (\sigma^2+\sigma_d^2\alpha^2)/(\sigma\sigma_d)^2`: every level's initial loss is 1.
    Karras et al., 2022, table 1.
    """

    sigma_data: float = 0.5

    def __call__(self, level: Level) -> Tensor:
        d2 = self.sigma_data**2
        return (level.sigma.square() + d2 * level.alpha.square()) / (level.sigma.square() * d2)


@dataclass(frozen=True)
class P2:
    r"""SNR/(k + SNR)^gamma on the x0 error.  Choi et al., 2022, Perception Prioritized Training, eq. 8 (on eps: 1/(k
    + SNR)^gamma).
    """

    gamma: float = 1.0
    k: float = 1.0

    def __call__(self, level: Level) -> Tensor:
        return snr(level) / (self.k + snr(level)) ** self.gamma


def loss(denoiser: Denoiser, x0: Tensor, eps: Tensor, level: Level, cond: Cond, weight: Weight) -> Tensor:
    r"""One term a row: :math:`w(\alpha,\sigma)\,\overline{(D(\alpha x_0+\sigma\varepsilon)-x_0)^2}`, the mean over a
    row's entries.

    Args: x0, eps: (B, *).  level: (B,) or (B, F), sigma > 0.   Returns: (B,) float32.
    """
    answer = denoiser(noised(x0, eps, level), level, cond).mean
    error = (answer.float() - x0.float()).square()
    w = weight(level).to(error)
    return (error.flatten(w.ndim).mean(-1) * w).reshape(x0.shape[0], -1).mean(-1)
