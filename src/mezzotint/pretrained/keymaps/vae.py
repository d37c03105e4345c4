"""The autoencoder of the original layout: ``encoder.down``, ``decoder.up`` counted from the end, ``mid``.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models; their autoencoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.pretrained.keymaps.layout import Layout
from mezzotint.pretrained.keymaps.names import Module

RESNET = (("nin_shortcut", "conv_shortcut"),)
ATTENTION = (("norm", "group_norm"), ("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0"))
ONE_BY_ONE = ("q", "k", "v", "proj_out")
"""Attention's convolutions of one pixel, which diffusers has as linear layers."""


def layout(config: Mapping[str, Any]) -> Layout:
    """Of an ``AutoencoderKL`` of a configuration."""
    one_by_one = (f"{side}.mid.attn_1.{name}.weight" for side in ("encoder", "decoder") for name in ONE_BY_ONE)
    return Layout(modules_of(config), one_by_one=frozenset(one_by_one))


def modules_of(config: Mapping[str, Any]) -> tuple[Module, ...]:
    """Every module of an ``AutoencoderKL`` of a configuration."""
    levels, layers = len(config["block_out_channels"]), config["layers_per_block"]
    ends = (Module("quant_conv", "quant_conv"), Module("post_quant_conv", "post_quant_conv"))
    down = _side("encoder", "down", "down_blocks", "downsample", "downsamplers.0", range(levels), layers)
    up = _side("decoder", "up", "up_blocks", "upsample", "upsamplers.0", range(levels - 1, -1, -1), layers + 1)
    return (*ends, *down, *up)


def _side(
    side: str, theirs: str, ours: str, resample: str, resamplers: str, order: range, layers: int
) -> Iterator[Module]:
    yield Module(f"{side}.conv_in", f"{side}.conv_in")
    yield Module(f"{side}.conv_out", f"{side}.conv_out")
    yield Module(f"{side}.norm_out", f"{side}.conv_norm_out")
    yield Module(f"{side}.mid.block_1", f"{side}.mid_block.resnets.0", RESNET)
    yield Module(f"{side}.mid.attn_1", f"{side}.mid_block.attentions.0", ATTENTION)
    yield Module(f"{side}.mid.block_2", f"{side}.mid_block.resnets.1", RESNET)
    for i, k in enumerate(order):
        for j in range(layers):
            yield Module(f"{side}.{theirs}.{k}.block.{j}", f"{side}.{ours}.{i}.resnets.{j}", RESNET)
        yield Module(f"{side}.{theirs}.{k}.{resample}.conv", f"{side}.{ours}.{i}.{resamplers}.conv")
