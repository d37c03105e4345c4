"""Rotary positions on any number of axes: the score of two tokens depends on their offset alone."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    r"""Turn each pair (x_i, x_{i+h/2}) by its angle: :math:`x \cos\theta + \mathrm{roll}(x, h/2) \sin\theta`.

    The sign of the first half lives in ``sin``, so the rotation is two elementwise passes and no concatenation.
    Su et al., 2021, RoFormer, eq. 34, https://arxiv.org/abs/2104.09864.

    Args: x: (..., N, h).  cos, sin: (N, h) from :func:`tables`.   Returns: (..., N, h), dtype of x.
    """
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


@lru_cache(maxsize=64)
def tables(
    grid: tuple[int, ...], head_dim: int, base: float, lead: int, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """(cos, sin), each (lead + prod(grid), head_dim): ``lead`` unrotated tokens, then the grid in row-major order.

    The head_dim/2 pairs are shared out evenly to the axes; the pairs left over do not turn.  Remembered, because every
    evaluation of one network at one size needs the same two tables.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
    ):  # an inference tensor in the cache would break a later training step
        angle = torch.cat([torch.zeros(lead, head_dim // 2), angles(grid, head_dim, base)])
        cos, sin = angle.cos(), angle.sin()
        return torch.cat([cos, cos], -1).to(device, dtype), torch.cat([-sin, sin], -1).to(device, dtype)


def angles(grid: tuple[int, ...], head_dim: int, base: float) -> Tensor:
    """Angle of every pair at every grid point: (prod(grid), head_dim // 2), radians, float32."""
    pairs = head_dim // 2
    each = pairs // len(grid)
    frequency = base ** -(torch.arange(each, dtype=torch.float32) / max(each, 1))
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in grid), indexing="ij")
    turned = torch.cat([a.reshape(-1, 1) * frequency for a in axes], -1)
    return torch.cat([turned, turned.new_zeros(len(turned), pairs - turned.shape[1])], -1)
