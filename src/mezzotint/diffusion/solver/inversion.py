"""DDIM inversion: the noise that DDIM would turn into a given picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from mezzotint.diffusion.scalar import combine, everywhere, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.errors import UsageError


@dataclass(frozen=True)
class DDIMInversion:
    r"""One step of a rising grid (``grid.rising``), from s to t: the x_t from which DDIM's step down comes to x_s.

    .. math:: x_t = \alpha_t \frac{x_s-\sigma_s\hat\varepsilon}{\alpha_s} + \sigma_t\hat\varepsilon,
              \qquad \hat\varepsilon = \varepsilon(x_t, t)

    The equation is implicit in x_t.  It is iterated from x_t = x_s; ``iterations`` = 1 is DDIM inversion as usually
    run:
    the network sees x_s with the index of t.  More converge geometrically where steps are short, and then DDIM on the
    same grid returns to the start, however few its steps.  Finite at sigma_s = 0.
    Mokady et al., 2023, Null-text Inversion, sec. 3.1; Pan et al., 2023, AIDI, eq. 9 (the iteration).
    Raises UsageError where the grid falls, or for fewer than one iteration.
    """

    iterations: int = 1
    order: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise UsageError(f"{self.iterations} iterations of DDIM inversion; expected 1 or more")

    @property
    def calls(self) -> int:
        return self.iterations

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        (a, s), (an, sn) = step.cur.coefficients(x), step.nxt.coefficients(x)
        if not everywhere(an * s < a * sn):
            raise UsageError(
                "DDIM inversion needs a grid that rises from data to noise; turn it round with grid.rising"
            )
        y = combine((sqrt((an * an + sn * sn) / (a * a + s * s)), x))
        for _ in range(self.iterations):
            x0 = mean_only(denoise(y, step.nxt), "ddim-inversion")
            eps = combine((1 / sn, y), (-an / sn, x0))
            y = combine((an / a, x), (sn - an * s / a, eps))
        return y, None, x0
