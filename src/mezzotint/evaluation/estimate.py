"""A measured number with what chance alone would move it by."""

from __future__ import annotations

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


def spread(value: float, replicates: Tensor, n: int) -> Estimate:
    """A number with a normal interval of the standard deviation of its replicates: for measures that resampling itself
    shifts, as it does a Fréchet distance."""
    wide = Z95 * float(replicates.double().std())
    return Estimate(value, value - wide, value + wide, n)
