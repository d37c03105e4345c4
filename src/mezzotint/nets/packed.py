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
"""Instruction sets on which it was measured in float32."""


def packs(device: str, dtype: torch.dtype) -> bool:
    """Whether there is something to gain: in float32 on such a processor, in bfloat16 on one that multiplies in it."""
    if device == "cpu" and dtype == torch.float32:
        return torch.backends.cpu.get_cpu_capability() in PROCESSORS
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

BORDERED: Said = ([1, 1], [1, 1], [1, 1], 1)
"""Of 3 x 3 with a border of zeros: as large as what it is made of."""


PICTURE = 8
"""Pixels a side for which a kernel is laid out.  The library is told a size: without one it may choose a layout that it
turns at every call, at up to sixty times the convolution's own time; with one of this size it does not for others."""


def packed_kernel(weight: Tensor, *said: Any) -> Tensor:
    """(C', C / groups, h, w) as the library wants it.   said: see ``Said``."""
    (_, _, dilation, groups), extent = said, weight.shape[2:]
    sides = [max(PICTURE, apart * (k - 1) + 1) for apart, k in zip(dilation, extent, strict=True)]
    size = [1, weight.shape[1] * groups, *sides]
    made: Tensor = torch._C._nn.mkldnn_reorder_conv2d_weight(
        weight.detach().to_mkldnn(),
        *said,
        size,  # type: ignore[call-arg]  # its stub has no size
    )
    return made


def packed_convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, *said: Any) -> Tensor:
    """(B, C, H, W) -> (B, C', H', W') by such a kernel, without gradients."""
    made: Tensor = torch.ops.mkldnn._convolution_pointwise(x, kernel, bias, *said, "none", [], "")
    return made


class PackedConv(nn.Module):
    """A convolution's answer, (B, C, H, W) -> (B, C', H', W'); the layer may be dropped.  As ``PackedLinear``."""

    bias: Tensor | None

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.said: Said = (list(layer.padding), list(layer.stride), list(layer.dilation), layer.groups)
        self.packed = packed_kernel(layer.weight, *self.said)
        self.register_buffer("bias", layer.bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        padding, stride, dilation, groups = self.said
        if torch.is_grad_enabled():
            return F.conv2d(x, self.packed.to_dense(), self.bias, stride, padding, dilation, groups)
        return packed_convolution(x, self.packed, self.bias, *self.said)


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
        return PackedConv(layer) if _turned(layer.weight) else None
    return None


def _turned(kernel: Tensor) -> bool:
    """Whether a plain one costs time: in float32 one of a single pixel does not."""
    return kernel.dtype != torch.float32 or kernel[0, 0].numel() > 1


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
