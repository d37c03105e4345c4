"""What one evaluation costs, from the configuration alone: a multiply-add is 2; elementwise work is not counted."""

from __future__ import annotations

import math

from mezzotint.nets.config import DiTConfig, UNetConfig, UpsamplerConfig
from mezzotint.nets.embed import NOISE_WAVES, POSITION_WAVES
from mezzotint.nets.unet import Step, plan


def flops(config: DiTConfig | UNetConfig | UpsamplerConfig) -> int:
    """FLOPs of one evaluation of one row at the configured size, text included (text_kv would save its projections)."""
    if isinstance(config, UpsamplerConfig):
        return flops(config.inner)
    return 2 * (_dit(config) if isinstance(config, DiTConfig) else _unet(config))


def _dit(c: DiTConfig) -> int:
    d, n, text = c.width, c.tokens, c.text
    context = text.length if text is not None and text.mode == "in_context" else 0
    s = n + context
    block = s * (4 * d * d + 3 * d * c.hidden) + 2 * s * s * d
    if text is not None and text.mode == "cross":
        block += _cross(n, text.length + 1, d, d)
    edges = n * d * math.prod(c.windows) * (c.in_channels + c.out_channels)
    position = n * 2 * POSITION_WAVES * c.dims * d if c.position == "rope+absolute" else 0
    once = 2 * NOISE_WAVES * d + 9 * d * d + (text.length * text.dim * d if text is not None else 0)
    return c.depth * block + edges + position + once + (c.vector or 0) * d


def _cross(queries: int, keys: int, width: int, text: int) -> int:
    return 2 * queries * width * width + keys * 2 * text * width + 2 * queries * keys * width


def _unet(c: UNetConfig) -> int:
    wide, text = max(c.channels), c.text
    cells = c.fold**c.dims
    edges: int = math.prod(c.size) // cells * 3**c.dims * c.channels[0] * ((c.in_channels + c.out_channels) * cells + 1)
    labels = 0 if c.num_classes is None else (c.num_classes + 1) * wide
    tokens = text.length * text.dim * wide if text is not None else 0
    middle = 0 if c.middle is None else _dit(c.middle)
    labels += (c.vector or 0) * wide + middle
    return edges + labels + tokens + 2 * NOISE_WAVES * wide + sum(_step(c, step, wide) for step in plan(c))


def _step(c: UNetConfig, step: Step, wide: int) -> int:
    pixels = math.prod(n // c.fold // s**step.level for n, s in zip(c.size, c.strides, strict=True))
    middle, out = step.out if step.side == "encoder" else step.fan_in, step.out
    total: int = pixels * 3**c.dims * out * (middle + out) + wide * out
    total += pixels * step.fan_in * out if step.fan_in != out else 0
    if step.attention:
        total += pixels * 4 * out * out + 2 * pixels * pixels * out
        total += _cross(pixels, c.text.length + 1, out, wide) if c.text is not None else 0
    return total
