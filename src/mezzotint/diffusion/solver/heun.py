"""Heun's method: two calls a step, second order, with EDM's churn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.levels import Coordinate
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, where
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.diffusion.solver.churn import NO_CHURN, Churn
from mezzotint.diffusion.solver.ddim import ddim
from mezzotint.errors import UsageError


@dataclass(frozen=True)
class Heun:
    r"""The slope of dy/dw averaged over both ends of a step, after EDM's churn; Euler's step where the next sigma is 0.

    coordinate: ``ratio`` y = x/alpha, w = sigma/alpha, slope eps (EDM, k-diffusion, diffusers); ``rectified`` y =
    x/(alpha+sigma), w = sigma/(alpha+sigma), slope eps - x0, finite at alpha = 0.
    With :math:`\delta` the averaged slope, :math:`y_s = y_t + (w_s - w_t)\,\delta`.  N steps are 2N calls, 2N - 1 where
    the last sigma is 0 (diffusers' ``timesteps`` lists every call: each but the first twice).
    Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, alg. 2.
    Raises UsageError at alpha = 0 in ``ratio``.
    """

    coordinate: Coordinate = "ratio"
    churn: Churn = NO_CHURN
    order: ClassVar[int] = 2
    calls: ClassVar[int] = 2

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        cur, nxt = step.cur, step.nxt
        if self.coordinate == "ratio" and bool((cur.alpha == 0).any()):
            raise UsageError(
                "heun cannot start at alpha = 0 in sigma/alpha; use its coordinate 'rectified', or euler or dpmpp-2m"
            )
        if self.churn.amount:
            x, cur = self.churn(x, step)
        x0 = mean_only(denoise(x, cur), "heun")
        first = ddim(x, x0, cur, nxt)
        (a, s), (an, sn) = cur.coefficients(x), nxt.coefficients(x)
        if everywhere(sn == 0):
            return first, None, x0
        x1 = mean_only(denoise(first, nxt), "heun")
        return self._corrected(x, first, x1, (a, s), (an, sn)), None, x0

    def _corrected(
        self, x: Tensor, first: Tensor, x1: Tensor, at: tuple[Scalar, Scalar], to: tuple[Scalar, Scalar]
    ) -> Tensor:
        r"""Half of Euler's step, ``first``, plus half of one with the slope at its end,
        :math:`(first - \alpha_s x_1)/\sigma_s` (less :math:`x_1` where rectified); rows that end clean keep Euler's.
        """
        (a, s), (an, sn) = at, to
        rectified = 1.0 if self.coordinate == "rectified" else 0.0
        n, nn = a + rectified * s, an + rectified * sn  # y = x/n
        half, safe = where(sn > 0, 0.5, 0.0), where(sn > 0, sn, 1.0)
        h = half * (sn - nn * s / n)  # half of nn (w_s - w_t)
        return combine((1 - half + h / safe, first), (half * nn / n, x), (-h * (an / safe + rectified), x1))
