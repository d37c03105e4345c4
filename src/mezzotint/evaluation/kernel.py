"""The kernel distance between two sets of features: unbiased at any number of pictures, with its own error.

Bińkowski et al., 2018, Demystifying MMD GANs, https://arxiv.org/abs/1801.01401, sec. 3 and app. A (there with
Inception's features, and then called KID).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.estimate import Estimate, spread

SUBSETS, SUBSET = 50, 200
"""Random subsets, and their size, over which the distance is averaged."""


def polynomial(a: Tensor, b: Tensor) -> Tensor:
    r""":math:`k(x, y) = (x^\top y / d + 1)^3` of rows (N, d) and (M, d): (N, M)."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def squared_mmd(a: Tensor, b: Tensor) -> float:
    r"""The unbiased estimate of the squared maximum mean discrepancy of a (N, d) and b (N, d), eq. 4 of the paper:

    .. math:: \frac{1}{n(n-1)}\sum_{i\ne j} k(a_i,a_j) + k(b_i,b_j) - 2\,\frac{1}{n^2}\sum_{i,j} k(a_i,b_j)

    over equal numbers of rows.
    """
    n = len(a)
    aa, bb, ab = polynomial(a, a), polynomial(b, b), polynomial(a, b)
    within = (aa.sum() - aa.trace() + bb.sum() - bb.trace()) / (n * (n - 1))
    return float(within - 2 * ab.sum() / n**2)


def kernel_distance(features: Tensor, reference: Tensor, seed: int = 0) -> Estimate:
    """The mean over SUBSETS random subsets of SUBSET rows of (N, d) and (M, d); it may be below 0 by chance.

    The interval is of the mean over subsets.  Raises UsageError where either side has fewer than SUBSET rows.
    """
    for what, x in (("generated", features), ("reference", reference)):
        if len(x) < SUBSET:
            raise UsageError(f"a kernel distance needs {SUBSET} {what} pictures, got {len(x)}; make more")
    random = torch.Generator().manual_seed(seed)
    found = torch.tensor([_one(features, reference, random) for _ in range(SUBSETS)], dtype=torch.float64)
    return spread(float(found.mean()), found / math.sqrt(SUBSETS), len(features))


def _one(a: Tensor, b: Tensor, random: torch.Generator) -> float:
    rows = (torch.randperm(len(x), generator=random)[:SUBSET] for x in (a, b))
    return squared_mmd(*(x[r].double() for x, r in zip((a, b), rows, strict=True)))
