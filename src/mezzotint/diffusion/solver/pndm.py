"""PNDM: linear multistep on what the network predicts, moved between levels by DDIM's transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import combine, everywhere, sqrt, where
from mezzotint.diffusion.schedule import Cosine, Schedule
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.errors import UsageError

Start = Literal["heun", "runge-kutta"]
Extrapolated = Literal["eps", "v"]

History = tuple[Tensor, ...]
"""The predictions of up to three earlier steps, oldest first, each (B, *)."""

ANGLE = Cosine()

ADAMS_BASHFORTH: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (-1 / 2, 3 / 2),
    3: (5 / 12, -16 / 12, 23 / 12),
    4: (-9 / 24, 37 / 24, -59 / 24, 55 / 24),
}


def weighted(weights: Sequence[float], terms: Sequence[Tensor]) -> Tensor:
    """The sum of weights and terms, each (B, *)."""
    return combine(*zip(weights, terms, strict=True))


@dataclass(frozen=True)
class PNDM:
    r"""Adams-Bashforth of order 4 on past predictions, started by extra calls, then DDIM's step with their mean.

    .. math:: \bar e = \tfrac{1}{24}(55e_t - 59e_{t-1} + 37e_{t-2} - 9e_{t-3})

    start: ``heun`` averages the first prediction with one at the end of the first step (two calls) and then goes
    through the orders 2, 3, 4: diffusers' ``skip_prk_steps``, Stable Diffusion's default.  ``runge-kutta`` takes three
    steps of four calls.
    of: what is extrapolated, ``eps`` or ``v`` (diffusers extrapolates a v model's own output).
    middle: the schedule in whose t a Runge-Kutta step is halved; a model's table gives diffusers' indices where their
    gap is even.
    The weights are those of equal steps in t while the ODE is in sigma/alpha, so the order is 2 for eps.  It is 1 for
    v, which turns along the step while DDIM's transfer holds it fixed: an average of v is turned twice.
    Liu et al., 2022, Pseudo Numerical Methods for Diffusion Models on Manifolds, eq. 11-14.
    Raises UsageError at alpha = 0 with eps.
    """

    start: Start = "heun"
    of: Extrapolated = "eps"
    middle: Schedule = ANGLE
    calls: ClassVar[int] = 1

    @property
    def order(self) -> int:
        return 2 if self.of == "eps" else 1

    def init(self, x: Tensor) -> History:
        return ()

    def step(self, denoise: Denoise, x: Tensor, state: History, step: Step) -> tuple[Tensor, History, Tensor]:
        cur, nxt = step.cur, step.nxt
        x0 = mean_only(denoise(x, cur), "pndm")
        e = self._prediction(x, x0, cur)
        history = (*state[-3:], e)
        if everywhere((nxt.sigma == 0).all()) or len(state) >= (3 if self.start == "runge-kutta" else 1):
            mean = weighted(ADAMS_BASHFORTH[len(history)], history)
        elif self.start == "heun":
            half = where(nxt.coefficients(x)[1] > 0, 0.5, 0.0)  # a row that ends clean has no second prediction
            mean = combine((1 - half, e), (half, self._at(denoise, self._moved(x, e, cur, nxt), nxt)))
        else:
            mean = self._runge_kutta(denoise, x, e, cur, nxt)
        return self._moved(x, mean, cur, nxt), history, x0

    def _runge_kutta(self, denoise: Denoise, x: Tensor, e1: Tensor, cur: Level, nxt: Level) -> Tensor:
        """The mean prediction of a step by the classical fourth-order rule."""
        half = self.middle.level((self.middle.t(cur.logsnr) + self.middle.t(nxt.logsnr)) / 2)
        e2 = self._at(denoise, self._moved(x, e1, cur, half), half)
        e3 = self._at(denoise, self._moved(x, e2, cur, half), half)
        e4 = self._at(denoise, self._moved(x, e3, cur, nxt), nxt)
        return weighted((1 / 6, 1 / 3, 1 / 3, 1 / 6), (e1, e2, e3, e4))

    def _at(self, denoise: Denoise, x: Tensor, level: Level) -> Tensor:
        """The network's prediction at a level, (B, *)."""
        return self._prediction(x, mean_only(denoise(x, level), "pndm"), level)

    def _prediction(self, x: Tensor, x0: Tensor, level: Level) -> Tensor:
        """eps = (x - alpha x0)/sigma, or v = (alpha eps - sigma x0)/sqrt(alpha^2 + sigma^2)."""
        a, s = level.coefficients(x)
        safe = where(s > 0, s, 1.0)  # at sigma = 0 only a row that stands still, which no prediction moves
        if self.of == "eps":
            if not everywhere(a != 0):
                raise UsageError("pndm cannot start at alpha = 0 with eps; use a grid with alpha > 0, or its 'of' v")
            return combine((1 / safe, x), (-a / safe, x0))
        n = sqrt(a * a + s * s)
        return combine((a / (safe * n), x), (-n / safe, x0))

    def _moved(self, x: Tensor, e: Tensor, cur: Level, nxt: Level) -> Tensor:
        """DDIM's step from x (B, *) with prediction e (B, *): the transfer part of the paper's eq. 11."""
        (a, s), (an, sn) = cur.coefficients(x), nxt.coefficients(x)
        if self.of == "eps":
            return combine((an / a, x), (sn - an * s / a, e))
        n2 = a * a + s * s
        return combine(((an * a + sn * s) / n2, x), ((sn * a - an * s) / sqrt(n2), e))
