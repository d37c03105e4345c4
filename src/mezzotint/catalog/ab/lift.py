r"""How much more a level brings than the others of its factor.

Within each product, so that a product that sells well lifts no level: the ratio of rates is that of Mantel and Haenszel
over products, :math:`\hat r = \sum_i a_i m_i / N_i \,\big/\, \sum_i c_i n_i / N_i`, with a successes of n views of the
level, c of m views of the others, and N = n + m (Nurminen, 1981, Asymptotic Efficiency of General Noniterative
Estimators of Common Relative Risk).

Views of one picture are alike, so binomial errors are too small. The error of :math:`\ln\hat r` is that of the
jackknife that leaves out one product after the other, with Student's t of one less than the number of products (Efron &
Tibshirani, 1993, An Introduction to the Bootstrap, chapter 11), and at least the binomial one,
:math:`\sum_i (n_i m_i (a_i + c_i) - a_i c_i N_i) / N_i^2` over the product of the two sums above (Greenland & Robins,
1985, Estimation of a Common Effect Parameter from Sparse Follow-up Data). Levels are tested together (Holm, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mezzotint.catalog.ab.results import Shown

LEAST_PRODUCTS = 8
"""Below which no error is estimated."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lift:
    """Of one level over the other levels of its factor.

    lift: 0.1 is a tenth more.  low, high: of its interval; None where there are too few products or numbers.
    p: of no difference, before the correction; holm: after it.
    """

    factor: str
    level: str
    views: int
    successes: int
    lift: float | None
    low: float | None
    high: float | None
    p: float
    holm: float

    @property
    def rate(self) -> float:
        """Successes a view."""
        return self.successes / self.views if self.views else 0.0


def lifts(found: Sequence[Shown], factors: Sequence[str], alpha: float = 0.05) -> list[Lift]:
    """Of every level of every factor, in their order."""
    made = [
        _lift(found, factor, k, level, alpha)
        for k, factor in enumerate(factors)
        for level in dict.fromkeys(one.levels[k] for one in found)
    ]
    adjusted = holm([one.p for one in made])
    return [Lift(**{**vars(one), "holm": p}) for one, p in zip(made, adjusted, strict=True)]


def _lift(found: Sequence[Shown], factor: str, k: int, level: str, alpha: float) -> Lift:
    skus = {sku: i for i, sku in enumerate(dict.fromkeys(one.sku for one in found))}
    table = np.zeros((len(skus), 4))
    for one in found:
        table[skus[one.sku], 0 if one.levels[k] == level else 2] += one.successes
        table[skus[one.sku], 1 if one.levels[k] == level else 3] += one.views
    own = table.sum(0)
    ratio, error, freedom = ratio_of(table)
    said = (factor, level, int(own[1]), int(own[0]))
    if ratio is None:
        return Lift(*said, None, None, None, 1.0, 1.0)
    if error is None:
        return Lift(*said, ratio - 1, None, None, 1.0, 1.0)
    from scipy.stats import t

    reach = float(t.ppf(1 - alpha / 2, freedom)) * error
    p = float(2 * t.sf(abs(math.log(ratio)) / error, freedom))
    return Lift(*said, ratio - 1, ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1, p, p)


def ratio_of(table: Array) -> tuple[float | None, float | None, int]:
    """(ratio, error of its logarithm, degrees of freedom) of products with (a, n, c, m) each, (P, 4).

    None is not known: no successes on one side; too few products that were shown with both.
    """
    both = table[(table[:, 1] > 0) & (table[:, 3] > 0)]
    a, n, c, m = both.T
    over, under = a * m / (n + m), c * n / (n + m)
    if not over.sum() or not under.sum():
        return None, None, 0
    ratio, products = float(over.sum() / under.sum()), len(both)
    left_over, left_under = over.sum() - over, under.sum() - under
    if products < LEAST_PRODUCTS or not (left_over > 0).all() or not (left_under > 0).all():
        return ratio, None, 0
    logs = np.log(left_over / left_under)
    jackknife = (products - 1) / products * float(((logs - logs.mean()) ** 2).sum())
    spread = (n * m * (a + c) - a * c * (n + m)) / (n + m) ** 2
    binomial = float(spread.sum() / (over.sum() * under.sum()))
    return ratio, math.sqrt(max(jackknife, binomial)), products - 1


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted so that the chance of any false finding among them keeps its level (Holm, 1979)."""
    order, worst, adjusted = np.argsort(values, kind="stable"), 0.0, [0.0] * len(values)
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(values) - rank) * values[index]))
        adjusted[int(index)] = worst
    return adjusted


def winners(found: Sequence[Lift], alpha: float = 0.05) -> dict[str, str | None]:
    """Of each factor the level that is better than the others beyond doubt; None is not yet."""
    said: dict[str, str | None] = {}
    for factor in dict.fromkeys(one.factor for one in found):
        sure = [
            one for one in found if one.factor == factor and one.holm < alpha and one.lift is not None and one.lift > 0
        ]
        said[factor] = max(sure, key=lambda one: one.lift or 0.0).level if sure else None
    return said
