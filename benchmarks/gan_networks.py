"""A generator and a discriminator of 64 px pictures, told a text, without normalisation layers.

Huang et al., 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv 2501.05441: residual blocks of
grouped convolutions, leaky ReLU, Fixup initialisation (the last convolution of a block starts at zero), bilinear
resampling, a learned 4 x 4 start and a 4 x 4 end.  Here pictures are folded 2 x 2 at the door, several times as fast on
a processor, and the text's embedding is joined to the latent, and at the end projected on the features: Miyato &
Koyama, 2018, cGANs with Projection Discriminator.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FOLD, START = 2, 4
SLOPE = 0.2


def conv(fan_in: int, out: int, kernel: int, groups: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A convolution drawn for leaky ReLU, no bias; gain 0 starts silent."""
    made = nn.Conv2d(fan_in, out, kernel, padding=kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(made.weight, SLOPE)
    with torch.no_grad():
        made.weight.mul_(gain)
    return made


class Block(nn.Module):
    """(B, C, h, w) -> the same: 1 x 1, grouped 3 x 3, 1 x 1, added to what came in.  count: of all blocks."""

    def __init__(self, width: int, count: int, groups: int = 16, widen: int = 2) -> None:
        super().__init__()
        inner, gain = width * widen, count**-0.25
        self.first, self.second = conv(width, inner, 1, 1, gain), conv(inner, inner, 3, groups, gain)
        self.third = conv(inner, width, 1, 1, 0.0)
        self.bias = nn.ParameterList(nn.Parameter(torch.zeros(1, inner, 1, 1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.first(x) + self.bias[0], SLOPE)
        y = F.leaky_relu(self.second(y) + self.bias[1], SLOPE)
        return x + self.third(y)


def resized(x: Tensor, scale: float) -> Tensor:
    """(B, C, h, w) twice or half as fine, bilinear."""
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)


def level(width: int, blocks: int, count: int) -> nn.Sequential:
    """Blocks at one resolution."""
    return nn.Sequential(*(Block(width, count) for _ in range(blocks)))


class Generator(nn.Module):
    """(z (B, latent), text (B, T)) -> pictures (B, 3, 64, 64), about -1 … 1.

    widths: of 4 px, 8 px, … up to 64 / FOLD px.
    """

    def __init__(self, widths: Sequence[int], blocks: int, text: int, latent: int = 64) -> None:
        super().__init__()
        self.latent, self.widths = latent, tuple(widths)
        count = len(widths) * blocks
        self.start = nn.Parameter(torch.randn(1, widths[0], START, START))
        self.told = nn.Linear(latent + text, widths[0], bias=False)
        self.levels = nn.ModuleList(level(w, blocks, count) for w in widths)
        self.between = nn.ModuleList(conv(a, b, 1) for a, b in pairwise(widths))
        self.out = conv(widths[-1], 3 * FOLD**2, 1)

    def forward(self, z: Tensor, text: Tensor) -> Tensor:
        told = F.normalize(text, dim=1) * text.shape[1] ** 0.5
        x = self.start * self.told(torch.cat([z, told], 1))[:, :, None, None]
        for i, blocks in enumerate(self.levels):
            if i:
                x = resized(self.between[i - 1](x), 2.0)
            x = blocks(x)
        return F.pixel_shuffle(self.out(x), FOLD)


class Discriminator(nn.Module):
    """(pictures (B, 3, 64, 64), text (B, T)) -> how real, (B,).  widths: from the finest resolution to 4 px."""

    def __init__(self, widths: Sequence[int], blocks: int, text: int) -> None:
        super().__init__()
        count = len(widths) * blocks
        self.first = conv(3 * FOLD**2, widths[0], 1)
        self.levels = nn.ModuleList(level(w, blocks, count) for w in widths)
        self.between = nn.ModuleList(conv(a, b, 1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], widths[-1], START, groups=widths[-1], bias=False)
        self.features = nn.Linear(widths[-1], widths[-1], bias=False)
        self.text = nn.Linear(text, widths[-1], bias=False)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        x = self.first(F.pixel_unshuffle(x, FOLD))
        for i, blocks in enumerate(self.levels):
            if i:
                x = self.between[i - 1](resized(x, 0.5))
            x = blocks(x)
        found = self.features(self.last(x).flatten(1))
        told = F.normalize(self.text(text), dim=1)
        return (found * told).sum(1)
