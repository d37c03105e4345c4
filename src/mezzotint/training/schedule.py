"""The learning rate as a pure function of the step: a peak, a linear warm-up, and a decay that is a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol


class Decay(Protocol):
    """(step, steps) -> the share of the peak rate, in [0, 1]; step counts updates from 0, steps is the whole run."""

    def __call__(self, step: int, steps: int) -> float: ...


def constant(step: int, steps: int) -> float:
    """1 throughout."""
    return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 to ``floor``.  Loshchilov & Hutter, 2017, SGDR, eq. 5."""

    floor: float = 0.0

    def __call__(self, step: int, steps: int) -> float:
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))


@dataclass(frozen=True)
class Trapezoid:
    """1, then a straight line to ``floor`` over the last ``cooldown`` (share of the run).  Hägele et al., 2024,
    Scaling Laws Beyond Fixed Durations."""

    cooldown: float = 0.2
    floor: float = 0.0

    def __call__(self, step: int, steps: int) -> float:
        left = max(0.0, 1 - step / steps)
        return 1.0 if left >= self.cooldown else self.floor + (1 - self.floor) * left / self.cooldown


@dataclass(frozen=True)
class InverseSqrt:
    r""":math:`1/\sqrt{\max(1, step/reference)}`: flat for ``reference`` steps, never zero.  Karras et al., 2024, EDM2,
    app. B, eq. 67."""

    reference: int

    def __call__(self, step: int, steps: int) -> float:
        return 1 / math.sqrt(max(1.0, step / self.reference))


@dataclass(frozen=True)
class Optimiser:
    """AdamW on float32 master weights.  Loshchilov & Hutter, 2019, Decoupled Weight Decay Regularization, alg. 2.

    Matrices named by ``orthogonal`` take Muon's steps instead: the averaged gradient with its singular values made
    about 1, at 0.2 sqrt(max(rows, columns)), the RMS of Adam's steps, so that one rate serves both.  Jordan et al.,
    2024, Muon; Liu et al., 2025, Muon is Scalable for LLM Training, eq. 4, https://arxiv.org/abs/2502.16982.

    rate: peak learning rate, > 0; 1e-4 to 1e-2 (the larger for magnitude-preserving nets).
    warmup: steps of linear rise from 0; 0 is none.
    decay: what follows, planned over ``Recipe.steps`` (never over time: time is not reproducible).
    betas, eps: Adam's averages and its floor.
    weight_decay: share of a matrix's weights taken away a step, times the rate; vectors are left alone; 0 is none.
    clip: largest norm of the whole gradient; above it the gradient is scaled down; inf is none.
    factors: (beginning of a parameter's name, or a pattern of it with stars, factor on the rate); the first that fits
    counts.  For networks whose parts want rates of different size.
    orthogonal: beginnings of the names of those matrices; for hidden ones, not for the first or the last map.
    """

    rate: float = 1e-3
    warmup: int = 0
    decay: Decay = constant
    betas: tuple[float, float] = (0.9, 0.99)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 1.0
    factors: tuple[tuple[str, float], ...] = ()
    orthogonal: tuple[str, ...] = ()

    def factor(self, name: str) -> float:
        """The factor on the rate of a parameter."""
        return next((factor for said, factor in self.factors if fnmatchcase(name, f"{said}*")), 1.0)

    def at(self, step: int, steps: int) -> float:
        """The rate of the update made at ``step`` = 0 … steps - 1."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate * rise * self.decay(step, steps)
