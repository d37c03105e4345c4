"""Rotary positions on any number of axes: the score of two tokens depends on their offset alone."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Turns:
    """How far each token of a grid is turned.

    base: the slowest pair turns that many times less than the fastest, less one part.
    step: how far apart neighbours are, in radians of the fastest pair; half of it on a grid twice as fine keeps the
    score of two places of the picture as it was.  Chen et al., 2023, Position Interpolation, eq. 3, arXiv 2306.15595.
    """

    grid: tuple[int, ...]
    head_dim: int
    base: float
    step: float = 1.0


@lru_cache(maxsize=64)
def tables(turns: Turns, lead: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(cos, sin), each (lead + prod(grid), head_dim): ``lead`` unrotated tokens, then the grid in row-major order.

    The head_dim/2 pairs are shared out evenly to the axes; the pairs left over do not turn.  Remembered, because every
    evaluation of one network at one size needs the same two tables.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
    ):  # an inference tensor in the cache would break a later training step
        angle = torch.cat([torch.zeros(lead, turns.head_dim // 2), angles(turns)])
        cos, sin = angle.cos(), angle.sin()
        return torch.cat([cos, cos], -1).to(device, dtype), torch.cat([-sin, sin], -1).to(device, dtype)


def angles(turns: Turns) -> Tensor:
    """Angle of every pair at every grid point: (prod(grid), head_dim // 2), radians, float32."""
    pairs = turns.head_dim // 2
    each = pairs // len(turns.grid)
    frequency = turns.base ** -(torch.arange(each, dtype=torch.float32) / max(each, 1))
    places = (turns.step * torch.arange(n, dtype=torch.float32) for n in turns.grid)
    turned = torch.cat([a.reshape(-1, 1) * frequency for a in torch.meshgrid(*places, indexing="ij")], -1)
    return torch.cat([turned, turned.new_zeros(len(turned), pairs - turned.shape[1])], -1)
