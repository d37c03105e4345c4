"""The convolutions that read a picture: residual blocks at each of several resolutions, magnitude-preserving."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.cond import check_state
from mezzotint.nets.magnitude import SILU, MPConv, dense, pixel_norm, sum_weights
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.unet import resampled
from mezzotint.pictures.factor import factor


class Block(nn.Module):
    """A residual block of two convolutions, magnitude-preserving (see ``nets.unet``)."""

    def __init__(self, fan_in: int, out: int) -> None:
        super().__init__()
        self.keep, add = sum_weights(0.3)
        self.skip = MPConv(fan_in, out, (1, 1)) if fan_in != out else None
        self.first = MPConv(out, out, (3, 3), scale=1 / SILU)
        self.second = MPConv(out, out, (3, 3), scale=add / SILU)

    def forward(self, x: Tensor) -> Tensor:
        x = pixel_norm(x if self.skip is None else self.skip(x))
        y: Tensor = torch.add(self.second(F.silu(self.first(F.silu(x)))), x, alpha=self.keep)
        return y


def levels(widths: Sequence[int], blocks: int) -> nn.ModuleList:
    """``blocks`` residual blocks for each width, the first of each coming from the width before it."""
    return nn.ModuleList(
        nn.Sequential(*(Block(widths[max(0, i - 1)] if k == 0 else w, w) for k in range(blocks)))
        for i, w in enumerate(widths)
    )


def with_ones(x: Tensor) -> Tensor:
    """A constant channel beside the others, in place of a bias."""
    return dense(torch.cat([x, torch.ones_like(x[:, :1])], 1), 2)


class Trunk(nn.Module):
    """(B, C, H, W) in -1 … 1 -> features of each resolution, finest first: (B, widths[i], H / f, W / f), f = fold 2^i.

    channels: C.  fold: squares of fold x fold pixels become channels first.  widths: channels of each resolution, each
    half as fine as the one before.  blocks: of each.
    """

    def __init__(self, channels: int, fold: int, widths: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.channels, self.fold = channels, fold
        self.factor = factor(fold, widths)
        self.first = MPConv(channels * fold**2 + 1, widths[0], (3, 3))
        self.blocks = levels(widths, blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Raises ModelError for a picture that does not fit."""
        check_state(x, 2, self.channels, (self.factor, self.factor))
        y = self.first(with_ones(F.pixel_unshuffle(x, self.fold).to(compute_dtype(self.first.weight))))
        seen: list[Tensor] = []
        for i, level in enumerate(self.blocks):
            y = level(resampled(y, "down" if i else "keep", (2, 2)))
            seen.append(y)
        return seen
