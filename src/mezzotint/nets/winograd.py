"""Convolutions of 3 x 3 with fewer products: Winograd's minimal filtering, by NNPACK, which torch carries.

Lavin and Gray, 2016, Fast Algorithms for Convolutional Neural Networks, https://arxiv.org/abs/1509.09308, section 4.1:
F(6 x 6, 3 x 3) makes 36 numbers of a tile with 64 products instead of 324.  Sums are taken in another order than by the
plain convolution: answers differ by about 2e-5 of the largest.

NNPACK turns the kernel anew at every call and computes on one thread.  So the pictures of a batch are laid below each
other and convolved as one, large ones are cut into strips, and each of torch's threads takes strips or, where there is
little but kernel, a share of what is made.  Strips and pictures begin where a tile does: a picture's numbers are the
same to the bit in every batch and by any threads.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.magnitude import FixedConv
from mezzotint.nets.packed import Kernel, Said, measured, packed_convolution
from mezzotint.nets.shared import Net, put, shared

TILE = 6
SMALLEST = 256
"""Pixels of a picture below which turning the kernel costs more than is saved: 8 x 8 is slower, 16 x 16 faster."""
WIDE = 4_000_000
"""Numbers of a kernel from which small pictures gain when it is packed; of 320 and 640 channels they do not."""
NARROWEST = 16
"""Channels below which there is nothing to gain."""
LEAST = 5e8
"""Products of the plain convolution below which a second thread costs more than it brings."""
PIECE = 16_384
"""Pixels convolved in one call: more do not stay in the processor's cache, fewer turn the kernel too often."""
BORDERED: Said = ([1, 1], [1, 1], [1, 1], 1)
"""A border of zeros, so that what is made is as large as what it is made of."""


@cache
def present() -> bool:
    """Whether this torch has it and this processor gains: a rule, so that the same words give the same picture."""
    return measured() and bool(torch.backends.nnpack.is_available())  # type: ignore[no-untyped-call]


def saves(device: str, dtype: torch.dtype) -> bool:
    """Whether a network there has something to gain: float32, on a processor that has it."""
    return device == "cpu" and dtype == torch.float32 and present()


def fits(weight: Tensor) -> bool:
    """Whether a kernel (C', C, h, w) is wide enough to gain; the layer's stride and dilation are 1, its groups too."""
    return weight.shape[2:] == (3, 3) and min(weight.shape[:2]) >= NARROWEST


def gaining(net: nn.Module) -> frozenset[str]:
    """Paths of the layers in whose place ``quick`` puts such convolutions."""
    return frozenset(path for path, layer in net.named_modules() if _quick_layer(layer) is not None)


def quick(net: Net, device: str, dtype: torch.dtype, but: Collection[str] = ()) -> Net:
    """The network with such convolutions in the place of those that gain, weights shared and frozen; or the network
    itself.   but: paths of layers that stay."""
    if not saves(device, dtype):
        return net
    layers = {path: layer for path, layer in net.named_modules() if path not in but}
    found = {path: conv for path, layer in layers.items() if (conv := _quick_layer(layer)) is not None}
    made = shared(net) if found else net
    for path, conv in found.items():
        put(made, path, conv)
    return made


def _quick_layer(layer: nn.Module) -> nn.Module | None:
    """What takes a layer's place; None where it stays."""
    if type(layer) is FixedConv and fits(layer.weight):
        return WinogradConv(layer.weight, None)
    if type(layer) is nn.Conv2d and fits(layer.weight) and layer.padding_mode == "zeros" and _plain(layer):
        return WinogradConv(layer.weight, layer.bias)
    return None


def _plain(layer: nn.Conv2d) -> bool:
    return layer.padding == (1, 1) and layer.stride == layer.dilation == (1, 1) and layer.groups == 1


class WinogradConv(nn.Module):
    """A convolution of 3 x 3 with zeros around, (B, C, H, W) -> (B, C', H, W); weight (C', C, 3, 3), bias (C').

    For pictures too small for Winograd's filtering a wide kernel is packed.
    """

    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.kernel = Kernel(weight, BORDERED)
        self.register_buffer("bias", bias, persistent=False)

    @property
    def weight(self) -> Tensor:
        """As it was given."""
        return self.kernel.dense()

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel.size >= WIDE and _small(x) and not torch.is_grad_enabled() and not _needs_plain():
            return packed_convolution(x, self.kernel, self.bias)
        return convolved(x, self.kernel.plain(), self.bias)


def _small(x: Tensor) -> bool:
    return x.shape[2] * x.shape[3] < SMALLEST


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As ``F.conv2d`` with padding 1; by it where the weight is learnt, in other formats and for small pictures."""
    follows = torch.is_grad_enabled()
    if _small(x) or (follows and weight.requires_grad) or _needs_plain():
        return F.conv2d(x, weight, bias, padding=1)
    if follows:
        made: Tensor = _Through.apply(x, weight, bias)  # type: ignore[no-untyped-call]
        return made
    return _filtered(x, weight, bias)


class _Through(torch.autograd.Function):
    """With the gradient of the pictures: that of the answer, convolved with the kernel turned by half a turn and its
    channels exchanged.  The kernel is frozen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.save_for_forward(weight)
        return _filtered(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return convolved(grad, weight.transpose(0, 1).flip(2, 3).contiguous(), None), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        (weight,) = ctx.saved_tensors
        return _filtered(tangent, weight, None)


@torch.no_grad()
def _filtered(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    count, (height, width) = len(x), x.shape[2:]
    y = x.new_empty((count, len(weight), height, width))
    threads = torch.get_num_threads() if y[:, 0].numel() * weight.numel() > LEAST else 1
    heavy = count * height * width < TILE**2 * len(weight)  # turning the kernel takes longer than turning the pictures
    pieces = _pieces(count, height, width, 1 if heavy else threads)
    shares = _shares(weight, bias, threads if heavy else 1)
    for k in range(0, len(pieces), threads):
        wave = pieces[k : k + threads]
        made = iter(_each([(_below(x[some], rows), *share) for some, rows in wave for share in shares]))
        for some, rows in wave:
            strip = torch.cat([next(made) for _ in shares], 1) if len(shares) > 1 else next(made)
            step = _step(len(rows), some.stop - some.start)
            y[some, :, rows.start : rows.stop] = strip[0].unfold(1, len(rows), step).permute(1, 0, 3, 2)
    return y


def _needs_plain() -> bool:
    changed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
    return changed or torch.is_autocast_enabled("cpu")


Share = tuple[Tensor, Tensor | None]
Piece = tuple[slice, range]
"""Which pictures, and which of their rows."""


def _shares(weight: Tensor, bias: Tensor | None, count: int) -> list[Share]:
    """The kernel in parts, by what they make."""
    weights = weight.chunk(count)
    biases = [None] * len(weights) if bias is None else bias.chunk(count)
    return list(zip(weights, biases, strict=True))


def _pieces(count: int, height: int, width: int, threads: int) -> list[Piece]:
    """Several whole pictures each, or some rows of one."""
    share = -(-count * height * width // threads)
    together = min(share, PIECE) // (height * width)
    rows = height if together else min(height, TILE * max(1, round(min(share, PIECE) / width / TILE)))
    some = [slice(k, min(count, k + max(1, together))) for k in range(0, count, max(1, together))]
    parts = [range(top, min(height, top + rows)) for top in range(0, height, rows)]
    return list(product(some, parts))


def _step(rows: int, count: int) -> int:
    """Rows from one picture to the next: whole tiles, zeros between them."""
    return rows + 2 if count == 1 else -(-(rows + 2) // TILE) * TILE


def _below(x: Tensor, rows: range) -> Tensor:
    """The rows of some pictures (n, C, H, W) and the ones above and below, as one picture (1, C, n step, W)."""
    lines, above = x[:, :, max(rows.start - 1, 0) : rows.stop + 1], int(rows.start == 0)
    step = _step(len(rows), len(x))
    wide = x.new_zeros((x.shape[1], len(x), step, x.shape[3]))
    wide[:, :, above : above + lines.shape[2]] = lines.transpose(0, 1)
    return wide.view(1, x.shape[1], len(x) * step, x.shape[3])


def _each(works: list[tuple[Tensor, Tensor, Tensor | None]]) -> list[Tensor]:
    """Strips (1, C, R, W) by kernels (C', C, 3, 3), (1, C', R - 2, W), at the same time."""
    if len(works) == 1:
        return [_one(works[0])]
    return list(_pool(torch.get_num_threads()).map(_one, works))


@torch.no_grad()
def _one(work: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
    return torch._nnpack_spatial_convolution(*work, (0, 1), (1, 1))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "winograd")
