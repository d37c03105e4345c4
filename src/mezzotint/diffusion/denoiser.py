"""THE interface: a denoiser answers ``E[x0 | x]`` at a level.  U-Net, DiT, prior, upsampler, oracle, guided, tuned:
all are this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.parametrisation import Parametrisation

Cond = Mapping[str, Tensor]
"""Conditioning: a closed set of names, each (B, *).  The unconditional value is a value too (``null``), not a flag."""

Network = Callable[[Tensor, Tensor, Cond], Tensor]
"""(c_in x (B, *), c_noise () | (B,) | (B, F), cond) -> (B, *)."""


@dataclass(frozen=True)
class Posterior:
    """What a denoiser knows of x0 given x.

    mean: E[x0 | x], (B, *).
    logvar: log Var[x_s | x_t, x0] as a learned-variance network gives it, in [0, 1] between its two bounds, (B, *);
    else None.
    eps: the noise to renoise with where it is not (x - alpha mean)/sigma (CFG++), (B, *); else None.
    """

    mean: Tensor
    logvar: Tensor | None = None
    eps: Tensor | None = None


class Denoiser(Protocol):
    """(x (B, *), level () | (B,) | (B, F), cond) -> Posterior.

    Laws: D(k x; k alpha, k sigma) = D(x; alpha, sigma); a row depends on its own contents alone; dtype in = dtype out.
    """

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior: ...


@dataclass(frozen=True)
class Preconditioned:
    r"""A network and its parametrisation: :math:`\hat x_0 = c_{skip} x + c_{out} F(c_{in} x, c_{noise}, y)`.

    The coefficients and the sum are float32 at least; the network casts at its own edge, and the answer comes back in
    the
    dtype of x.
    """

    network: Network
    parametrisation: Parametrisation

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        c = self.parametrisation(level.to(x))
        noise = c.noise.expand(x.shape[0]) if c.noise.ndim == 0 else c.noise
        out = self.network((expand(c.inp, x) * x).to(x.dtype), noise, cond)
        return Posterior((expand(c.skip, x) * x + expand(c.out, x) * out).to(x.dtype))
