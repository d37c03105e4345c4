r"""UniPC: a multistep predictor, and a corrector that uses the next answer when it comes, at no extra network call.

Zhao et al., 2023, UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models, algorithms 5
and 6 (data prediction): with :math:`r_i = (\lambda_i-\lambda_t)/h`,

.. math:: x_s = \tfrac{\sigma_s}{\sigma_t}x_t + \alpha_s(1-e^{-h}) m_0
          - \alpha_s B \sum_i \rho_i \frac{m_i - m_0}{r_i}

where the :math:`\rho_i` match the moments of the integral up to the number of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor

from mezzotint.diffusion.scalar import Scalar, expm1, where
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.multistep import (
    Final,
    Move,
    Past,
    allowed,
    check_answers,
    check_choice,
    distance,
    finite,
    move,
    vandermonde,
    weigh,
)

Basis = Literal["bh1", "bh2"]
"""B(h): ``bh1`` h, for unconditional pictures; ``bh2`` e^h - 1, for guided ones.  Section 3.1 of the paper."""

LONG = 500.0
"""An infinite h (from alpha = 0) is taken as this: e^-500 is 0 beside 1."""


class Track(NamedTuple):
    """The last step: answers up to its own, newest first; the corrected x it left; its move; its order."""

    past: tuple[Past, ...]
    x: Tensor
    move: Move
    used: int


def basis(h: Scalar, kind: Basis) -> Scalar:
    """B(-h), with bh2's where h is infinite: bh1 has no limit there."""
    long = -expm1(-LONG)
    return where(h == LONG, -long, -h) if kind == "bh1" else expm1(-h)


def moments(h: Scalar, b: Scalar, n: int) -> list[Scalar]:
    r"""The right-hand sides :math:`b_i = i!\,\varphi_{i+1}(-h)(-h)/B`, i = 1 … n, with phi_1 = expm1(-h)/(-h)."""
    phi, factorial = expm1(-h) / -h - 1, 1
    out = []
    for i in range(1, n + 1):
        out.append(phi * factorial / b)
        factorial *= i + 1
        phi = phi / -h - 1 / factorial
    return out


def nodes(gaps: Sequence[Scalar], h: Scalar) -> list[Scalar]:
    """r_i = (lambda_i - lambda_t)/h of the older answers, negative."""
    out: list[Scalar] = []
    reach: Scalar = 0.0
    for gap in gaps:
        reach = reach + gap
        out.append(-reach / h)
    return out


def predicted(m: Move, gaps: Sequence[Scalar], kind: Basis) -> list[Scalar]:
    """The weights of m_i - m_0 over alpha_s in the predictor (UniP); 0 where sigma_next = 0.  Alone, rho = 1/2."""
    if not gaps:
        return []
    moving = finite(m.h) != 0
    h = where(moving, m.h, 1.0)
    b, r = basis(h, kind), nodes(gaps, h)
    rho = vandermonde(r, moments(h, b, len(r))) if len(r) > 1 else [0.5]
    return [where(moving, -b * p / q, 0.0) for p, q in zip(rho, r, strict=True)]


def corrected(m: Move, gaps: Sequence[Scalar], kind: Basis) -> list[Scalar]:
    """The weights of m_i - m_0, the new answer's last, over alpha_s in the corrector (UniC).  Alone, rho = 1/2."""
    moving = m.h != 0
    h = where(moving, where(m.h < LONG, m.h, LONG), 1.0)
    b, r = basis(h, kind), [*nodes(gaps, h), 1.0]
    rho = vandermonde(r, moments(h, b, len(r))) if gaps else [0.5]
    return [where(moving, -b * p / q, 0.0) for p, q in zip(rho, r, strict=True)]


def assemble(x: Tensor, m: Move, base: Tensor, others: Sequence[Tensor], weights: Sequence[Scalar]) -> Tensor:
    """The first-order step from x with answer m_0, corrected by the weighted differences of the others from it."""
    own: Scalar = -expm1(-m.h)
    for w in weights:
        own = own - w
    rest = ((m.alpha_next * w, answer) for w, answer in zip(weights, others, strict=True))
    return weigh((m.ratio, x), (m.alpha_next * own, base), *rest)


@dataclass(frozen=True)
class UniPC:
    """UniPC-p with the corrector on every step but the first.

    answers: p, how many answers a step combines, 1 to 3.  basis: B(h).
    final: how the order falls at the end.  Where it does not (``full``) the global order is p + 1, from a start of that
    order; a first-order last step makes it 2.   Raises UsageError for values out of range.
    """

    answers: int = 2
    basis: Basis = "bh2"
    final: Final = "lower"
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_answers("UniPC", self.answers, 3)
        check_choice("basis", self.basis, Basis)
        check_choice("final", self.final, Final)

    @property
    def order(self) -> int:
        return 2 if self.final in ("lower", "euler") else self.answers + 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: Track | None, step: Step) -> tuple[Tensor, Track, Tensor]:
        x0 = mean_only(denoise(x, step.cur), "UniPC")
        past: tuple[Past, ...] = ()
        if state is not None:
            x, past = self._correct(x0, state), state.past
        m = move(step.cur, step.nxt)
        used = min(allowed(self.final, step, self.answers), 1 + len(past))
        older = past[: used - 1]
        weights = predicted(m, [p.gap for p in older], self.basis)
        track = Track((Past(x0, distance(m.h)), *past)[: self.answers], x, m, used)
        return assemble(x, m, x0, [p.answer for p in older], weights), track, x0

    def _correct(self, x0: Tensor, state: Track) -> Tensor:
        """The state reached by the last step, now that its answer x0 is known: (B, *)."""
        base, older = state.past[0], state.past[1 : state.used]
        weights = corrected(state.move, [p.gap for p in older], self.basis)
        return assemble(state.x, state.move, base.answer, [*(p.answer for p in older), x0], weights)
