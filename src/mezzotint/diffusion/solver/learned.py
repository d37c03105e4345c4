r"""The generalised solver: DPM-Solver++(3M) with learned residuals, so that a handful of steps end where many do.

With h, :math:`\Phi_n` the step of DPM-Solver++(3M) from n to n+1, and :math:`s_j = \sqrt{\alpha_j^2+\sigma_j^2}`,

.. math:: x_{n+1} = \Phi_n(x_n; v_n, v_{n-1}, v_{n-2})
          + \alpha_{n+1}\Bigl(\sum_{j\le n} c_{nj}\,v_j + \sum_{j\le n} a_{nj}\,x_j/s_j\Bigr),
          \qquad v_j = \hat x_0(x_j;\ \lambda_j + \xi_j)

All of a, c and xi zero is DPM-Solver++(3M) as published, its order kept to the end.  Oganov et al., 2026, GAS:
Improving Discretization of Diffusion ODEs via Generalized Adversarial Solver (ICLR), arXiv 2510.17699, sec. 3: there c
is on the divided differences of v (the same family), at alpha = 1; in units of alpha and s the law of scales holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import Scalar, exp, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.dpm import combined
from mezzotint.diffusion.solver.multistep import Past, move, push, scalars, weigh
from mezzotint.errors import UsageError

Rows = tuple[tuple[Scalar, ...], ...]
"""Row n has the n+1 weights of step n, the oldest first."""


class Seen(NamedTuple):
    """A step's state (B, *), its scale s, and the answer v to it (B, *)."""

    x: Tensor
    scale: Scalar
    answer: Tensor


class History(NamedTuple):
    """All steps so far: what DPM-Solver++ keeps of them, newest first, and each as it was, oldest first."""

    past: tuple[Past, ...] = ()
    seen: tuple[Seen, ...] = ()


def shifted(level: Level, by: Scalar) -> Level:
    r"""The level of the same scale whose :math:`\lambda = \ln(\alpha/\sigma)` is larger by ``by``; itself at 0.

    Finite at alpha = 0, which stays, and at sigma = 0.
    """
    if not isinstance(by, Tensor) and by == 0.0:
        return level
    a, s = scalars(level)
    up = a * exp(by)
    n = sqrt(a * a + s * s) / sqrt(up * up + s * s)
    return Level(torch.as_tensor(up * n, dtype=torch.float64), torch.as_tensor(s * n, dtype=torch.float64))


@dataclass(frozen=True)
class Learned:
    """A solver for one number of steps, its parameters data; made for one network, grid and guidance scale.

    answers: c.  states: a.  shifts: xi, one a step.   While they are fitted they are tensors (), else floats.
    order: of the backbone.   Raises UsageError unless row n has n+1 weights and there is a row for each shift, and for
    a grid of other than ``len(shifts)`` steps, or one that is not begun at its first.
    """

    answers: Rows
    states: Rows
    shifts: tuple[Scalar, ...]
    order: ClassVar[int] = 2
    calls: ClassVar[int] = 1

    def __post_init__(self) -> None:
        want = list(range(1, len(self.shifts) + 1))
        if [len(row) for row in self.answers] != want or [len(row) for row in self.states] != want:
            raise UsageError("a learned solver has a shift, and n+1 weights of answers and of states, for each step n")

    def init(self, x: Tensor) -> History:
        return History()

    def step(self, denoise: Denoise, x: Tensor, state: History, step: Step) -> tuple[Tensor, History, Tensor]:
        n = len(state.seen)
        self._check(n, step)
        x0 = mean_only(denoise(x, shifted(step.cur, self.shifts[n])), "a learned solver")
        m = move(step.cur, step.nxt)
        seen = (*state.seen, Seen(x, sqrt(m.alpha * m.alpha + m.sigma * m.sigma), x0))
        backbone = combined(min(3, n + 1), m, x0, state.past)
        after = weigh(
            (m.ratio, x),
            *((m.alpha_next * w, answer) for w, answer in backbone),
            *((m.alpha_next * w, s.answer) for w, s in zip(self.answers[n], seen, strict=True)),
            *((m.alpha_next * w / s.scale, s.x) for w, s in zip(self.states[n], seen, strict=True)),
        )
        return after, History(push(state.past, x0, m.h, 2), seen), x0

    def _check(self, n: int, step: Step) -> None:
        if step.steps != len(self.shifts):
            raise UsageError(f"this solver was learned for {len(self.shifts)} steps, the grid has {step.steps}")
        if step.i != n:
            raise UsageError(
                f"a learned solver needs all of its steps and cannot begin at step {step.i}; choose another with"
                " --solver to begin from a picture"
            )


def backbone(n: int) -> Learned:
    """All zero: DPM-Solver++(3M) with its order kept to the end, for n steps."""
    rows: Any = tuple((0.0,) * (k + 1) for k in range(n))
    return Learned(rows, rows, (0.0,) * n)
