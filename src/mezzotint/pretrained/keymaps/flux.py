"""FLUX.1's transformer in Black Forest Labs' layout: ``double_blocks`` and ``single_blocks`` whose queries, keys and
values lie in one tensor, in the single ones with the first layer of the feed-forward part behind them.

Black Forest Labs, 2024, FLUX.1; their layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.pretrained.keymaps.layout import Fused, Layout, both, fused
from mezzotint.pretrained.keymaps.names import Module

EMBEDDER = (("in_layer", "linear_1"), ("out_layer", "linear_2"))
ENDS = (
    Module("time_in", "time_text_embed.timestep_embedder", EMBEDDER),
    Module("vector_in", "time_text_embed.text_embedder", EMBEDDER),
    Module("guidance_in", "time_text_embed.guidance_embedder", EMBEDDER),
    Module("txt_in", "context_embedder"),
    Module("img_in", "x_embedder"),
    Module("final_layer.linear", "proj_out"),
    Module("final_layer.adaLN_modulation.1", "norm_out.linear"),
)
DOUBLE = (
    ("img_mod.lin", "norm1.linear"), ("txt_mod.lin", "norm1_context.linear"),
    ("img_attn.norm.query_norm.scale", "attn.norm_q.weight"), ("img_attn.norm.key_norm.scale", "attn.norm_k.weight"),
    ("txt_attn.norm.query_norm.scale", "attn.norm_added_q.weight"),
    ("txt_attn.norm.key_norm.scale", "attn.norm_added_k.weight"),
    ("img_attn.proj", "attn.to_out.0"), ("txt_attn.proj", "attn.to_add_out"),
    ("img_mlp.0", "ff.net.0.proj"), ("img_mlp.2", "ff.net.2"),
    ("txt_mlp.0", "ff_context.net.0.proj"), ("txt_mlp.2", "ff_context.net.2"),
)  # fmt: skip
SINGLE = (
    ("modulation.lin", "norm.linear"), ("linear2", "proj_out"),
    ("norm.query_norm.scale", "attn.norm_q.weight"), ("norm.key_norm.scale", "attn.norm_k.weight"),
)  # fmt: skip


def layout(config: Mapping[str, Any]) -> Layout:
    """Of a ``FluxTransformer2DModel`` of a configuration."""
    doubles = (
        Module(f"double_blocks.{i}", f"transformer_blocks.{i}", DOUBLE) for i in range(config["num_layers"])
    )  # fmt: skip
    singles = (
        Module(f"single_blocks.{i}", f"single_transformer_blocks.{i}", SINGLE)
        for i in range(config["num_single_layers"])
    )
    return Layout((*ENDS, *doubles, *singles), tuple(_fused(config)), swapped=both("final_layer.adaLN_modulation.1"))


def _fused(config: Mapping[str, Any]) -> Iterator[Fused]:
    width = config["num_attention_heads"] * config["attention_head_dim"]
    for i in range(config["num_layers"]):
        theirs, ours = f"double_blocks.{i}", f"transformer_blocks.{i}.attn"
        yield from fused(f"{theirs}.img_attn.qkv", ours, ("to_q", "to_k", "to_v"), width)
        yield from fused(f"{theirs}.txt_attn.qkv", ours, ("add_q_proj", "add_k_proj", "add_v_proj"), width)
    for i in range(config["num_single_layers"]):
        ours = f"single_transformer_blocks.{i}"
        names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
        yield from fused(f"single_blocks.{i}.linear1", ours, names, width)
