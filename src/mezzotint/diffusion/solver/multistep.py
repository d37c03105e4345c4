"""What the multistep solvers share: a step's geometry, the answers of earlier steps, how the order falls at the end.

Everything is said in lambda = ln(alpha/sigma) and h, its increase over a step.  Coefficients are Python floats where
one level serves the batch, else float64 tensors of the level's shape, on the CPU: float32 states lose nothing to
cancellation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, where
from mezzotint.diffusion.solver.base import Step
from mezzotint.errors import UsageError, unknown

Final = Literal["full", "lower", "short", "euler"]
"""How the order falls at the end of a grid (at sigma = 0 the last step of the x0-solvers is first order in any case).

full: it does not.  lower: never above the number of steps left (UniPC's ``lower_order_final``).
short: as lower, on grids of fewer than 15 steps (DPM-Solver++'s and DEIS's ``lower_order_final``).
euler: as short, and the last step is always first order (``euler_at_final``).
"""

SHORT = 15
FAR = 2.0**40  # a power of two, the same in every float type
"""The distance given to an answer of no use (from alpha = 0, or before a row stood still), whose weight so vanishes."""


def check_choice(kind: str, value: str, choices: object) -> None:
    """UsageError, nearest names first, unless value is one of the names of a Literal type."""
    if value not in get_args(choices):
        raise unknown(kind, value, get_args(choices))


def check_answers(solver: str, answers: int, most: int) -> None:
    """UsageError unless 1 <= answers <= most."""
    if not 1 <= answers <= most:
        raise UsageError(f"{solver} combines 1 to {most} answers, not {answers}")


def allowed(final: Final, step: Step, answers: int) -> int:
    """How many answers this step may combine."""
    left = step.steps - step.i
    if final == "euler" and left == 1:
        return 1
    if final == "lower" or (final != "full" and step.steps < SHORT):
        return min(answers, left)
    return answers


class Move(NamedTuple):
    r"""A step from (alpha, sigma) to (alpha_next, sigma_next).

    ratio: sigma_next/sigma.  fade: :math:`e^{-h}`, 0 from alpha = 0 or to sigma = 0.
    h: :math:`\lambda_s-\lambda_t`, infinite there.   Where a row stands still: 1, 1 and 0.
    """

    alpha: Scalar
    sigma: Scalar
    alpha_next: Scalar
    sigma_next: Scalar
    ratio: Scalar
    fade: Scalar
    h: Scalar


class Past(NamedTuple):
    """An answer (or eps) of an earlier step, (B, *), and how far on the next newer one lies (> 0, at most FAR)."""

    answer: Tensor
    gap: Scalar


def scalars(level: Level) -> tuple[Scalar, Scalar]:
    """(alpha, sigma): floats for one level, else float64 on the CPU, of the level's shape."""
    a, s = level.alpha, level.sigma
    if a.ndim == 0 and not (a.requires_grad or s.requires_grad):
        return a.item(), s.item()
    return a.cpu().double(), s.cpu().double()


def move(cur: Level, nxt: Level) -> Move:
    """The geometry of a step.  Raises UsageError when it moves from sigma = 0 or to alpha = 0."""
    (a, s), (an, sn) = scalars(cur), scalars(nxt)
    if isinstance(a, Tensor) or isinstance(an, Tensor):
        return _row_moves(*(torch.as_tensor(c, dtype=torch.float64) for c in (a, s, an, sn)))
    if a == an and s == sn:
        return Move(a, s, an, sn, 1.0, 1.0, 0.0)
    if s == 0.0 or an == 0.0:
        raise _backwards()
    ratio = sn / s
    fade = a * ratio / an
    return Move(a, s, an, sn, ratio, fade, -math.log(fade) if fade > 0.0 else math.inf)


def _row_moves(a: Tensor, s: Tensor, an: Tensor, sn: Tensor) -> Move:
    still = (a == an) & (s == sn)
    if bool((((s == 0) | (an == 0)) & ~still).any()):
        raise _backwards()
    ratio = torch.where(still, 1.0, sn / torch.where(s == 0, 1.0, s))
    fade = torch.where(still, 1.0, a * ratio / torch.where(an == 0, 1.0, an))
    # The logarithm of what is 0 would be infinite, and its gradient not a number.
    h = torch.where(fade == 0, math.inf, -torch.where(fade == 0, 1.0, fade).log())
    return Move(a, s, an, sn, ratio, fade, torch.where(still, 0.0, h))


def _backwards() -> UsageError:
    return UsageError(
        "a multistep solver cannot leave sigma = 0 or arrive at alpha = 0; expected a grid from noise to data:"
        " invert with ddim"
    )


def distance(gap: Scalar) -> Scalar:
    """The gap as it is kept in ``Past``: FAR where it is infinite or 0."""
    return where((gap == 0) | (gap == math.inf), FAR, gap)


def finite(h: Scalar) -> Scalar:
    """h, and 0 where it is infinite: there the correction of the first-order step vanishes."""
    return where(h == math.inf, 0.0, h)


def quotient(a: Scalar, b: Scalar) -> Scalar:
    """a/b, and 0 where b is 0."""
    if isinstance(b, Tensor):
        return torch.where(b == 0, 0.0, a / torch.where(b == 0, 1.0, b))
    return a / b if b != 0.0 else a * 0.0


def push(past: tuple[Past, ...], answer: Tensor, gap: Scalar, keep: int) -> tuple[Past, ...]:
    """The history with one more answer in front, ``keep`` at most."""
    return (Past(answer, distance(gap)), *past[: keep - 1]) if keep else ()


def weigh(*terms: tuple[Scalar, Tensor]) -> Tensor:
    """``combine`` for coefficients of a level's shape: sum of c_i x_i, (B, *)."""
    if not any(isinstance(c, Tensor) for c, _ in terms):
        return combine(*terms)
    wide = torch.promote_types(terms[0][1].dtype, torch.float32)
    return combine(*((expand(c.to(wide), x) if isinstance(c, Tensor) else c, x) for c, x in terms))


def vandermonde(nodes: Sequence[Scalar], moments: Sequence[Scalar]) -> list[Scalar]:
    r"""The weights w with :math:`\sum_j w_j r_j^i = b_i` for i = 0 … n-1: an integration rule by its moments.

    Björck & Pereyra, 1970, Solution of Vandermonde Systems of Equations, primal algorithm.  The nodes must differ.
    """
    w, n = list(moments), len(nodes)
    for k in range(n - 1):
        for i in range(n - 1, k, -1):
            w[i] = w[i] - nodes[k] * w[i - 1]
    for k in range(n - 2, -1, -1):
        for i in range(k + 1, n):
            w[i] = w[i] / (nodes[i] - nodes[i - k - 1])
        for i in range(k, n - 1):
            w[i] = w[i] - w[i + 1]
    return w


def check_falling(h: Scalar, solver: str) -> None:
    """UsageError when noise rises over a step: a stochastic solver has no meaning there."""
    if not everywhere(h >= 0):
        raise UsageError(f"{solver} with eta > 0 adds noise and cannot run a grid of rising noise; use eta = 0 or ddim")
