"""Inpainting as DeepFloyd IF was published: what is known stays clean in the state, whatever the level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor

from mezzotint.diffusion.solver.base import Denoise, S, Solver, Step


@dataclass(frozen=True)
class Held(Generic[S]):
    r"""A solver whose state is the known data where that is known: :math:`x \leftarrow m\, y + (1-m)\, x` before and
    after each step.

    The network sees y without noise there.  ``guidance.Inpainted``, which puts y into the estimate and lets the state
    carry its noise, is what a network expects that was trained on noise alone.
    known: y, (B, *) or (1, *).   mask: m in [0, 1], 1 = known, broadcasts against y.
    Shonenkov et al., 2023, DeepFloyd IF, ``p_sample`` of gaussian_diffusion.py (``inpainting_mask``).
    """

    solver: Solver[S]
    known: Tensor
    mask: Tensor

    @property
    def order(self) -> int:
        return self.solver.order

    @property
    def calls(self) -> int:
        return self.solver.calls

    def init(self, x: Tensor) -> S:
        return self.solver.init(self._held(x))

    def step(self, denoise: Denoise, x: Tensor, state: S, step: Step) -> tuple[Tensor, S, Tensor]:
        after, state, x0 = self.solver.step(denoise, self._held(x), state, step)
        return self._held(after), state, x0

    def _held(self, x: Tensor) -> Tensor:
        y, m = self.known.to(x).expand(x.shape), self.mask.to(x).expand(x.shape)
        return torch.lerp(x, y, m)
