"""Layers that keep the magnitude of what passes through them, so that a network needs no normalisation layers.

All equations are of Karras et al., 2024, Analyzing and Improving the Training Dynamics of Diffusion Models,
https://arxiv.org/abs/2312.02696.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.norm import unit
from mezzotint.nets.precision import compute_dtype

SILU = 0.596
"""Root mean square of silu(N(0, 1)); eq. 81.  Convolutions fold 1 / SILU into their weights."""

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_FORMAT = {2: torch.channels_last, 3: torch.channels_last_3d}


def mp_silu(x: Tensor) -> Tensor:
    """silu(x) / 0.596, eq. 81."""
    return F.silu(x) / SILU


def mp_sum(a: Tensor, b: Tensor, t: float) -> Tensor:
    """((1 - t) a + t b) / sqrt((1 - t)^2 + t^2), eq. 88."""
    keep, add = sum_weights(t)
    return torch.add(a * keep, b, alpha=add)


def sum_weights(t: float) -> tuple[float, float]:
    """The two factors of :func:`mp_sum`."""
    norm = math.hypot(1 - t, t)
    return (1 - t) / norm, t / norm


def mp_cat(a: Tensor, b: Tensor, t: float = 0.5) -> Tensor:
    """Concatenation along axis 1 in which a and b contribute in the ratio (1 - t) : t, eq. 103."""
    na, nb = a.shape[1], b.shape[1]
    norm = math.sqrt((na + nb) / ((1 - t) ** 2 + t**2))
    wa, wb = norm / math.sqrt(na) * (1 - t), norm / math.sqrt(nb) * t
    return torch.cat([a if wa == 1 else a * wa, b if wb == 1 else b * wb], 1)


def pixel_norm(x: Tensor) -> Tensor:
    """x over its root mean square along axis 1, eq. 30; statistics in float32, dtype of x."""
    return unit(x, math.sqrt(x.shape[1]), 1)


def dense(x: Tensor, dims: int) -> Tensor:
    """x (B, C, *spatial) with channels innermost in memory, where the convolutions are fastest (2-D and 3-D)."""
    return x.contiguous(memory_format=_FORMAT[dims]) if dims in _FORMAT else x.contiguous()


class MPConv(nn.Module):
    """A linear map or convolution whose rows are used at unit norm, eq. 47 and 66; no bias.

    The stored rows have norm sqrt(fan-in), so each weight is of order 1 and one learning rate suits all;
    :func:`project_` restores that after every optimizer step.
    scale: a constant of the layers around it, folded in.
    gain: "one", or "learned" from zero (the last layer and the modulations start silent).
    """

    def __init__(
        self, fan_in: int, out: int, kernel: Sequence[int] = (), scale: float = 1.0, gain: str = "one"
    ) -> None:
        super().__init__()
        self.dims, self.padding, self.scale = len(kernel), tuple(k // 2 for k in kernel), scale
        self.weight = nn.Parameter(torch.randn(out, fan_in, *kernel))
        self.gain = nn.Parameter(torch.zeros(())) if gain == "learned" else None

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.effective(compute_dtype(self.weight)), self.padding)

    def effective(self, dtype: torch.dtype) -> Tensor:
        """The weight in use: rows of norm scale * gain, made in float32, given in ``dtype``."""
        norm = row_norm(self.weight).clamp_min(1e-12)
        factor = self.scale / norm if self.gain is None else self.gain.float() * self.scale / norm
        return (self.weight * factor).to(dtype)


class FixedConv(nn.Module):
    """An :class:`MPConv` with its weight made once: for inference, where normalising at every call is waste."""

    def __init__(self, source: MPConv, dtype: torch.dtype) -> None:
        super().__init__()
        self.padding = source.padding
        self.weight = nn.Parameter(dense(source.effective(dtype).detach(), source.dims), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight, self.padding)


def convolve(x: Tensor, weight: Tensor, padding: tuple[int, ...]) -> Tensor:
    """The convolution (or linear map, for no kernel axes) of x with weight, same size out."""
    return _CONV[len(padding)](x, weight, padding=padding) if padding else F.linear(x, weight)


def row_norm(weight: Tensor) -> Tensor:
    """Euclidean norm of each output row, kept as axes of 1, float32."""
    axes = tuple(range(1, weight.ndim))
    norm: Tensor = torch.linalg.vector_norm(weight, dim=axes, keepdim=True, dtype=torch.float32)
    return norm


@torch.no_grad()
def project_(net: nn.Module) -> None:
    """Forced weight normalisation, eq. 66: put every row of every :class:`MPConv` back on norm sqrt(fan-in), in place.

    Call it after each optimizer step; it does nothing to networks without such layers.  Rows are whole on every process
    that shards the first axis, so it needs no communication there.
    """
    for module in net.modules():
        if isinstance(module, MPConv):
            weight = module.weight
            weight.mul_(math.sqrt(weight[0].numel()) / row_norm(weight).clamp_min(1e-12))
