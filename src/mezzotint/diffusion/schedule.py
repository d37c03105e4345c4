r"""Noise schedules: the map from a coordinate t in [0, 1] (0 = clean, 1 = noise) to a ``Level``, and its inverse in
logsnr.

Training draws t, grids place t; a solver or a network never sees it.  Every schedule is pure and frozen.  Those of
tables also map a level to the index their networks were trained with, so that a model of one schedule can be run on any
grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.errors import UsageError


class Schedule(Protocol):
    """``level``: t () | (B,) | (B, F) … in [0, 1] -> Level of that shape, sigma/alpha increasing in t.

    ``t``: logsnr -> t, its inverse.
    """

    def level(self, t: Tensor) -> Level: ...
    def t(self, logsnr: Tensor) -> Tensor: ...


def vp_level(logsnr: Tensor) -> Level:
    r""":math:`\alpha^2 = \mathrm{sigmoid}(\ell)`, :math:`\sigma^2 = \mathrm{sigmoid}(-\ell)`: alpha^2 + sigma^2 = 1."""
    return Level(logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt())


def positive(name: str, value: float) -> None:
    """UsageError unless the value is a finite number above 0."""
    if not (value > 0 and math.isfinite(value)):
        raise UsageError(f"{name} is {value}; expected a finite number above 0")


@dataclass(frozen=True)
class Flow:
    r"""Rectified flow with a shift: :math:`u = s t/(1+(s-1)t)`, (alpha, sigma) = (1 - u, u).

    shift: s > 0, the same as adding -2 ln s to every logsnr: above 1 spends more of t in high noise.
    Liu et al., 2022, Flow Straight and Fast, eq. 1; Esser et al., 2024, Scaling Rectified Flow Transformers, eq. 23.
    Raises UsageError for a shift that is not above 0.
    """

    shift: float = 1.0

    def __post_init__(self) -> None:
        positive("shift", self.shift)

    def level(self, t: Tensor) -> Level:
        u = self.shift * t / (1 + (self.shift - 1) * t)
        return Level(1 - u, u)

    def t(self, logsnr: Tensor) -> Tensor:
        u = (-logsnr / 2).sigmoid()
        return u / (self.shift - (self.shift - 1) * u)


def resolution_shift(tokens: float, base_tokens: float = 256, base_shift: float = 1.0) -> float:
    r"""The shift that keeps a picture of more pixels equally uncertain: :math:`s = s_0\sqrt{m/n}`, m tokens against n.

    Esser et al., 2024, Scaling Rectified Flow Transformers, eq. 23.  Raises UsageError for counts not above 0.
    """
    positive("the number of tokens", tokens)
    positive("the base number of tokens", base_tokens)
    return base_shift * math.sqrt(tokens / base_tokens)


def mu_shift(
    tokens: float, base_tokens: float = 256, max_tokens: float = 4096, base_mu: float = 0.5, max_mu: float = 1.15
) -> float:
    r"""FLUX's shift :math:`s = e^\mu`, mu linear in the number of tokens, from base_mu to max_mu (and beyond).

    Black Forest Labs, 2024, FLUX.1, reference sampler.  Raises UsageError for a count of tokens not above 0.
    """
    positive("the number of tokens", tokens)
    slope = (max_mu - base_mu) / (max_tokens - base_tokens)
    return math.exp(base_mu + slope * (tokens - base_tokens))


@dataclass(frozen=True)
class Cosine:
    r"""The continuous cosine schedule: :math:`\alpha = \cos\varphi_t/\cos\varphi_0`,
    :math:`\varphi_t = \tfrac{\pi}{2}\tfrac{t+s}{1+s}`, alpha^2+sigma^2 = 1.

    offset: s.  0, the default here, gives alpha = cos(pi t/2), sigma = sin(pi t/2) (Salimans & Ho, 2022, Progressive
    Distillation, sec. 2); 0.008 the curve of Nichol & Dhariwal, 2021, Improved DDPM, eq. 17.  alpha is exactly 0 at t =
    1.
    The table with clipped betas that published models were trained on is ``cosine_table``.
    Raises UsageError for a negative offset.
    """

    offset: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.offset < math.inf:
            raise UsageError(f"cosine offset is {self.offset}; expected a finite number, 0 or above")

    @property
    def _start(self) -> float:
        return math.pi / 2 * self.offset / (1 + self.offset)

    def level(self, t: Tensor) -> Level:
        start, quarter = self._start, math.pi / 2 / (1 + self.offset)
        alpha = ((1 - t) * quarter).sin() / math.cos(start)  # cos(phi), exactly 0 at t = 1
        # sigma^2 = 1 - alpha^2 = sin(phi - phi_0) sin(phi + phi_0) / cos^2(phi_0), without cancellation near t = 0
        sigma = ((t * quarter).sin() * (t * quarter + 2 * start).sin()).clamp(min=0).sqrt() / math.cos(start)
        return Level(alpha, sigma)

    def t(self, logsnr: Tensor) -> Tensor:
        start = self._start
        level = vp_level(logsnr)
        sin2 = math.sin(start) ** 2 + (math.cos(start) * level.sigma).square()
        phi = torch.atan2(sin2.sqrt(), math.cos(start) * level.alpha)
        return ((phi - start) * (1 + self.offset) * 2 / math.pi).clamp(0, 1)


def _check_range(sigma_min: float, sigma_max: float) -> None:
    positive("sigma_min", sigma_min)
    positive("sigma_max", sigma_max)
    if sigma_min >= sigma_max:
        raise UsageError(f"sigma_min {sigma_min} is not below sigma_max {sigma_max}; swap them")


@dataclass(frozen=True)
class VE:
    r"""Variance exploding: alpha = 1, :math:`\sigma = \sigma_{min}(\sigma_{max}/\sigma_{min})^t`.

    Song et al., 2021, Score-Based Generative Modeling through SDEs, app. C.  Raises UsageError unless 0 < sigma_min <
    sigma_max.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        _check_range(self.sigma_min, self.sigma_max)

    def level(self, t: Tensor) -> Level:
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return Level(torch.ones_like(t), (low + t * (high - low)).exp())

    def t(self, logsnr: Tensor) -> Tensor:
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return ((-logsnr / 2 - low) / (high - low)).clamp(0, 1)


@dataclass(frozen=True)
class Karras:
    r"""alpha = 1, :math:`\sigma^{1/\rho}` linear in t between its two ends.

    Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, eq. 5.
    Raises UsageError unless 0 < sigma_min < sigma_max and rho > 0.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        _check_range(self.sigma_min, self.sigma_max)
        positive("rho", self.rho)

    def _roots(self) -> tuple[float, float]:
        return float(self.sigma_min ** (1 / self.rho)), float(self.sigma_max ** (1 / self.rho))

    def level(self, t: Tensor) -> Level:
        low, high = self._roots()
        return Level(torch.ones_like(t), (low + t * (high - low)).pow(self.rho))

    def t(self, logsnr: Tensor) -> Tensor:
        low, high = self._roots()
        return (((-logsnr / (2 * self.rho)).exp() - low) / (high - low)).clamp(0, 1)


@dataclass(frozen=True)
class TableSchedule:
    r"""A discrete schedule of T betas: :math:`\bar\alpha_i = \prod_{j\le i}(1-\beta_j)`, (alpha, sigma) = (sqrt(abar),
    sqrt(1 - abar)).

    Entry i = 0 … T-1 is what its networks call time index i.  t = i/(T-1), so t = 0 is the table's cleanest entry,
    whose sigma is small but not 0.  Between entries logsnr is linear in i; in the last interval of a table that ends at
    alpha = 0, where logsnr is infinite, alpha/sigma is.   Ho et al., 2020, DDPM, eq. 4.
    Raises UsageError for fewer than two betas, a beta outside (0, 1], or one of 1 before the last.
    """

    betas: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.betas) < 2:
            raise UsageError(f"a table schedule needs at least two betas; this one has {len(self.betas)}")
        bad = [i for i, b in enumerate(self.betas) if not (0 < b < 1 or (b == 1 and i == len(self.betas) - 1))]
        if bad:
            raise UsageError(
                f"beta {bad[0]} of the table is {self.betas[bad[0]]}; expected 0 < beta < 1 (1 only as the last)"
            )

    def __len__(self) -> int:
        return len(self.betas)

    @cached_property
    def alpha_bar(self) -> Tensor:
        """(T,) float64, the products of 1 - beta."""
        return (1 - torch.tensor(self.betas, dtype=torch.float64)).cumprod(0)

    @cached_property
    def logsnr(self) -> Tensor:
        """(T,) float64, decreasing; -inf last where the table ends at alpha = 0."""
        return self.alpha_bar.log() - (1 - self.alpha_bar).log()

    def at(self, index: Tensor) -> Level:
        """The level of a (fractional) index, clamped to [0, T-1]; it carries the index.

        Args: index: () | (B,) …, any number type.
        """
        index = index.to(torch.promote_types(index.dtype, torch.float32)).clamp(0, len(self) - 1)
        knots = self.logsnr.to(index.device, index.dtype)
        low = index.long().clamp(max=len(self) - 2)
        w, a, b = index - low, knots[low], knots[low + 1]
        level = vp_level(torch.where(b.isinf(), a + 2 * torch.log1p(-w), a * (1 - w) + b * w))
        return Level(level.alpha, level.sigma, index)

    def index(self, logsnr: Tensor) -> Tensor:
        """The fractional index of a logsnr, () | (B,) …; 0 for levels cleaner than the table, T-1 for noisier ones."""
        knots = self.logsnr.to(logsnr.device, logsnr.dtype)
        low = (torch.searchsorted(-knots, -logsnr.contiguous(), right=True) - 1).clamp(0, len(self) - 2)
        a, b = knots[low], knots[low + 1]
        w = torch.where(b.isinf(), -torch.expm1((logsnr - a) / 2), (a - logsnr) / (a - b))
        return low + w.clamp(0, 1)

    def level(self, t: Tensor) -> Level:
        return self.at(t * (len(self) - 1))

    def t(self, logsnr: Tensor) -> Tensor:
        return self.index(logsnr) / (len(self) - 1)


def linear(n: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> TableSchedule:
    """n betas evenly spaced.  Ho et al., 2020, DDPM, sec. 4."""
    return TableSchedule(tuple(torch.linspace(beta_start, beta_end, n, dtype=torch.float64).tolist()))


def scaled_linear(n: int = 1000, beta_start: float = 0.00085, beta_end: float = 0.012) -> TableSchedule:
    """n betas whose square roots are evenly spaced.

    Rombach et al., 2022, Latent Diffusion Models (Stable Diffusion's defaults).
    """
    roots = torch.linspace(beta_start**0.5, beta_end**0.5, n, dtype=torch.float64)
    return TableSchedule(tuple(roots.square().tolist()))


def cosine_table(n: int = 1000, offset: float = 0.008, max_beta: float = 0.999) -> TableSchedule:
    r"""n betas :math:`1 - f(\tfrac{i+1}{n})/f(\tfrac{i}{n})`, at most max_beta,
    :math:`f(t)=\cos^2(\tfrac{t+s}{1+s}\tfrac{\pi}{2})`.

    Nichol & Dhariwal, 2021, Improved DDPM, eq. 17.
    """
    f = [math.cos((i / n + offset) / (1 + offset) * math.pi / 2) ** 2 for i in range(n + 1)]
    return TableSchedule(tuple(min(1 - b / a, max_beta) for a, b in pairwise(f)))


def from_alpha_bar(alpha_bar: Sequence[float]) -> TableSchedule:
    """The table whose products of 1 - beta are given (a model's ``alphas_cumprod``), decreasing in (0, 1]; the last may
    be 0.
    """
    values = torch.tensor(alpha_bar, dtype=torch.float64)
    before = torch.cat((torch.ones(1, dtype=torch.float64), values[:-1]))
    return TableSchedule(tuple((1 - values / before).tolist()))


def zero_terminal_snr(table: TableSchedule, terminal: float = 0.0) -> TableSchedule:
    r"""The table stretched to end in pure noise: :math:`\sqrt{\bar\alpha}` shifted to end at 0, scaled to keep its
    first entry.

    terminal: abar of the last entry in place of the 0, for eps models and sigma-space grids, which cannot start at
    alpha = 0.  diffusers' Euler and DPM-Solver schedulers put 2**-24 there, whatever the table: for Stable Diffusion's
    that is below the entry before it, for ``linear()`` it is not, so that their sigmas do not rise.
    Raises UsageError where the terminal is not below the entry before it.
    Lin et al., 2024, Common Diffusion Noise Schedules and Sample Steps are Flawed, alg. 1.
    """
    root = table.alpha_bar.sqrt()
    stretched = ((root - root[-1]) * root[0] / (root[0] - root[-1])).square()
    if not 0 <= terminal < stretched[-2]:
        before = float(stretched[-2])
        raise UsageError(f"terminal is {terminal:g}; expected 0 or above, and below the entry before it, {before:.3g}")
    return from_alpha_bar([*stretched[:-1].tolist(), terminal])
