"""Adaptive projected guidance: only the part of the update that does not merely saturate the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.guidance.pair import Scale
from mezzotint.diffusion.level import Level, expand


@dataclass(frozen=True)
class APG:
    r"""A rule that shortens the update :math:`\Delta = c - u` to norm r and damps its component along c.

    .. math:: \hat x_0 = c + (s-1)\,(\Delta_\perp + \eta\,\Delta_\parallel),\quad
        \Delta \leftarrow \Delta \min(1, r/\lVert\Delta\rVert),
        \quad \Delta_\parallel = \frac{\langle\Delta, c\rangle}{\lVert c\rVert^2}\, c

    Norms and products are over each row.  eta: 1 keeps the parallel part (plain guidance), 0 removes it.
    norm: r, in the units of the state; inf is no threshold (the paper: 2.5 EDM2, 7.5 Stable Diffusion 2.1, 15 SDXL).
    The paper's third part, a momentum over steps, is left out: it makes the answer depend on the steps before, so
    that the same (x, level, cond) would no longer have one denoised picture and interleaved or resumed trajectories
    would differ.
    Sadat et al., 2024, Eliminating Oversaturation and Artifacts of High Guidance Scales, algorithm 1.
    """

    eta: float = 0.0
    norm: float = math.inf

    def __call__(self, strong: Posterior, weak: Posterior, scale: Scale, x: Tensor, level: Level) -> Posterior:
        wide = torch.promote_types(x.dtype, torch.float32)
        c = strong.mean.to(wide)
        delta = c - weak.mean.to(wide)
        if math.isfinite(self.norm):
            delta = delta * expand(self.norm / _dot(delta, delta).sqrt().clamp(min=self.norm), x)
        square = _dot(c, c)
        along = _dot(delta, c) / torch.where(square > 0, square, 1.0)
        delta = delta - (1 - self.eta) * expand(along, x) * c
        gain = expand(scale.to(wide), x) - 1 if isinstance(scale, Tensor) else scale - 1
        return replace(strong, mean=(c + gain * delta).to(x.dtype))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each row: (B, *), (B, *) -> (B,)."""
    return (a * b).flatten(1).sum(1)
