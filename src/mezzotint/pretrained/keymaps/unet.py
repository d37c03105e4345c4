"""The U-Net of the original layout: ``input_blocks``, ``middle_block`` and ``output_blocks`` in one row each.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models; their openaimodel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.pretrained.keymaps.layout import Layout
from mezzotint.pretrained.keymaps.names import Module

RESNET = (
    ("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("emb_layers.1", "time_emb_proj"), ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"), ("skip_connection", "conv_shortcut"),
)  # fmt: skip
EMBEDDING = (("0", "linear_1"), ("2", "linear_2"))
ATTENDS = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D")


def layout(config: Mapping[str, Any]) -> Layout:
    """Of a ``UNet2DConditionModel`` of a configuration."""
    return Layout(modules_of(config))


def modules_of(config: Mapping[str, Any]) -> tuple[Module, ...]:
    """Every module of a ``UNet2DConditionModel`` of a configuration."""
    ends = (
        Module("time_embed", "time_embedding", EMBEDDING),
        Module("label_emb.0", "add_embedding", EMBEDDING),
        Module("input_blocks.0.0", "conv_in"),
        Module("out.0", "conv_norm_out"),
        Module("out.2", "conv_out"),
        Module("middle_block.0", "mid_block.resnets.0", RESNET),
        Module("middle_block.1", "mid_block.attentions.0"),
        Module("middle_block.2", "mid_block.resnets.1", RESNET),
    )
    return (*ends, *_down(config), *_up(config))


def _down(config: Mapping[str, Any]) -> Iterator[Module]:
    at, levels, layers = 1, config["down_block_types"], config["layers_per_block"]
    for i, kind in enumerate(levels):
        for j in range(layers):
            yield Module(f"input_blocks.{at}.0", f"down_blocks.{i}.resnets.{j}", RESNET)
            if kind in ATTENDS:
                yield Module(f"input_blocks.{at}.1", f"down_blocks.{i}.attentions.{j}")
            at += 1
        if i < len(levels) - 1:
            yield Module(f"input_blocks.{at}.0.op", f"down_blocks.{i}.downsamplers.0.conv")
            at += 1


def _up(config: Mapping[str, Any]) -> Iterator[Module]:
    at, levels, layers = 0, config["up_block_types"], config["layers_per_block"] + 1
    for i, kind in enumerate(levels):
        attends = kind in ATTENDS
        for j in range(layers):
            yield Module(f"output_blocks.{at}.0", f"up_blocks.{i}.resnets.{j}", RESNET)
            if attends:
                yield Module(f"output_blocks.{at}.1", f"up_blocks.{i}.attentions.{j}")
            if j == layers - 1 and i < len(levels) - 1:
                yield Module(f"output_blocks.{at}.{1 + attends}.conv", f"up_blocks.{i}.upsamplers.0.conv")
            at += 1
