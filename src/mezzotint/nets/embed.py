"""Numbers into vectors: noise levels into waves, pictures into patches and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

NOISE_WAVES = 64
POSITION_WAVES = 16
"""Waves of a noise level, and of each coordinate."""


@lru_cache(maxsize=32)
def frequencies(count: int, low: float, high: float, device: torch.device) -> Tensor:
    """``count`` angular frequencies, geometric from ``low`` to ``high`` cycles per unit; (count,), radians per unit.

    Never a buffer of a network: cast with its weights to bfloat16, phases of many turns would lose all their digits.
    """
    with torch.inference_mode(False):  # an inference tensor in the cache would break a later training step
        return (2 * math.pi * torch.logspace(math.log10(low), math.log10(high), count)).to(device)


def waves(c: Tensor, frequency: Tensor) -> Tensor:
    """sqrt(2) (cos, sin) of c times each frequency: (*,) -> (*, 2 K), unit mean square, float32.

    Vaswani et al., 2017, section 3.5, at the magnitude of Karras et al., 2024, eq. 75.
    """
    phase = c.float()[..., None] * frequency
    return math.sqrt(2) * torch.cat([phase.cos(), phase.sin()], -1)


@lru_cache(maxsize=32)
def grid_waves(grid: tuple[int, ...], count: int, device: torch.device) -> Tensor:
    """Waves of each axis' coordinate in (0, 1): (prod(grid), 2 count dims); half to count / 2 cycles."""
    with torch.inference_mode(False):
        axes = torch.meshgrid(*((torch.arange(n, device=device) + 0.5) / n for n in grid), indexing="ij")
        steps = frequencies(count, 0.5, count / 2, device)
        return torch.cat([waves(a.reshape(-1), steps) for a in axes], -1)


def patchify(x: Tensor, patch: Sequence[int]) -> Tensor:
    """(B, C, *spatial) -> (B, N, C * prod(patch)), N row-major over the grid of patches, for any number of axes."""
    b, c, *spatial = x.shape
    dims = len(patch)
    split = [m for n, p in zip(spatial, patch, strict=True) for m in (n // p, p)]
    order = [0, *(2 + 2 * i for i in range(dims)), 1, *(3 + 2 * i for i in range(dims))]
    return x.reshape(b, c, *split).permute(order).reshape(b, -1, c * math.prod(patch))


def unpatchify(tokens: Tensor, patch: Sequence[int], grid: Sequence[int]) -> Tensor:
    """The inverse of :func:`patchify`: (B, N, C * prod(patch)) -> (B, C, *(grid * patch))."""
    dims = len(patch)
    x = tokens.reshape(tokens.shape[0], *grid, -1, *patch)
    order = [0, 1 + dims, *(m for i in range(dims) for m in (1 + i, 2 + dims + i))]
    return x.permute(order).reshape(x.shape[0], -1, *(n * p for n, p in zip(grid, patch, strict=True)))


def windows(x: Tensor, patches: tuple[int, ...], overlap: int) -> Tensor:
    """``patchify`` of squares that reach ``overlap`` pixels over their neighbours: (B, C, H, W) -> (B, N, C k k),
    k = patch + 2 overlap, zeros beyond the edge."""
    if not overlap:
        return patchify(x, patches)
    kernel = tuple(p + 2 * overlap for p in patches)
    return F.unfold(x, kernel, padding=overlap, stride=patches).transpose(1, 2)


def overlaid(y: Tensor, patches: tuple[int, ...], grid: tuple[int, ...], overlap: int) -> Tensor:
    """``unpatchify`` of such squares, added where they overlap: (B, N, C k k) -> (B, C, H, W)."""
    if not overlap:
        return unpatchify(y, patches, grid)
    kernel, size = (tuple(p + 2 * overlap for p in patches), tuple(p * n for p, n in zip(patches, grid, strict=True)))
    return F.fold(y.transpose(1, 2), size, kernel, padding=overlap, stride=patches)
