r"""DPM-Solver++: the x0 answers of a few steps, interpolated in lambda and integrated exactly; as ODE (eta = 0) or SDE.

.. math:: x_s = \tfrac{\sigma_s}{\sigma_t} e^{-\eta h} x_t + \alpha_s \int_0^H e^{-(H-\tau)} \hat x_0\,d\tau
          + \sigma_s\sqrt{1-e^{-2\eta h}}\,z, \qquad H = (1+\eta) h

Lu et al., 2022, DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models, eqs. 8 to 18, app. D;
the family in eta is SDE-DPM-Solver++ at 1 and the probability-flow ODE at 0, as k-diffusion interpolates them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from mezzotint.diffusion.scalar import Scalar, everywhere, expm1, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.multistep import (
    Final,
    Move,
    Past,
    allowed,
    check_choice,
    check_falling,
    finite,
    move,
    push,
    quotient,
    weigh,
)
from mezzotint.errors import UsageError

Variant = Literal["midpoint", "heun"]
"""The weight of the slope in a second-order step: ``midpoint`` half of 1 - e^-H, the paper's; ``heun`` its integral."""

Third = Literal["published", "exact"]
"""The weight of the curvature in a third-order step: half its integral, as published codes have it, or its integral."""

Terms = tuple[tuple[Scalar, Tensor], ...]


def gains(h: Scalar, eta: float) -> tuple[Scalar, Scalar, Scalar]:
    r"""The integrals :math:`\int_0^1 H e^{-H(1-u)} u^k du` for k = 0, 1, 2 (k > 0: of use at H > 0)."""
    big = (1 + eta) * h
    first = -expm1(-big)
    second = 1 - quotient(first, big)
    return first, second, 1 - 2 * quotient(second, big)


def advance(x: Tensor, answers: Terms, m: Move, step: Step, eta: float, s_noise: float) -> Tensor:
    """The formula of the module: carries x over, adds alpha_s times the weighted answers, and noise where eta > 0."""
    scaled = tuple((m.alpha_next * w, answer) for w, answer in answers)
    if eta == 0.0:
        return weigh((m.ratio, x), *scaled)
    check_falling(m.h, "DPM-Solver++")
    kept = m.fade**eta
    if everywhere(m.sigma_next == 0):
        return weigh((m.ratio * kept, x), *scaled)
    z = step.brownian(step.cur, step.nxt)
    return weigh((m.ratio * kept, x), *scaled, (m.sigma_next * sqrt(1 - kept * kept) * s_noise, z))


def second_order(m: Move, eta: float, answer: Tensor, past: Past, variant: Variant) -> Terms:
    """Weights of the newest two answers; where h is infinite (sigma = 0) those of the first-order step."""
    gain, slope, _ = gains(m.h, eta)
    w = (gain / 2 if variant == "midpoint" else slope) * finite(m.h) / past.gap
    return (gain + w, answer), (-w, past.answer)


def third_order(m: Move, eta: float, answer: Tensor, past: tuple[Past, ...], third: Third) -> Terms:
    """Weights of the newest three answers, by divided differences: slopes over the two gaps, and their change."""
    gain, slope, curvature = gains(m.h, eta)
    h, (one, two) = finite(m.h), past[:2]
    both = one.gap + two.gap
    bend = (curvature if third == "exact" else curvature / 2) * h * h / both
    old = slope * h * one.gap / both + bend
    new = (slope * h + old) / one.gap
    old = old / two.gap
    return (gain + new, answer), (-new - old, one.answer), (old, two.answer)


def combined(
    use: int,
    m: Move,
    answer: Tensor,
    past: tuple[Past, ...],
    eta: float = 0.0,
    variant: Variant = "midpoint",
    third: Third = "published",
) -> Terms:
    """Weights of the newest ``use`` answers, 1 to 3, over alpha_s."""
    if use == 3:
        return third_order(m, eta, answer, past, third)
    if use == 2:
        return second_order(m, eta, answer, past[0], variant)
    return ((gains(m.h, eta)[0], answer),)


def check_noise(eta: float, s_noise: float) -> None:
    """UsageError for values that are negative or not finite, or an s_noise that no noise would feel."""
    if not (0 <= eta < math.inf and 0 <= s_noise < math.inf):
        raise UsageError(f"DPM-Solver++ with eta {eta}, s_noise {s_noise}; expected 0 or more, and finite")
    if eta == 0 and s_noise != 1.0:
        raise UsageError(f"s_noise {s_noise} has no effect with eta = 0; give eta > 0 or leave s_noise at 1")


@dataclass(frozen=True)
class DPMpp2M:
    """DPM-Solver++(2M), algorithm 2 of the paper; 2M SDE with eta > 0.

    variant: the slope's weight.  eta: 0 is the ODE, 1 the SDE of the paper.  s_noise: a factor on its noise.
    final: how the order falls at the end.   Raises UsageError for values out of range.
    """

    variant: Variant = "midpoint"
    eta: float = 0.0
    s_noise: float = 1.0
    final: Final = "short"
    order: ClassVar[int] = 2
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_choice("variant", self.variant, Variant)
        check_choice("final", self.final, Final)
        check_noise(self.eta, self.s_noise)

    def init(self, x: Tensor) -> tuple[Past, ...]:
        return ()

    def step(
        self, denoise: Denoise, x: Tensor, state: tuple[Past, ...], step: Step
    ) -> tuple[Tensor, tuple[Past, ...], Tensor]:
        x0 = mean_only(denoise(x, step.cur), "DPM-Solver++")
        m = move(step.cur, step.nxt)
        use = min(allowed(self.final, step, 2), 1 + len(state))
        answers = combined(use, m, x0, state, self.eta, self.variant)
        return advance(x, answers, m, step, self.eta, self.s_noise), push((), x0, m.h, 1), x0


@dataclass(frozen=True)
class DPMpp3M:
    """DPM-Solver++(3M); 3M SDE with eta > 0.  Its first step is of first order, its second of second (``variant``).

    third: ``published`` weighs the curvature with half its integral, as the authors' code and all that followed do, and
    converges with order 2; ``exact`` with the integral, and converges with order 3 from a start of that order (from its
    own first-order start with order 2 and a smaller constant).  The rest as in ``DPMpp2M``.
    """

    third: Third = "published"
    variant: Variant = "midpoint"
    eta: float = 0.0
    s_noise: float = 1.0
    final: Final = "short"
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_choice("third", self.third, Third)
        check_choice("variant", self.variant, Variant)
        check_choice("final", self.final, Final)
        check_noise(self.eta, self.s_noise)

    @property
    def order(self) -> int:
        return 3 if self.third == "exact" else 2

    def init(self, x: Tensor) -> tuple[Past, ...]:
        return ()

    def step(
        self, denoise: Denoise, x: Tensor, state: tuple[Past, ...], step: Step
    ) -> tuple[Tensor, tuple[Past, ...], Tensor]:
        x0 = mean_only(denoise(x, step.cur), "DPM-Solver++")
        m = move(step.cur, step.nxt)
        use = min(allowed(self.final, step, 3), 1 + len(state))
        answers = combined(use, m, x0, state, self.eta, self.variant, self.third)
        return advance(x, answers, m, step, self.eta, self.s_noise), push(state, x0, m.h, 2), x0
