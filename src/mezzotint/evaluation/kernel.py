"""The kernel distance between two sets of features: unbiased at any number of pictures, with its own error.

Bińkowski et al., 2018, Demystifying MMD GANs, https://arxiv.org/abs/1801.01401, sec. 3 and app. A (there with
Inception's features, and then called KID).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.estimate import Z95, Estimate

LEAST = 200
"""Pictures on either side below which chance says more than the pictures do."""

ROWS = 1024
"""Rows of a kernel's table in memory at a time."""


def polynomial(a: Tensor, b: Tensor) -> Tensor:
    r""":math:`k(x, y) = (x^\top y / d + 1)^3` of rows (N, d) and (M, d): (N, M)."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def _within(x: Tensor) -> Tensor:
    """The sum over the other rows of k(x_i, x_j), (N,)."""
    own = (x.square().sum(1) / x.shape[1] + 1) ** 3
    return torch.cat([polynomial(rows, x).sum(1) for rows in torch.split(x, ROWS)]) - own


def _across(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of k(a_i, b_j) over j (N,) and over i (M,)."""
    parts = [polynomial(rows, b) for rows in torch.split(a, ROWS)]
    return torch.cat([p.sum(1) for p in parts]), torch.stack([p.sum(0) for p in parts]).sum(0)


def _without_one(mine: Tensor, across: Tensor, others: float, m: int) -> Tensor:
    """The estimate with each row of one side left out in turn, (N,).

    mine, across: sums over the rows of its own side and of the other.  others: the other side's own term.  m: its rows.
    """
    n = len(mine)
    own = (mine.sum() - 2 * mine) / ((n - 1) * (n - 2))
    return own + others - 2 * (across.sum() - across) / ((n - 1) * m)


def squared_mmd(a: Tensor, b: Tensor) -> Estimate:
    r"""The unbiased estimate of the squared maximum mean discrepancy of a (n, d) and b (m, d), n, m >= 3:

    .. math:: \frac{1}{n(n-1)}\sum_{i\ne j} k(a_i,a_j) + \frac{1}{m(m-1)}\sum_{i\ne j} k(b_i,b_j)
              - \frac{2}{nm}\sum_{i,j} k(a_i,b_j)

    Gretton et al., 2012, A Kernel Two-Sample Test, eq. 3.  Its 95 % interval is normal with the jackknife's variance,
    each row of either side left out in turn: Arvesen, 1969, Jackknifing U-Statistics, sec. 4.
    """
    a, b, n, m = a.double(), b.double(), len(a), len(b)
    aa, bb, (ab, ba) = _within(a), _within(b), _across(a, b)
    of_a, of_b = float(aa.sum()) / (n * (n - 1)), float(bb.sum()) / (m * (m - 1))
    value = of_a + of_b - 2 * float(ab.sum()) / (n * m)
    left_out = (_without_one(aa, ab, of_b, m), _without_one(bb, ba, of_a, n))
    variance = sum(float((len(x) - 1) * x.var(correction=0)) for x in left_out)
    wide = Z95 * math.sqrt(variance)
    return Estimate(value, value - wide, value + wide, n)


def kernel_distance(features: Tensor, reference: Tensor) -> Estimate:
    """``squared_mmd`` of features (N, d) and (M, d); it may be below 0 by chance.

    Raises UsageError where either side has fewer than LEAST rows.
    """
    for what, x in (("generated", features), ("reference", reference)):
        if len(x) < LEAST:
            raise UsageError(f"a kernel distance needs {LEAST} {what} pictures, got {len(x)}; make more")
    return squared_mmd(features, reference)
