r"""DEIS: the eps of a few steps, interpolated in ln(sigma/alpha) and integrated exactly (tAB in log rho).

.. math:: x_s = \tfrac{\sigma_s}{\sigma_t} x_t + \bigl(\alpha_s - \alpha_t\tfrac{\sigma_s}{\sigma_t}\bigr) \hat x_0
          - \tfrac{\alpha_s\sigma_t}{\alpha_t} \int_0^h e^{-\tau}\,
          (\hat\varepsilon(\lambda_t+\tau) - \hat\varepsilon_t)\,d\tau

Zhang & Chen, 2023, Fast Sampling of Diffusion Models with Exponential Integrator, eqs. 14, 15, with rho = sigma/alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.scalar import Scalar, where
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.multistep import (
    Final,
    Move,
    Past,
    allowed,
    check_answers,
    check_choice,
    move,
    push,
    quotient,
    weigh,
)


def eps_in(x: Tensor, x0: Tensor, m: Move) -> Tensor:
    """(x - alpha x0)/sigma, (B, *); 0 times what is left where sigma = 0 (a row that stands still there)."""
    inverse = quotient(1.0, m.sigma)
    return weigh((inverse, x), (-m.alpha * inverse, x0))


def scale_of(m: Move) -> Scalar:
    """alpha_next sigma / alpha, the factor of the correction; 0 at alpha = 0, where nothing corrects."""
    return quotient(m.alpha_next * m.sigma, m.alpha)


def integrals(m: Move) -> tuple[Scalar, Scalar]:
    r""":math:`\int_0^h \tau^k e^{-\tau} d\tau` for k = 1, 2; 1 and 2 at sigma = 0."""
    h = where(m.fade > 0, m.h, 0.0)
    tail = h * m.fade
    return 1 - m.fade - tail, 2 - 2 * m.fade - 2 * tail - h * tail


def slopes(m: Move, past: tuple[Past, ...]) -> tuple[Scalar, ...]:
    """The weights of the past eps (newest first) by divided differences; the current one's is minus their sum."""
    one, two = integrals(m)
    scale = -scale_of(m)
    if len(past) == 1:
        return (-scale * one / past[0].gap,)
    a, b = past[0].gap, past[1].gap
    bend = (two + a * one) / (a + b)
    return -scale * ((one + bend) / a + bend / b), scale * bend / b


@dataclass(frozen=True)
class DEIS:
    """tAB-DEIS in log rho, answers - 1 its polynomial's degree.

    answers: how many eps a step combines, 1 to 3 (1 is DDIM).  final: how the order falls at the end
    (it need not, even to sigma = 0).  ``order`` is reached from a start of that order.   Raises UsageError for others.
    """

    answers: int = 2
    final: Final = "short"
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_answers("DEIS", self.answers, 3)
        check_choice("final", self.final, Final)

    @property
    def order(self) -> int:
        return self.answers

    def init(self, x: Tensor) -> tuple[Past, ...]:
        return ()

    def step(
        self, denoise: Denoise, x: Tensor, state: tuple[Past, ...], step: Step
    ) -> tuple[Tensor, tuple[Past, ...], Tensor]:
        x0 = mean_only(denoise(x, step.cur), "DEIS")
        m = move(step.cur, step.nxt)
        eps = eps_in(x, x0, m)
        past = state[: allowed(self.final, step, self.answers) - 1]
        weights = slopes(m, past) if past else ()
        return bent(x, x0, eps, m, past, weights), push(state, eps, m.h, self.answers - 1), x0


def bent(x: Tensor, x0: Tensor, eps: Tensor, m: Move, past: tuple[Past, ...], weights: tuple[Scalar, ...]) -> Tensor:
    """The DDIM step plus weighted differences of the past eps from the current one: (B, *)."""
    first = ((m.ratio, x), (m.alpha_next - m.alpha * m.ratio, x0))
    if not weights:
        return weigh(*first)
    own: Scalar = -weights[0]
    for w in weights[1:]:
        own = own - w
    return weigh(*first, (own, eps), *((w, p.answer) for w, p in zip(weights, past, strict=True)))
