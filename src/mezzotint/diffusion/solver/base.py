"""What a solver is: frozen hyper-parameters, state threaded by the caller, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.scalar import Scalar, combine, log
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
    brownian: the standardised Brownian increment between two logsnr's: (a, b) -> W(b) - W(a) over sqrt(b - a).
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


def eps_of(posterior: Posterior, x: Tensor, alpha: Scalar, sigma: Scalar) -> Tensor:
    """The noise in x: the posterior's own where it prescribes one (CFG++), else (x - alpha x0)/sigma.  Shapes (B, *),
    sigma > 0.
    """
    if posterior.eps is not None:
        return posterior.eps
    return combine((1 / sigma, x), (-alpha / sigma, posterior.mean))
