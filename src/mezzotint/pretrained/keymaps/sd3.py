"""Stable Diffusion 3's transformer in Stability's layout: ``joint_blocks`` with a side for the picture (x) and one for
the text (context), queries, keys and values in one tensor.

Esser et al., 2024, Scaling Rectified Flow Transformers for High-Resolution Image Synthesis; their layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.pretrained.keymaps.layout import Fused, Layout, both, fused
from mezzotint.pretrained.keymaps.names import Module

EMBEDDER = (("mlp.0", "linear_1"), ("mlp.2", "linear_2"))
ENDS = (
    Module("x_embedder", "pos_embed"),
    Module("t_embedder", "time_text_embed.timestep_embedder", EMBEDDER),
    Module("y_embedder", "time_text_embed.text_embedder", EMBEDDER),
    Module("context_embedder", "context_embedder"),
    Module("final_layer.linear", "proj_out"),
    Module("final_layer.adaLN_modulation.1", "norm_out.linear"),
)
BLOCK = (
    ("x_block.adaLN_modulation.1", "norm1.linear"), ("context_block.adaLN_modulation.1", "norm1_context.linear"),
    ("x_block.attn.proj", "attn.to_out.0"), ("context_block.attn.proj", "attn.to_add_out"),
    ("x_block.attn2.proj", "attn2.to_out.0"),
    ("x_block.attn.ln_q", "attn.norm_q"), ("x_block.attn.ln_k", "attn.norm_k"),
    ("context_block.attn.ln_q", "attn.norm_added_q"), ("context_block.attn.ln_k", "attn.norm_added_k"),
    ("x_block.attn2.ln_q", "attn2.norm_q"), ("x_block.attn2.ln_k", "attn2.norm_k"),
    ("x_block.mlp.fc1", "ff.net.0.proj"), ("x_block.mlp.fc2", "ff.net.2"),
    ("context_block.mlp.fc1", "ff_context.net.0.proj"), ("context_block.mlp.fc2", "ff_context.net.2"),
)  # fmt: skip


def layout(config: Mapping[str, Any]) -> Layout:
    """Of a ``SD3Transformer2DModel`` of a configuration."""
    last = config["num_layers"] - 1
    blocks = (Module(f"joint_blocks.{i}", f"transformer_blocks.{i}", BLOCK) for i in range(last + 1))
    swapped = both("final_layer.adaLN_modulation.1", f"joint_blocks.{last}.context_block.adaLN_modulation.1")
    return Layout((*ENDS, *blocks), tuple(_fused(config)), loose={"pos_embed": "pos_embed.pos_embed"}, swapped=swapped)


def _fused(config: Mapping[str, Any]) -> Iterator[Fused]:
    width = config["num_attention_heads"] * config["attention_head_dim"]
    for i in range(config["num_layers"]):
        theirs, ours = f"joint_blocks.{i}", f"transformer_blocks.{i}"
        yield from fused(f"{theirs}.x_block.attn.qkv", f"{ours}.attn", ("to_q", "to_k", "to_v"), width)
        added = ("add_q_proj", "add_k_proj", "add_v_proj")
        yield from fused(f"{theirs}.context_block.attn.qkv", f"{ours}.attn", added, width)
        if i in config["dual_attention_layers"]:
            yield from fused(f"{theirs}.x_block.attn2.qkv", f"{ours}.attn2", ("to_q", "to_k", "to_v"), width)
