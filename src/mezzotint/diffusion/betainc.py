"""The beta distribution's cumulative function and its inverse in plain numpy: what the ``beta`` grids need of a
statistics library.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import UsageError

Array = NDArray[np.float64]

_TINY = 1e-300
_MAX_TERMS = 300
_MAX_ROUNDS = 100


def _log_front(x: Array, a: float, b: float) -> Array:
    r""":math:`\ln[x^a (1-x)^b / B(a,b)]`, for 0 < x < 1."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * np.log(x) + b * np.log1p(-x) - log_beta


def _fraction(x: Array, a: float, b: float) -> Array:
    """The continued fraction of I_x(a, b), by the modified Lentz method (DLMF 8.17.22; Lentz, 1976; Thompson & Barnett,
    1986).
    """
    c = np.ones_like(x)
    d = 1 - (a + b) * x / (a + 1)
    d = 1 / np.where(np.abs(d) < _TINY, _TINY, d)
    value = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for term in (even, odd):
            d = 1 + term * d
            d = 1 / np.where(np.abs(d) < _TINY, _TINY, d)
            c = 1 + term / c
            c = np.where(np.abs(c) < _TINY, _TINY, c)
            value = value * c * d
        if np.all(np.abs(value - before) <= 1e-15 * np.abs(value)):
            break
    return value


def betainc(x: Array, a: float, b: float) -> Array:
    r"""The regularised incomplete beta function :math:`I_x(a,b)`, x in [0, 1], a, b > 0; shape of x.

    DLMF 8.17: the continued fraction where it converges fast, x < (a+1)/(a+b+2), and the reflection I_x(a,b) = 1 -
    I_{1-x}(b,a).
    """
    x = np.asarray(x, np.float64)
    out = np.where(x <= 0, 0.0, 1.0)
    low = (x > 0) & (x < (a + 1) / (a + b + 2))
    high = (x < 1) & (x > 0) & ~low
    y = 1 - x[high]
    out[low] = np.exp(_log_front(x[low], a, b)) * _fraction(x[low], a, b) / a
    out[high] = 1 - np.exp(_log_front(y, b, a)) * _fraction(y, b, a) / b
    return out


def beta_quantile(p: Array, a: float, b: float) -> Array:
    """x with I_x(a, b) = p, for p in [0, 1]: Newton's method kept inside a shrinking bracket; shape of p.

    Raises UsageError unless a and b are finite and above 0.
    """
    if not (0 < a < math.inf and 0 < b < math.inf):
        raise UsageError(f"the beta distribution's parameters are {a} and {b}; expected finite numbers above 0")
    p = np.asarray(p, np.float64)
    out = np.where(p >= 1, 1.0, 0.0)
    inside = (p > 0) & (p < 1)
    out[inside] = _solve(p[inside], a, b)
    return out


def _solve(p: Array, a: float, b: float) -> Array:
    low, high, x = np.zeros_like(p), np.ones_like(p), np.full_like(p, 0.5)
    for _ in range(_MAX_ROUNDS):
        error = betainc(x, a, b) - p
        low, high = np.where(error < 0, x, low), np.where(error >= 0, x, high)
        newton = x - error * x * (1 - x) / np.exp(_log_front(x, a, b))
        after = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        after = np.clip(after, 1e-300, 1 - 2.0**-53)
        moved, x = np.abs(after - x), after
        if np.all(moved <= 1e-12 * x):  # Newton's next error is the square of this one
            break
    return x
