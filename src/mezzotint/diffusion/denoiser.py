"""THE interface: a denoiser answers ``E[x0 | x]`` at a level.  U-Net, DiT, prior, upsampler, oracle, guided, tuned:
all are this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.parametrisation import Parametrisation
from mezzotint.diffusion.scalar import as_many, combine

Cond = Mapping[str, Tensor]
"""Conditioning: a closed set of names, each (B, *).  The unconditional value is a value too (``null``), not a flag."""

Network = Callable[[Tensor, Tensor, Cond], Tensor]
"""(c_in x (B, *), c_noise () | (B,) | (B, F), cond) -> (B, *), or (B, 2C, …) for C channels: the second half of them is
the learned variance, -1 … 1 between its bounds.  Some take cond of k B rows, each state told k things, and answer with
as many, for [x, x, …] (``guidance.sharing``)."""


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


Floats = tuple[float, float, float, float]
_KEPT = 4096


@dataclass(frozen=True)
class Preconditioned:
    r"""A network and its parametrisation: :math:`\hat x_0 = c_{skip} x + c_{out} F(c_{in} x, c_{noise}, y)`.

    The coefficients and the sum are float32 at least; the network casts at its own edge, and the answer comes back in
    the dtype of x.  A learned variance becomes ``Posterior.logvar`` (Nichol & Dhariwal, 2021, eq. 15).
    Where one level serves the batch, its coefficients are Python floats, computed once in float64 and
    remembered: on tensors they would cost as much as a solver's whole step.
    """

    network: Network
    parametrisation: Parametrisation
    _known: dict[tuple[float, ...], Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        alpha, sigma = level.coefficients(x)
        if isinstance(alpha, float) and isinstance(sigma, float) and x.dtype in (torch.float32, torch.float64):
            skip, out, inp, noise = self._floats(alpha, sigma, level.index)
            fed = torch.full((x.shape[0],), noise, dtype=x.dtype, device=x.device)
            answer, logvar = _parted(self.network(x * inp, fed, cond), x)
            return Posterior(combine((skip, as_many(x, answer)), (out, answer)), logvar)
        return self._by_rows(x, level, cond)

    def _by_rows(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        """Where rows differ in level, or x is narrower than the sums."""
        c = self.parametrisation(level.to(x))
        c_noise = c.noise.expand(x.shape[0]) if c.noise.ndim == 0 else c.noise
        answer, logvar = _parted(self.network((expand(c.inp, x) * x).to(x.dtype), c_noise, cond), x)
        skipped, out = expand(c.skip, x) * x, expand(c.out, x).expand_as(x)
        return Posterior((as_many(skipped, answer) + as_many(out, answer) * answer).to(x.dtype), logvar)

    def _floats(self, alpha: float, sigma: float, index: Tensor | None) -> Floats:
        """The coefficients of one level, remembered; the memory is emptied when it is full."""
        key = (alpha, sigma) if index is None else (alpha, sigma, index.item())
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            values = (torch.tensor(v, dtype=torch.float64) for v in key)
            skip, out, inp, noise = (c.item() for c in self.parametrisation(Level(*values)))
            self._known[key] = (skip, out, inp, noise)
        return self._known[key]


def _parted(answer: Tensor, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """What is predicted, and the learned variance in 0 … 1 where there is one."""
    if answer.ndim < 2 or answer.shape[1] != 2 * x.shape[1]:
        return answer, None
    predicted, spread = answer.chunk(2, 1)
    return predicted, (spread + 1) / 2
