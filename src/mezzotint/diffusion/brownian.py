r"""One Brownian path a seed, whatever the steps: the noise of an SDE solver as a function of (seed, interval).

Time is the signal-to-noise ratio :math:`\tau = \alpha^2/\sigma^2 \in [0, \infty)`, because there the noise of the
reverse SDE is an increment of W itself: with :math:`y = \alpha x/\sigma^2`, one step of it is
:math:`y_s = y_t + (\tau_s-\tau_t)\hat x_0 + W(\tau_s)-W(\tau_t)`.
What is stored is :math:`X(\tau) = W(\tau)/\sqrt\tau`, the stationary Ornstein-Uhlenbeck process in log tau (Doob, 1942,
The Brownian Movement and Stochastic Equations), which is N(0, 1) everywhere, the ends alpha = 0 and sigma = 0 included.

X is drawn lazily on a virtual Brownian tree (Li et al., 2020, Scalable Gradients for Stochastic Differential Equations,
section 4): the middle of an interval, given its ends, is a bridge normal keyed by its own place k.  Places are the
integers 0 < k < 2^20 with odds :math:`k/(2^{20}-k) = (\alpha/\sigma)^{1/4}`, so that the tree is finest where grids are
and covers every level.  Only +, -, x, / and square roots touch the path: it is the same to the bit on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Draws

PLACES = 2**20
"""Leaves of the tree: a place is 3e-5 of logsnr wide at logsnr = 0, 1e-4 at +-20."""

TREE_DRAW = 2**32
"""Place k is draw TREE_DRAW + k, far above the draws of any trajectory."""


def place(level: Level) -> Tensor:
    """The leaf a level falls on, round(2^20 u), u = alpha^(1/4)/(alpha^(1/4) + sigma^(1/4)): int64, shape of level."""
    a, s = (c.cpu().double().sqrt().sqrt() for c in (level.alpha, level.sigma))
    return (PLACES * (a / (a + s))).round().clamp(1, PLACES - 1).long()


def correlation(k: int, m: int) -> tuple[float, float]:
    r""":math:`\rho = \sqrt{\tau_k/\tau_m}`, the correlation of X at places k <= m, and :math:`1-\rho^2` uncancelled."""
    whole = m * (PLACES - k)
    q, gap = k * (PLACES - m) / whole, PLACES * (m - k) / whole
    q2 = q * q
    return q2 * q2, gap * (1 + q) * (1 + q2) * (1 + q2 * q2)


def way(k: int) -> list[tuple[int, int, int]]:
    """The intervals halved on the way from the root to place k, as (lo, mid, hi); the last mid is k."""
    lo, hi = 0, PLACES
    out: list[tuple[int, int, int]] = []
    while not out or out[-1][1] != k:
        mid = (lo + hi) // 2
        out.append((lo, mid, hi))
        lo, hi = (mid, hi) if k > mid else (lo, mid)
    return out


def descend(noise: Draws, k: int, shape: Sequence[int]) -> Tensor:
    """X at place k, 0 < k < 2^20: bridge normals from the root down to k.   Returns: shape (B, *), float64."""
    path, ends = way(k), {0: torch.zeros((), dtype=torch.float64)}
    ends[PLACES] = ends[0]  # both ends lie infinitely far, so whatever stands there has no share
    draws = noise.many([TREE_DRAW + mid for _, mid, _ in path], shape)
    for (lo, mid, hi), z in zip(path, draws, strict=True):
        (rho_lo, free_lo), (rho_hi, free_hi) = correlation(lo, mid), correlation(mid, hi)
        free = correlation(lo, hi)[1]
        z = z.mul_(math.sqrt(free_lo * free_hi / free))
        z += ends[lo] * (rho_lo * free_hi / free) + ends[hi] * (rho_hi * free_lo / free)
        ends = {lo: ends[lo], mid: z, hi: ends[hi]}
    return ends[k]


@dataclass(frozen=True)
class Brownian:
    r"""The standardised increment :math:`(W(\tau_b)-W(\tau_a))/\sqrt{|\tau_b-\tau_a|}`, tau = SNR, of one path a seed.

    A pure function of (seeds, stage, a, b).  Exactly N(0, 1), independent over disjoint intervals, and additive:
    W(c) - W(a) is the sum of W(b) - W(a) and W(c) - W(b), so halving the steps does not change the path.  Levels are
    rounded to the tree's places; an interval within one place has increment 0.  Nothing is drawn until it is called; a
    call costs about 20 draws an end.
    """

    noise: Draws
    _last: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, a: Level, b: Level, shape: Sequence[int]) -> Tensor:
        """Args: a, b: () or (B,) or (B, F) …  shape: (B, *), B = len(seeds).   Returns: (B, *), on the CPU."""
        ka, kb = place(a), place(b)
        if ka.ndim == 0 and kb.ndim == 0:
            return self._between(int(ka), int(kb), shape).to(self.noise.dtype)
        ka, kb = ka + 0 * kb, kb + 0 * ka
        rows = map(Brownian, self.noise.rows())
        each = zip(rows, ka, kb, strict=True)
        return torch.cat([row._frames(k, m, (1, *shape[1:])) for row, k, m in each]).to(self.noise.dtype)

    def _frames(self, ka: Tensor, kb: Tensor, shape: Sequence[int]) -> Tensor:
        """One row's increments, places a frame.  ka, kb: () or (F,) …  shape: (1, F, *).   Returns: float64."""
        z = torch.zeros(tuple(shape), dtype=torch.float64)
        for k, m in sorted(set(zip(ka.reshape(-1).tolist(), kb.reshape(-1).tolist(), strict=True))):
            here = (ka == k) & (kb == m)
            z[:, here] = self._between(k, m, shape)[:, here]
        return z

    def _between(self, k: int, m: int, shape: Sequence[int]) -> Tensor:
        """The standardised increment from place k to place m, float64."""
        if k == m:
            return torch.zeros(tuple(shape), dtype=torch.float64)
        if k > m:
            return -self._between(m, k, shape)
        rho, free = correlation(k, m)
        start = self._value(k, shape)
        return (self._value(m, shape) - rho * start) / math.sqrt(free)

    def _value(self, k: int, shape: Sequence[int]) -> Tensor:
        """X at place k; the last two are kept, since a step starts where the one before it ended."""
        found = self._last.get(k)
        if found is None or found.shape != tuple(shape):
            found = descend(self.noise, k, shape)
            while len(self._last) > 1:
                self._last.pop(next(iter(self._last)))
            self._last[k] = found
        return found
