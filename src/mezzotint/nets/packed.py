"""Layers whose weights lie as the processor's library wants them, so that they are not turned at every call.

oneDNN multiplies by weights in blocks of its own; a plain weight is brought into them each time, which at 8 x 8 pixels
takes longer than the convolution.  In bfloat16 the answers are the plain layers', to the bit where the input is dense;
a transposed one may be summed in another order.  In float32 torch multiplies by another library, whose sums differ in
the last digits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.shared import put

PROCESSORS = frozenset({"AVX2", "AVX512"})
"""Instruction sets of processors on which float32 was measured: with AVX-512 one (Zen 4) whose multipliers are no
wider.  Those with tiles of matrices (AMX) multiply plainly twice as fast in float32 too; there it was not measured."""


def measured() -> bool:
    """Whether this is one on which what is done for float32 was seen to gain."""
    known = torch.backends.cpu.get_cpu_capability() in PROCESSORS
    return known and not torch.cpu._is_amx_tile_supported()


def packs(device: str, dtype: torch.dtype) -> bool:
    """Whether there is something to gain: in float32 on such a processor, in bfloat16 on one that multiplies in it."""
    if device == "cpu" and dtype == torch.float32:
        return measured()
    return device == "cpu" and dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class PackedLinear(nn.Module):
    """y = W x + b of a layer, which may be dropped; (..., I) -> (..., O), on a processor."""

    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), None)
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():  # the library's call has no gradient
            return F.linear(x, self.packed.to_dense(), self.bias)
        made: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        return made


def plus(layer: nn.Module, x: Tensor, to: Tensor) -> Tensor:
    """layer(x) + to, as wide as the answer; of a packed map summed where it is written, at full precision."""
    if type(layer) is not PackedLinear or torch.is_grad_enabled():
        made: Tensor = layer(x) + to
        return made
    summed: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, to, layer.packed, layer.bias, "add")
    return summed


Said = tuple[list[Any], list[int], list[int], int]
"""A convolution's padding, stride, dilation and groups."""

PICTURE = (8, 8)
"""Pixels for which a kernel is laid out before any were seen."""


class Kernel:
    """A convolution's weight (C', C / groups, h, w), lying as the pictures wanted it that were seen last: plain, or
    packed.  One that is packed for another size, or for none, may be turned at every call, at up to sixty times the
    convolution's own time."""

    def __init__(self, weight: Tensor, said: Said) -> None:
        self.said = said
        self._lying: tuple[Tensor, tuple[int, ...]] = (weight.detach().contiguous(), ())

    @property
    def is_packed(self) -> bool:
        return self._lying[0].is_mkldnn

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self._lying[0].numel()

    def packed(self, sides: tuple[int, ...]) -> Tensor:
        """For pictures of (H, W) pixels; kept so."""
        weight, known = self._lying
        if sides != known:
            weight = self._turned(sides)
            self._lying = weight, sides
        return weight

    def plain(self) -> Tensor:
        """As it was given; kept so."""
        if self.is_packed:
            self._lying = self.dense(), ()
        return self._lying[0]

    def dense(self) -> Tensor:
        """As it was given."""
        weight = self._lying[0]
        with torch.inference_mode(mode=False):  # what is made in it could not be followed by gradients
            return weight.to_dense() if weight.is_mkldnn else weight

    def _turned(self, sides: tuple[int, ...]) -> Tensor:
        plain, (_, _, dilation, groups) = self.dense(), self.said
        least = [apart * (k - 1) + 1 for apart, k in zip(dilation, plain.shape[2:], strict=True)]
        size = [1, plain.shape[1] * groups, *map(max, sides, least)]
        with torch.inference_mode(mode=False):
            made: Tensor = torch._C._nn.mkldnn_reorder_conv2d_weight(
                plain.to_mkldnn(),
                *self.said,
                size,  # type: ignore[call-arg]  # its stub has no size
            )
        return made


def packed_convolution(x: Tensor, kernel: Kernel, bias: Tensor | None) -> Tensor:
    """(B, C, H, W) -> (B, C', H', W') by it, packed; without gradients."""
    weight = kernel.packed(tuple(x.shape[2:]))
    made: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, bias, *kernel.said, "none", [], "")
    return made


class PackedConv(nn.Module):
    """A convolution's answer, (B, C, H, W) -> (B, C', H', W'); the layer may be dropped.  As ``PackedLinear``."""

    bias: Tensor | None

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        said = list(layer.padding), list(layer.stride), list(layer.dilation), layer.groups
        self.kernel = Kernel(layer.weight, said)
        self.kernel.packed(PICTURE)  # so that the layer's own can go
        self.register_buffer("bias", layer.bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            padding, stride, dilation, groups = self.kernel.said
            return F.conv2d(x, self.kernel.dense(), self.bias, stride, padding, dilation, groups)
        return packed_convolution(x, self.kernel, self.bias)


class PackedGate(nn.Module):
    """h * gelu(g), [h, g] = W x + b: two maps, each with what follows it done where it writes, at full precision."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weights = layer.weight.chunk(2)
        biases = (None, None) if layer.bias is None else layer.bias.chunk(2)
        self.first, self.second = (PackedLinear(w, b) for w, b in zip(weights, biases, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., O / 2)."""
        h, g = self.first, self.second
        if torch.is_grad_enabled():
            apart: Tensor = h(x) * F.gelu(g(x))
            return apart
        gate = torch.ops.mkldnn._linear_pointwise(x, g.packed, g.bias, "gelu", [], "none")
        made: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, gate, h.packed, h.bias, "mul")
        return made


def packed_layer(path: str, layer: nn.Module) -> nn.Module | None:
    """What takes the layer's place; None where it stays."""
    if type(layer) is nn.Linear:
        return PackedGate(layer) if path.endswith(GATED) else PackedLinear(layer.weight, layer.bias)
    if type(layer) is nn.Conv2d and not isinstance(layer.padding, str) and layer.padding_mode == "zeros":
        return PackedConv(layer) if layer.weight[0, 0].numel() > 1 else None  # of one pixel it gains nothing
    return None


GATED = "ff.net.0.proj"
"""Where ``FeedForward`` has its gated map."""


def pack(net: nn.Module, but: Collection[str] = ()) -> nn.Module:
    """The network itself, its layers packed one after another, so that no more than one lies there twice.

    but: paths of layers that stay.
    """
    for path, layer in list(net.named_modules()):
        made = None if path in but else packed_layer(path, layer)
        if made is not None:
            put(net, path, made)
    return net
