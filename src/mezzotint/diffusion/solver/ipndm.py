r"""iPNDM: Adams-Bashforth on the probability-flow ODE dy = eps d rho, y = x/alpha, rho = sigma/alpha.

.. math:: x_s = \tfrac{\alpha_s}{\alpha_t} x_t + \alpha_s (\rho_s-\rho_t) \sum_j w_j\, \hat\varepsilon_{t-j}

Zhang & Chen, 2023, Fast Sampling of Diffusion Models with Exponential Integrator, app. H.2 (iPNDM), on the multistep of
Liu et al., 2022, Pseudo Numerical Methods for Diffusion Models on Manifolds, eq. 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from mezzotint.diffusion.scalar import Scalar, where
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.deis import bent, eps_in
from mezzotint.diffusion.solver.multistep import (
    FAR,
    Final,
    Move,
    Past,
    allowed,
    check_answers,
    check_choice,
    move,
    push,
    quotient,
    vandermonde,
)

Weights = Literal["even", "exact"]
"""``even``: the classical constants, for equal steps in rho.  ``exact``: those of the steps taken (iPNDM-v)."""

ADAMS: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


def fall(m: Move) -> Scalar:
    """rho_t - rho_s, how far the step goes: infinite from alpha = 0."""
    return where(m.alpha == 0, FAR, quotient(m.sigma, m.alpha) - m.sigma_next / m.alpha_next)


def even(gaps: list[Scalar]) -> list[Scalar]:
    """The classical weights of the past eps, of as many as follow one another without a break (a gap of FAR)."""
    n = len(gaps)
    reach: Scalar = 0.0
    weights: list[Scalar] = [0.0] * n
    for k, gap in enumerate(gaps, start=1):
        reach = reach + gap
        whole = where(reach < FAR, 1.0 + 0.0 * reach, 0.0)
        row = (*ADAMS[k][1:], *[0.0] * (n - k))
        weights = [old + whole * (new - old) for new, old in zip(row, weights, strict=True)]
    return weights


def exact(gaps: list[Scalar], span: Scalar) -> list[Scalar]:
    """The weights of the past eps for gaps in rho and a step down by ``span``: Lagrange's polynomials, integrated."""
    span = where(span == 0, 1.0, span)
    nodes: list[Scalar] = [0.0]
    for gap in gaps:
        nodes.append(nodes[-1] - gap / span)
    return vandermonde(nodes, [1 / (k + 1) for k in range(len(nodes))])[1:]


@dataclass(frozen=True)
class IPNDM:
    """iPNDM with a rising start: first order, then one answer more a step.

    answers: how many eps a step combines, 1 to 4.  weights: ``even`` or ``exact``.
    final: how the order falls at the end.
    ``order``: even weights are of order 2 at most where the steps in rho differ, of the full order where they do not;
    exact ones reach ``answers`` from a start of that order.   Raises UsageError for values out of range.
    """

    answers: int = 4
    weights: Weights = "even"
    final: Final = "full"
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_answers("iPNDM", self.answers, 4)
        check_choice("weights", self.weights, Weights)
        check_choice("final", self.final, Final)

    @property
    def order(self) -> int:
        return self.answers if self.weights == "exact" else min(self.answers, 2)

    def init(self, x: Tensor) -> tuple[Past, ...]:
        return ()

    def step(
        self, denoise: Denoise, x: Tensor, state: tuple[Past, ...], step: Step
    ) -> tuple[Tensor, tuple[Past, ...], Tensor]:
        x0 = mean_only(denoise(x, step.cur), "iPNDM")
        m = move(step.cur, step.nxt)
        eps, span = eps_in(x, x0, m), fall(m)
        past = state[: allowed(self.final, step, self.answers) - 1]
        weights = self._weights(m, [p.gap for p in past], span) if past else ()
        return bent(x, x0, eps, m, past, weights), push(state, eps, span, self.answers - 1), x0

    def _weights(self, m: Move, gaps: list[Scalar], span: Scalar) -> tuple[Scalar, ...]:
        """The weights of the past eps in x; 0 from alpha = 0."""
        raw = even(gaps) if self.weights == "even" else exact(gaps, span)
        scale = where(m.alpha == 0, 0.0, -m.alpha_next * span)
        return tuple(scale * w for w in raw)
