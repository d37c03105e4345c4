"""diffusers' ``AutoencoderKL`` in few lines: the same paths, shapes and arithmetic.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models, app. G.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.published.layers import Attention, Down, Resnet, Up, pixels

EPS = 1e-6


@dataclass(frozen=True)
class KLConfig:
    """Of its configuration, what counts.   depth: residual blocks of an encoder's stage; a decoder's has one more."""

    seen: int
    made: int
    latent: int
    widths: tuple[int, ...]
    depth: int
    groups: int
    attends: bool = True
    quant: bool = True
    post_quant: bool = True


class Mean(NamedTuple):
    """A posterior, of which the mean alone is kept."""

    mean: Tensor

    def mode(self) -> Tensor:
        return self.mean


class Encoded(NamedTuple):
    latent_dist: Mean


class Decoded(NamedTuple):
    sample: Tensor


class _Attention(Attention):
    """One head over all pixels of a picture, added to it."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__(width, 1, bias=True)
        self.group_norm = nn.GroupNorm(groups, width, EPS)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        told = self.group_norm(x.flatten(2)).transpose(1, 2)
        return pixels(super().forward(told), *x.shape[2:]) + x


class _Middle(nn.Module):
    def __init__(self, width: int, groups: int, attends: bool) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([_Attention(width, groups)] if attends else [])
        self.resnets = nn.ModuleList(Resnet(width, width, groups, EPS) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.resnets[0], *self.attentions, self.resnets[1]):
            x = layer(x)
        return x


class _Stage(nn.Module):
    """Residual blocks, then a change of size."""

    def __init__(self, before: int, after: int, depth: int, groups: int, resized: str, last: nn.Module | None) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(after if k else before, after, groups, EPS) for k in range(depth))
        self.resized = resized
        self.add_module(resized, nn.ModuleList([] if last is None else [last]))

    def forward(self, x: Tensor) -> Tensor:
        for name in ("resnets", self.resized):
            for layer in self.get_submodule(name).children():
                x = layer(x)
        return x


def _pairs(widths: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """(width before, width, whether it is the last) of each stage."""
    for k, width in enumerate(widths):
        yield widths[max(0, k - 1)], width, k == len(widths) - 1


class _Encoder(nn.Module):
    def __init__(self, c: KLConfig) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(c.seen, c.widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            _Stage(before, width, c.depth, c.groups, "downsamplers", None if last else Down(width, 0))
            for before, width, last in _pairs(c.widths)
        )
        self.mid_block = _Middle(c.widths[-1], c.groups, c.attends)
        self.conv_norm_out = nn.GroupNorm(c.groups, c.widths[-1], EPS)
        self.conv_out = nn.Conv2d(c.widths[-1], 2 * c.latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for layer in (*self.down_blocks, self.mid_block):
            x = layer(x)
        made: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return made


class _Decoder(nn.Module):
    def __init__(self, c: KLConfig) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(c.latent, c.widths[-1], 3, padding=1)
        self.up_blocks = nn.ModuleList(
            _Stage(before, width, c.depth + 1, c.groups, "upsamplers", None if last else Up(width))
            for before, width, last in _pairs(c.widths[::-1])
        )
        self.mid_block = _Middle(c.widths[-1], c.groups, c.attends)
        self.conv_norm_out = nn.GroupNorm(c.groups, c.widths[0], EPS)
        self.conv_out = nn.Conv2d(c.widths[0], c.made, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(z))
        for layer in self.up_blocks:
            x = layer(x)
        made: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return made


class KLAutoencoder(nn.Module):
    """Pictures (B, 3, H, W) in -1 … 1 <-> latents (B, c, h, w), not scaled; called as diffusers' is."""

    def __init__(self, config: KLConfig) -> None:
        super().__init__()
        c = config.latent
        self.encoder, self.decoder = _Encoder(config), _Decoder(config)
        self.quant_conv: nn.Module | None = nn.Conv2d(2 * c, 2 * c, 1) if config.quant else None
        self.post_quant_conv: nn.Module | None = nn.Conv2d(c, c, 1) if config.post_quant else None

    def encode(self, x: Tensor) -> Encoded:
        moments = self.encoder(x)
        moments = moments if self.quant_conv is None else self.quant_conv(moments)
        return Encoded(Mean(moments.chunk(2, 1)[0]))

    def decode(self, z: Tensor) -> Decoded:
        return Decoded(self.decoder(z if self.post_quant_conv is None else self.post_quant_conv(z)))
