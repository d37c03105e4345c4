"""The layers that the U-Net and the autoencoder of latent diffusion share; paths and shapes are those of diffusers.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models, app. E and G.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.scalar import as_many
from mezzotint.nets.packed import PackedGate, plus

NARROW = 16
"""Width of a head below which attention on a processor without AVX-512 is faster with zeros at its end: half the time
for 10.  With AVX-512 zeros gain nothing."""


FEW, VECTOR = 512, 16
"""Keys up to which a processor's kernel wants whole vectors of them: 1024 queries of 77 keys in 1.1 ms where they are
filled up to 80 and masked, in 2.5 as they are (bfloat16; float32 1.2 and 2.5).  With 1101 keys it gains nothing, nor
where gradients are wanted: see ``nets.small_attention``."""


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """(B, N, D), (B, M, D) twice -> (B, N, D): softmax(q k^T / sqrt(D / heads)) v for each head."""
    width = q.shape[-1] // heads
    here = q.device.type == "cpu"
    wider = max(0, NARROW - width) if here and _pads() else 0
    more = -k.shape[1] % VECTOR if here and k.shape[1] <= FEW and not q.requires_grad else 0
    q = F.pad(q.view(len(q), -1, heads, width), (0, wider)).transpose(1, 2)
    k, v = (F.pad(x.view(len(x), -1, heads, width), (0, wider, 0, 0, 0, more)).transpose(1, 2) for x in (k, v))
    mask = _unseen(k, more) if more else None
    found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=width**-0.5)[..., :width]
    return found.transpose(1, 2).reshape(len(q), -1, heads * width)


def _unseen(k: Tensor, more: int) -> Tensor:
    """(1, 1, 1, M): 0, and -inf for the last ``more`` of the keys (B, heads, M, d)."""
    return F.pad(k.new_zeros(1, 1, 1, k.shape[2] - more), (0, more), value=float("-inf"))


@cache
def _pads() -> bool:
    return torch.backends.cpu.get_cpu_capability() != "AVX512"


MANY = 1024
"""Pixels from which a processor normalises groups of innermost channels as fast as of outermost ones (torch 2.13): with
fewer it takes up to eight times as long."""


def laid(x: Tensor) -> Tensor:
    """(B, C, H, W) with channels innermost where a processor is faster with them: its convolutions in bfloat16 always
    are, its normalisation from ``MANY`` pixels on.  In another format, or where gradients are wanted, it stays."""
    return x.contiguous(memory_format=_layout(x)) if _lays(x) else x


def _lays(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.bfloat16 and not torch.is_grad_enabled()


def _layout(x: Tensor) -> torch.memory_format:
    many = _lays(x) and x.shape[2] * x.shape[3] >= MANY
    return torch.channels_last if many else torch.contiguous_format


class Resnet(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))) + time))), x by a 1 x 1 convolution where the width changes."""

    def __init__(self, before: int, after: int, groups: int, eps: float, time: int = 0) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, before, eps)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        if time:
            self.time_emb_proj = nn.Linear(time, after)
        self.norm2 = nn.GroupNorm(groups, after, eps)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        if before != after:
            self.conv_shortcut = nn.Conv2d(before, after, 1)
        self.told, self.widens = bool(time), before != after

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """(B, C, H, W), silu of the time's embedding (B, T) -> (B, C', H, W)."""
        x = laid(x)
        h = self.conv1(F.silu(self.norm1(x)))
        if self.told:
            h = h + self.time_emb_proj(time)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        made: Tensor = (self.conv_shortcut(x) if self.widens else x) + h
        return made


class Down(nn.Module):
    """Half the size.  padding: 1 on every side, or 0: one row and column at the end alone, as the encoder has it."""

    def __init__(self, width: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=padding)
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.conv(x if self.padding else F.pad(x, (0, 1, 0, 1)))
        return made


class Up(nn.Module):
    """Twice the size, or a size, by the nearest pixel, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        larger = F.interpolate(x, scale_factor=2.0) if size is None else F.interpolate(x, size)
        made: Tensor = self.conv(larger)
        return made


class Attention(nn.Module):
    """Attention of ``heads`` to itself, or to a context of another width.

    processor: what takes its place where it is set; called as diffusers calls its own.
    """

    def __init__(self, width: int, heads: int, context: int | None = None, bias: bool = False) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias)
        self.to_k = nn.Linear(context or width, width, bias)
        self.to_v = nn.Linear(context or width, width, bias)
        self.to_out = nn.ModuleList([nn.Linear(width, width), nn.Identity()])
        self.heads = heads
        self.processor: Callable[..., Any] | None = None

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(B, N, D), (B, M, E) -> (B, N, D)."""
        if self.processor is not None:
            return self._processed(x, context)
        made: Tensor = self.to_out[0](self._attended(x, context))
        return made

    def added(self, x: Tensor, context: Tensor | None, to: Tensor) -> Tensor:
        """The same + ``to`` (B, N, D)."""
        if self.processor is not None:
            return self._processed(x, context) + to
        return plus(self.to_out[0], self._attended(x, context), to)

    def _attended(self, x: Tensor, context: Tensor | None) -> Tensor:
        told = x if context is None else context
        return attend(self.to_q(x), self.to_k(told), self.to_v(told), self.heads)

    def _processed(self, x: Tensor, context: Tensor | None) -> Tensor:
        assert self.processor is not None
        found: Tensor = self.processor(self, x, encoder_hidden_states=context)
        return found


class FeedForward(nn.Module):
    """W (h * gelu(g)), [h, g] = V x.   Shazeer, 2020, GLU Variants Improve Transformer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        gate = nn.Module()
        gate.proj = nn.Linear(width, 8 * width)
        self.net = nn.ModuleList([gate, nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor, to: Tensor) -> Tensor:
        """(B, N, D) twice -> (B, N, D): what it makes of the first, + the second."""
        proj = self.net.get_submodule("0.proj")
        return plus(self.net[2], proj(x) if type(proj) is PackedGate else _gated(*_halves(proj, x)), to)


def _gated(h: Tensor, gate: Tensor) -> Tensor:
    return h * F.gelu(gate)


def _halves(proj: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both halves of what a map makes: activations on dense memory are faster on a processor."""
    if type(proj) is nn.Linear and x.device.type == "cpu":
        (w, gate_w), (b, gate_b) = proj.weight.chunk(2), proj.bias.chunk(2)
        return F.linear(x, w, b), F.linear(x, gate_w, gate_b)
    h, gate = proj(x).chunk(2, -1)
    return h, gate


class Block(nn.Module):
    """x + attention to itself, + to the text, + the feed-forward part, each of a normed x."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.attn2 = nn.LayerNorm(width), Attention(width, heads, context)
        self.norm3, self.ff = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """(B, N, D), (k B, M, E) -> (k B, N, D)."""
        x = as_many(self.attn1.added(self.norm1(x), None, x), text)
        x = self.attn2.added(self.norm2(x), text, x)
        made: Tensor = self.ff(self.norm3(x), x)
        return made


class Transformer(nn.Module):
    """Blocks on the pixels of a picture as tokens, added to it.   linear: whether tokens are mapped by matrices, or
    pixels by 1 x 1 convolutions."""

    def __init__(self, width: int, heads: int, context: int, depth: int, groups: int, linear: bool) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, 1e-6)
        self.proj_in: nn.Module = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(Block(width, heads, context) for _ in range(depth))
        self.proj_out: nn.Module = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        self.linear = linear

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """(B, C, H, W), (k B, L, D) -> (k B, C, H, W)."""
        h, (height, width) = self.norm(x), x.shape[2:]
        h = self.proj_in(tokens(h)) if self.linear else tokens(self.proj_in(h))
        for block in self.transformer_blocks:
            h = block(h, text)
        h = pixels(self.proj_out(h), height, width) if self.linear else self.proj_out(pixels(h, height, width))
        made: Tensor = h + as_many(x, h)
        return made


def tokens(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H W, C)."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1])


def pixels(x: Tensor, height: int, width: int) -> Tensor:
    """(B, H W, C) -> (B, C, H, W)."""
    found = x.reshape(len(x), height, width, -1).permute(0, 3, 1, 2)
    return found.contiguous(memory_format=_layout(found))
