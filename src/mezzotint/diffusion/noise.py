"""Noise as a pure function of (seed, stage, draw, index): no state, no device, no batch can change a sample's noise.

Its numbers are those of ``philox``, as tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.philox import check_seed, normals
from mezzotint.errors import UsageError


class Draws(Protocol):
    """What a trajectory asks for noise: ``Noise``, or what stands for it where a solver is taken apart."""

    @property
    def dtype(self) -> torch.dtype: ...
    def rows(self) -> Sequence[Draws]:
        """The noise of each row alone."""
        ...

    def __call__(self, draw: int, shape: Sequence[int]) -> Tensor: ...
    def many(self, draws: Sequence[int], shape: Sequence[int]) -> Iterator[Tensor]:
        """Some draws in float64."""
        ...


@dataclass(frozen=True)
class Noise:
    """Standard normal noise keyed by (seed, stage, draw): row i depends on seeds[i] alone.

    Drawn on the CPU; move the result to the device.  stage: which stage of a pipeline draws, so that stages never
    share noise.
    """

    seeds: tuple[int, ...]
    stage: int = 0
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        for seed in self.seeds:
            check_seed(seed)

    def rows(self) -> tuple[Noise, ...]:
        return tuple(replace(self, seeds=(seed,)) for seed in self.seeds)

    def __call__(self, draw: int, shape: Sequence[int]) -> Tensor:
        """Args: draw: which draw of the trajectory, 0 … 2^64 - 1.  shape: (B, *) with B = len(seeds).   Returns: (B,
        *).
        """
        if shape[0] != len(self.seeds):
            raise UsageError(f"noise for {len(self.seeds)} seeds was asked for a batch of {shape[0]}; they must agree")
        (drawn,) = self.many((draw,), shape)
        return drawn.to(self.dtype)

    def many(self, draws: Sequence[int], shape: Sequence[int]) -> Iterator[Tensor]:
        """Some draws, (B, *) float64 each."""
        yield from map(torch.from_numpy, normals(self.seeds, self.stage, draws, shape))
