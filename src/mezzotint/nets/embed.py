"""Numbers into vectors: noise levels into waves, pictures into patches and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def frequencies(count: int, low: float, high: float) -> Tensor:
    """``count`` angular frequencies, geometric from ``low`` to ``high`` cycles per unit; (count,), radians per unit."""
    return 2 * math.pi * torch.logspace(math.log10(low), math.log10(high), count)


def waves(c: Tensor, frequency: Tensor) -> Tensor:
    """sqrt(2) (cos, sin) of c times each frequency: (*,) -> (*, 2 K), unit mean square, float32.

    Vaswani et al., 2017, section 3.5, with the magnitude of Karras et al., 2024, eq. 75.
    """
    phase = c.float()[..., None] * frequency.float()
    return math.sqrt(2) * torch.cat([phase.cos(), phase.sin()], -1)


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
