"""Configurations of flow transformers and of T5's encoder, read off the shapes of their tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.keymaps.configs import HEAD, Shapes, count, size

ROPE = {128: (16, 56, 56)}
"""Width of a head -> how FLUX divides it between the three axes of a position, which no shape says."""

T5_HEAD = 64
SIDE = 128
"""Of the latent of a 1024 px picture."""


def flux_config(shapes: Shapes) -> dict[str, Any]:
    """Of a ``FluxTransformer2DModel``.  Raises ModelError where the sizes are none of FLUX'."""
    head = size(shapes, "double_blocks.0.img_attn.norm.query_norm.scale", 0)
    width, taken = size(shapes, "img_in.weight", 0), size(shapes, "img_in.weight", 1)
    if head not in ROPE:
        raise ModelError(f"FLUX has heads of {min(ROPE)} channels, this file's have {head}; it is of another kind")
    return {
        "patch_size": 1,
        "in_channels": taken,
        "out_channels": size(shapes, "final_layer.linear.weight", 0),
        "num_layers": count(shapes, r"double_blocks\.(\d+)\."),
        "num_single_layers": count(shapes, r"single_blocks\.(\d+)\."),
        "attention_head_dim": head,
        "num_attention_heads": divided(width, head),
        "joint_attention_dim": size(shapes, "txt_in.weight", 1),
        "pooled_projection_dim": size(shapes, "vector_in.in_layer.weight", 1),
        "guidance_embeds": any(name.startswith("guidance_in.") for name in shapes),
        "axes_dims_rope": ROPE[head],
    }


def sd3_config(shapes: Shapes) -> dict[str, Any]:
    """Of a ``SD3Transformer2DModel``.  Raises ModelError where the sizes do not go together."""
    patch, width = size(shapes, "x_embedder.proj.weight", 3), size(shapes, "x_embedder.proj.weight", 0)
    layers, places = count(shapes, r"joint_blocks\.(\d+)\."), size(shapes, "pos_embed", 1)
    normed = "joint_blocks.0.x_block.attn.ln_q.weight" in shapes
    if size(shapes, "pos_embed", 2) != width:
        raise ModelError(f"pos_embed is {shapes['pos_embed']}; expected {width} channels; fetch the file again")
    return {
        "sample_size": SIDE,
        "patch_size": patch,
        "in_channels": size(shapes, "x_embedder.proj.weight", 1),
        "out_channels": divided(size(shapes, "final_layer.linear.weight", 0), patch**2),
        "num_layers": layers,
        "attention_head_dim": HEAD,
        "num_attention_heads": divided(width, HEAD),
        "joint_attention_dim": size(shapes, "context_embedder.weight", 1),
        "caption_projection_dim": size(shapes, "context_embedder.weight", 0),
        "pooled_projection_dim": size(shapes, "y_embedder.mlp.0.weight", 1),
        "pos_embed_max_size": math.isqrt(places),
        "dual_attention_layers": [i for i in range(layers) if f"joint_blocks.{i}.x_block.attn2.qkv.weight" in shapes],
        "qk_norm": "rms_norm" if normed else None,
    }


def t5_config(shapes: Shapes) -> dict[str, Any]:
    """Of a ``T5EncoderModel``, version 1.1 or the first, by transformers' names."""
    bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    dense = "encoder.block.0.layer.1.DenseReluDense"
    gated = f"{dense}.wi_0.weight" in shapes
    words = next((name for name in ("shared.weight", "encoder.embed_tokens.weight") if name in shapes), "shared.weight")
    return {
        "vocab_size": size(shapes, words, 0),
        "d_model": size(shapes, words, 1),
        "d_kv": T5_HEAD,
        "d_ff": size(shapes, f"{dense}.wi_0.weight" if gated else f"{dense}.wi.weight", 0),
        "num_layers": count(shapes, r"encoder\.block\.(\d+)\."),
        "num_heads": size(shapes, bias, 1),
        "relative_attention_num_buckets": size(shapes, bias, 0),
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "tie_word_embeddings": False,
    }


def divided(whole: int, part: int) -> int:
    """Raises ModelError where nothing or a rest is left."""
    if part < 1 or whole < part or whole % part:
        raise ModelError(f"the transformer's sizes {whole} and {part} do not go together; fetch the file again")
    return whole // part


def widths(config: Mapping[str, Any]) -> tuple[int, int]:
    """(of the pooled state, of the text's) that a flow transformer is told."""
    return int(config["pooled_projection_dim"]), int(config["joint_attention_dim"])
