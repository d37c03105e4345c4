"""EfficientNet-Lite0 as a pure function of folded weights: the feature network of the Fréchet distance.

Tan & Le, 2019, EfficientNet, table 1, in its Lite variant: no squeeze-and-excitation, ReLU6 for swish, stem and head
unscaled.  Batch normalisation is folded into the convolutions, so every layer is one convolution with a bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Weights = Mapping[str, Tensor]
"""``<layer>.weight`` (out, in/groups, k, k) and ``<layer>.bias`` (out,) for each of ``layers()``."""

DIM = 1280


@dataclass(frozen=True)
class Block:
    """An inverted residual: expand 1x1, depthwise k x k with a stride, project 1x1.

    Sandler et al., 2018, MobileNetV2, table 1.
    """

    kernel: int
    stride: int
    expand: int
    inp: int
    out: int


STAGES = (  # (repeats, kernel, stride of the first, expansion, input channels, output channels)
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


def blocks() -> tuple[Block, ...]:
    """The sixteen blocks in order."""
    return tuple(
        Block(kernel, stride if i == 0 else 1, expand, inp if i == 0 else out, out)
        for repeats, kernel, stride, expand, inp, out in STAGES
        for i in range(repeats)
    )


BLOCKS = blocks()


def layers() -> Iterator[str]:
    """The names of the convolutions, in the order in which they run."""
    yield "stem"
    for i, block in enumerate(BLOCKS):
        if block.expand > 1:
            yield f"blocks.{i}.expand"
        yield f"blocks.{i}.depthwise"
        yield f"blocks.{i}.project"
    yield "head"


def conv(weights: Weights, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    """A convolution whose output is ceil(size / stride): TensorFlow's SAME padding, the odd pixel after the picture."""
    weight = weights[f"{name}.weight"]
    kernel = weight.shape[-1]
    if stride == 1:
        return functional.conv2d(x, weight, weights[f"{name}.bias"], 1, kernel // 2, 1, groups)
    h, w = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
    x = functional.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2))
    return functional.conv2d(x, weight, weights[f"{name}.bias"], stride, 0, 1, groups)


def inverted_residual(weights: Weights, name: str, block: Block, x: Tensor) -> Tensor:
    """One block; (B, inp, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
    y = x if block.expand == 1 else functional.relu6(conv(weights, f"{name}.expand", x))
    y = functional.relu6(conv(weights, f"{name}.depthwise", y, block.stride, y.shape[1]))
    y = conv(weights, f"{name}.project", y)
    return y + x if block.stride == 1 and block.inp == block.out else y


def pooled(weights: Weights, x: Tensor) -> Tensor:
    """The globally averaged last feature map.  Args: x: (B, 3, H, W), normalised.   Returns: (B, 1280)."""
    y = functional.relu6(conv(weights, "stem", x.contiguous(memory_format=torch.channels_last), 2))
    for i, block in enumerate(BLOCKS):
        y = inverted_residual(weights, f"blocks.{i}", block, y)
    return functional.relu6(conv(weights, "head", y)).mean((2, 3))
