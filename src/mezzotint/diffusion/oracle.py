"""Denoisers whose answer is known in closed form: they stand in for a perfect network in tests, docs and tutorials.

All are finite at alpha = 0 (the prior mean) and at sigma = 0 (the state itself, or the nearest datum), take one level,
a level a row or a level a frame, and answer in the dtype of x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.level import Level, expand

NO_COND: Mapping[str, Any] = MappingProxyType({})
"""No conditioning at all."""

Given = Tensor | Callable[[Cond], Tensor]
"""A value, or a value that depends on the conditioning."""


def _given(value: Given, cond: Cond, like: Tensor) -> Tensor:
    tensor = value if isinstance(value, Tensor) else value(cond)
    return tensor.to(like.device, torch.promote_types(like.dtype, torch.float32))


def _level(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
    """alpha and sigma in the arithmetic of x (float32 at least), broadcasting against it."""
    own = level.to(x)
    return expand(own.alpha, x), expand(own.sigma, x)


def _gain(alpha: Tensor, sigma: Tensor, var: Tensor) -> Tensor:
    """alpha var / (alpha^2 var + sigma^2), the slope of the posterior mean; 0 for a point mass seen without noise."""
    total = alpha.square() * var + sigma.square()
    return torch.where(total > 0, alpha * var / torch.where(total > 0, total, 1.0), 0.0)


def _log_normal(residual: Tensor, var: Tensor) -> Tensor:
    """log N(residual; 0, var), elementwise."""
    return -0.5 * (residual.square() / var + (2 * math.pi * var).log())


@dataclass(frozen=True)
class GaussianOracle:
    r"""The exact denoiser of :math:`x_0 \sim N(m, v)` with independent components.

    .. math:: E[x_0 \mid x] = m + \frac{\alpha v}{\alpha^2 v + \sigma^2}\,(x - \alpha m)

    mean: m, broadcasts against x from the right, or a function of cond that gives it (then (B, *)).
    var: v >= 0, likewise.
    Karras et al., 2022, Elucidating the Design Space, app. B.3 with one Gaussian in the place of the deltas.
    """

    mean: Given
    var: Given

    def __call__(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Posterior:
        (a, s), m, v = _level(x, level), _given(self.mean, cond, x), _given(self.var, cond, x)
        return Posterior((m + _gain(a, s, v) * (x - a * m)).to(x.dtype))

    def exact(self, x: Tensor, cur: Level, nxt: Level, cond: Cond = NO_COND) -> Tensor:
        r"""The flow of the probability-flow ODE from cur to nxt, at any two levels.

        .. math:: x_s = \alpha_s m + \frac{f_s}{f_t}\,(x_t - \alpha_t m), \quad f^2 = \alpha^2 v + \sigma^2

        Args: x: (B, *).  cur, nxt: () | (B,) | (B, F).   Returns: (B, *), dtype of x.
        """
        (a, s), (an, sn) = _level(x, cur), _level(x, nxt)
        m, v = _given(self.mean, cond, x), _given(self.var, cond, x)
        ratio = ((an.square() * v + sn.square()) / (a.square() * v + s.square())).sqrt()
        return (an * m + ratio * (x - a * m)).to(x.dtype)

    def log_prob(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Tensor:
        r"""log of the marginal density :math:`N(x; \alpha m, \alpha^2 v + \sigma^2)`, in nats.

        Args: x: (B, *).  level: (1, 0) gives the data's own density.   Returns: (B,).
        """
        (a, s), m, v = _level(x, level), _given(self.mean, cond, x), _given(self.var, cond, x)
        return _log_normal(x - a * m, a.square() * v + s.square()).expand(x.shape).flatten(1).sum(1)


@dataclass(frozen=True)
class MixtureOracle:
    r"""The exact denoiser of a mixture of Gaussians, :math:`x_0 \sim \sum_k w_k N(m_k, v_k)`.

    .. math:: E[x_0 \mid x] = \sum_k r_k E_k[x_0 | x],\; r_k \propto w_k\, N(x; \alpha m_k, \alpha^2 v_k + \sigma^2)

    weights: (K,), or a function of cond that gives (K,) or (B, K): a class-conditional mixture.  Zeros are allowed, and
        they need not sum to 1.
    means: (K, *).   vars: > 0, broadcasts against means.
    """

    weights: Given
    means: Tensor
    vars: Tensor

    def __call__(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Posterior:
        (a, s), m, v = self._parts(x, level)
        each = m + _gain(a, s, v) * (x.unsqueeze(1) - a * m)
        share = expand(self._joint(x, level, cond).softmax(1), each)
        return Posterior((share * each).sum(1).to(x.dtype))

    def log_prob(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Tensor:
        """log of the marginal density of x at a level, in nats.   Args: x: (B, *).   Returns: (B,)."""
        return self._joint(x, level, cond).logsumexp(1)

    def _parts(self, x: Tensor, level: Level) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        """alpha and sigma (…, 1, *), means (K, *) and variances, all against x as (B, 1, *)."""
        a, s = (t.unsqueeze(1) for t in _level(x, level))
        return (a, s), _given(self.means, NO_COND, x), _given(self.vars, NO_COND, x)

    def _joint(self, x: Tensor, level: Level, cond: Cond) -> Tensor:
        """log w_k + log p_k(x), (B, K)."""
        (a, s), m, v = self._parts(x, level)
        density = _log_normal(x.unsqueeze(1) - a * m, a.square() * v + s.square())
        w = _given(self.weights, cond, x)
        return (w / w.sum(-1, keepdim=True)).log() + density.expand(len(x), *m.shape).flatten(2).sum(2)


@dataclass(frozen=True)
class EmpiricalOracle:
    r"""The optimal denoiser of a finite data set: what a network that memorised its training data would answer.

    .. math:: E[x_0 \mid x] = \sum_i r_i y_i,\; r_i \propto \exp(-\lVert x - \alpha y_i\rVert^2 / 2\sigma^2)

    data: y, (N, *).  Time O(B N dim), memory O(N (B + dim)).  At sigma = 0 the answer is the nearest datum.
    Karras et al., 2022, Elucidating the Design Space, eq. 57.
    """

    data: Tensor

    def __call__(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Posterior:
        data = _given(self.data, cond, x)
        share = self._log_lik(x, level).softmax(1)
        return Posterior((share @ data.flatten(1)).reshape(x.shape).to(x.dtype))

    def log_prob(self, x: Tensor, level: Level, cond: Cond = NO_COND) -> Tensor:
        """log of the marginal density of x at a level with sigma > 0, in nats.   Args: x: (B, *).   Returns: (B,)."""
        _, s = _level(x, level)
        norm = (s.log() + 0.5 * math.log(2 * math.pi)).expand(x.shape).flatten(1).sum(1)
        return self._log_lik(x, level).logsumexp(1) - math.log(len(self.data)) - norm

    def _log_lik(self, x: Tensor, level: Level) -> Tensor:
        """-|x - alpha y_i|^2 / 2 sigma^2, (B, N), by differences: a frame that matches costs 0, so the rest decide."""
        a, s = _level(x, level)
        data = _given(self.data, NO_COND, x)
        s = torch.maximum(s, 10 * torch.finfo(s.dtype).eps * a)
        rows = zip(x, a.expand(x.shape), s.expand(x.shape), strict=True)
        return torch.stack([-0.5 * ((row - ar * data) / sr).square().flatten(1).sum(1) for row, ar, sr in rows])
