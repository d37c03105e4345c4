"""A measured number with what chance alone would move it by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.errors import UsageError

DRAWS = 2000
Z95 = 1.959964
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """value: of n pictures.  low, high: its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} … {self.high:.4g})"


def mean_of(values: Tensor, seed: int = 0) -> Estimate:
    """The mean of one number a picture, (n,), with its bootstrap interval over DRAWS draws.

    Efron, 1979, Bootstrap Methods.  Raises UsageError where there is none.
    """
    if not len(values):
        raise UsageError("a mean of no pictures means nothing; give some")
    random, x = torch.Generator().manual_seed(seed), values.double()
    means = torch.stack([x[torch.randint(len(x), (len(x),), generator=random)].mean() for _ in range(DRAWS)])
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Estimate(float(x.mean()), low, high, len(x))


def share_of(holds: Tensor) -> Estimate:
    r"""The share of n pictures of which something holds, (n,) bool, with Wilson's interval:

    .. math:: \frac{p + z^2/2n \pm z\sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}, \quad z = Z95

    All of n, or none, is no certainty: a bootstrap would say so.  Wilson, 1927, Probable Inference, the Law of
    Succession, and Statistical Inference.   Raises UsageError where there is none.
    """
    n = len(holds)
    if not n:
        raise UsageError("a share of no pictures means nothing; give some")
    p, z2 = float(holds.double().mean()), Z95**2
    middle, wide = p + z2 / (2 * n), Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = ((middle + side * wide) / (1 + z2 / n) for side in (-1, 1))
    return Estimate(p, 0.0 if p == 0 else low, 1.0 if p == 1 else high, n)


def spread(value: float, replicates: Tensor, n: int) -> Estimate:
    """A number with a normal interval of the standard deviation of its replicates: for measures that resampling itself
    shifts, as it does a Fréchet distance."""
    wide = Z95 * float(replicates.double().std())
    return Estimate(value, value - wide, value + wide, n)
