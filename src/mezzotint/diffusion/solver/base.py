"""What a solver is: frozen hyper-parameters, state threaded by the caller, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import Scalar, combine, everywhere, log, where
from mezzotint.errors import UsageError

S = TypeVar("S")

Denoise = Callable[[Tensor, Level], Posterior]
"""A denoiser with its conditioning filled in: (x (B, *), level) -> Posterior."""


@dataclass(frozen=True)
class Step:
    """One step of a grid.

    i: its number from 0; last: whether it is the grid's last one; steps: how many the whole grid has (EDM's churn is
    spread over them).
    cur, nxt: the level of x and the one to reach.
    noise: this step's own standard normal draw k (0 unless a solver needs several), shape and device of x.
    brownian: the standardised Brownian increment between two levels, in time SNR = alpha^2/sigma^2 (see ``Brownian``).
    """

    i: int
    last: bool
    cur: Level
    nxt: Level
    noise: Callable[[], Tensor]
    brownian: Callable[[Level, Level], Tensor]
    steps: int


class Solver(Protocol[S]):
    """``init`` gives the state before the first step; ``step`` maps (x, state) to (x at nxt, state, x0 estimate).

    ``order`` is the global order of convergence on the deterministic part; tests measure it.
    ``calls`` is the number of network calls of one inner step.
    """

    @property
    def order(self) -> int: ...
    @property
    def calls(self) -> int: ...
    def init(self, x: Tensor) -> S: ...
    def step(self, denoise: Denoise, x: Tensor, state: S, step: Step) -> tuple[Tensor, S, Tensor]: ...


def kept(to: Scalar, sigma: Scalar) -> Scalar:
    """to/sigma, the share of a state's noise that is still there at a noise of ``to``.

    1 where both are 0: a row or a frame that stands still at sigma = 0 stays itself.
    Raises UsageError where noise would rise from sigma = 0: nothing says which.
    """
    if not isinstance(to, Tensor) and not isinstance(sigma, Tensor):
        if sigma != 0.0:
            return to / sigma
        if to == 0.0:
            return 1.0
    elif everywhere((to == 0) | (sigma != 0)):
        return where(sigma == 0, 1.0, to / where(sigma == 0, 1.0, sigma))
    raise UsageError("a solver cannot leave sigma = 0: no noise is known there; noise the state, or invert it")


def half_logsnr(alpha: Scalar, sigma: Scalar) -> Scalar:
    """lambda = ln(alpha/sigma), DPM-Solver's coordinate: +inf at sigma = 0, -inf at alpha = 0."""
    return log(alpha) - log(sigma)


def mean_only(posterior: Posterior, solver: str) -> Tensor:
    """The posterior's mean; UsageError when the denoiser prescribes its own renoising direction, which this solver
    would ignore.
    """
    if posterior.eps is not None:
        raise UsageError(
            f"CFG++ has no effect on {solver}, which renoises in its own way; use ddim, euler or euler-ancestral"
        )
    return posterior.mean


def renoised(posterior: Posterior, x: Tensor, a: Scalar, s: Scalar, an: Scalar, c: Scalar) -> Tensor:
    r""":math:`\alpha_s \hat x_0 + c\,\hat\varepsilon` in two passes; eps is the posterior's (CFG++), else
    (x - alpha x0)/sigma.

    Args: x: (B, *) at (a, s).  an: alpha of the next level.  c: the noise to have there.   Returns: (B, *).
    """
    if posterior.eps is not None:
        return combine((an, posterior.mean), (c, posterior.eps))
    r = kept(c, s)
    return combine((r, x), (an - a * r, posterior.mean))
