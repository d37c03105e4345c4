"""The sampler of latent consistency models: jump to x0, add noise again, jump again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, sqrt
from mezzotint.diffusion.solver.base import Denoise, Step, mean_only
from mezzotint.errors import UsageError


@dataclass(frozen=True)
class LCM:
    r"""Multistep consistency sampling: :math:`\hat x_0' = c_{skip}\,x + c_{out}\,\hat x_0`, then
    :math:`x_s = \alpha_s \hat x_0' + \sigma_s z`.

    With k = timestep_scaling * (the network's index) and d = sigma_data: c_skip = d^2/(k^2 + d^2), c_out =
    k/sqrt(k^2 + d^2); x is taken at alpha^2 + sigma^2 = 1.  d = 0 is plain consistency sampling, which needs no index.
    Its grid is ``grid.lcm``.
    Not a solver of an ODE: the network was trained to jump, and more steps do not converge to anything (``order`` 0).
    Luo et al., 2023, Latent Consistency Models, eq. 9 and alg. 3; Song et al., 2023, Consistency Models, alg. 1.
    Raises UsageError on a grid whose levels carry no index.
    """

    timestep_scaling: float = 10.0
    sigma_data: float = 0.5
    order: ClassVar[int] = 0
    calls: ClassVar[int] = 1

    def init(self, x: Tensor) -> None:
        return None

    def step(self, denoise: Denoise, x: Tensor, state: None, step: Step) -> tuple[Tensor, None, Tensor]:
        x0 = mean_only(denoise(x, step.cur), "lcm")
        (a, s), (an, sn) = step.cur.coefficients(x), step.nxt.coefficients(x)
        skip, out = self._boundary(step.cur, x)
        x0 = combine((out, x0), (skip / sqrt(a * a + s * s), x))
        if everywhere(sn == 0):
            return combine((an, x0)), None, x0
        return combine((an, x0), (sn, step.noise())), None, x0

    def _boundary(self, level: Level, x: Tensor) -> tuple[Scalar, Scalar]:
        """c_skip and c_out, which make x0 = x at index 0."""
        if self.sigma_data == 0.0:
            return 0.0, 1.0
        if level.index is None:
            raise UsageError(
                "lcm scales by the network's time index and this grid carries none; use the grid 'lcm', or grid.indexed"
            )
        wide = torch.promote_types(x.dtype, torch.float32)
        index: Scalar = level.index.item() if level.index.ndim == 0 else expand(level.index.to(wide), x)
        k, d2 = self.timestep_scaling * index, self.sigma_data**2
        return d2 / (k * k + d2), k / sqrt(k * k + d2)
