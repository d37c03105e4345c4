"""Elementary functions on a solver's coefficients: Python floats for one level a batch, tensors for a level a row or
a frame.

A step needs about a dozen scalar operations.  On Python floats they cost 50 ns each, on 0-dim tensors 1 us: that
difference is most of a solver's overhead, so coefficients are floats whenever every row is at the same level.
"""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor

Scalar = float | Tensor


@overload
def log(a: float) -> float: ...
@overload
def log(a: Scalar) -> Scalar: ...
def log(a: Scalar) -> Scalar:
    """Natural logarithm; log 0 = -inf, as tensors have it."""
    if isinstance(a, Tensor):
        return a.log()
    return math.log(a) if a > 0 else -math.inf


@overload
def expm1(a: float) -> float: ...
@overload
def expm1(a: Scalar) -> Scalar: ...
def expm1(a: Scalar) -> Scalar:
    """exp(a) - 1 without cancellation near 0."""
    return torch.expm1(a) if isinstance(a, Tensor) else math.expm1(a)


@overload
def exp(a: float) -> float: ...
@overload
def exp(a: Scalar) -> Scalar: ...
def exp(a: Scalar) -> Scalar:
    """exp(a)."""
    return a.exp() if isinstance(a, Tensor) else math.exp(a)


@overload
def sqrt(a: float) -> float: ...
@overload
def sqrt(a: Scalar) -> Scalar: ...
def sqrt(a: Scalar) -> Scalar:
    """Square root; negative rounding residue counts as 0."""
    return a.clamp(min=0).sqrt() if isinstance(a, Tensor) else math.sqrt(max(a, 0.0))


@overload
def where(condition: Scalar | bool, a: float, b: float) -> Scalar: ...
@overload
def where(condition: Scalar | bool, a: Scalar, b: Scalar) -> Scalar: ...
def where(condition: Scalar | bool, a: Scalar, b: Scalar) -> Scalar:
    """``a`` where the condition holds, else ``b``; both are computed, so both must be finite or ignorable.

    A float beside a tensor takes its dtype; two floats under a tensor's condition become float32.
    """
    if isinstance(condition, Tensor):
        return torch.where(condition.bool(), a, b)
    return a if condition else b


def everywhere(condition: Scalar | bool) -> bool:
    """Whether the condition holds for every row."""
    return bool(condition.all()) if isinstance(condition, Tensor) else bool(condition)


def as_many(x: Tensor, like: Tensor) -> Tensor:
    """Rows (B, *) repeated to those of ``like`` (k B, *), [x, x, …]; x itself where it has as many."""
    return x if len(x) == len(like) else x.repeat(len(like) // len(x), *[1] * (x.ndim - 1))


def combine(*terms: tuple[Scalar, Tensor]) -> Tensor:
    r"""The linear combination :math:`\sum_i c_i x_i`, in one pass a term and one new tensor.

    Args: terms: pairs of a coefficient (float, or a tensor that broadcasts against x) and a state (B, *).
    Returns: (B, *), dtype of the first state.
    """
    (c, x), *rest = terms
    dtype, out = x.dtype, x * c
    for c, x in rest:
        if isinstance(c, Tensor):
            out = out + x * c
        elif c != 0.0:
            out = out.add_(x, alpha=c)
    return out if out.dtype is dtype else out.to(dtype)  # coefficients of rows are float32 at least
