"""diffusers with our noise: the draws of schedulers that add some, in the order in which stages and steps ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from mezzotint.diffusion.noise import Noise


def noise_of(patch: pytest.MonkeyPatch, module: str, stages: Sequence[tuple[Noise, int]], first: int = 0) -> None:
    """Fresh noise of ``module`` is ours: of each (noise, steps) the steps from ``first`` but the last, which asks for
    none."""
    draws = iter([(noise, 1 + i) for noise, steps in stages for i in range(first, steps - 1)])

    def drawn(shape: Any, **words: Any) -> torch.Tensor:
        noise, draw = next(draws)
        return noise(draw, tuple(shape)).float()

    patch.setattr(f"{module}.randn_tensor", drawn)


def exact(scheduler: Any) -> None:
    """Its table in float64: of the cosine table's smallest beta, 4e-5, float32 keeps so little that finished pictures
    would come out 0.05 % too dark."""
    scheduler.betas = scheduler.betas.double()
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)
