"""Configurations of networks, read off the shapes of their tensors in the original layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mezzotint.errors import ModelError

Shapes = Mapping[str, tuple[int, ...]]
HEAD = 64
"""Channels of a head, of the models that count heads by it."""

GROUPS = 32


def count(shapes: Shapes, pattern: str) -> int:
    """One more than the largest number that a pattern's group has in any name; 0 where it matches none."""
    found = (re.match(pattern, name) for name in shapes)
    many = max((int(m[1]) + 1 for m in found if m), default=0)
    if many > len(shapes):  # a name can say any number
        raise ModelError(f"a tensor says that it is number {many - 1} of its kind, and there are {len(shapes)} in all")
    return many


def size(shapes: Shapes, name: str, axis: int) -> int:
    """Of a tensor along an axis.  Raises ModelError where there is none, or nothing in it."""
    shape = shapes.get(name, ())
    if not axis < len(shape) or 0 in shape:
        raise ModelError(f"the file has no tensor {name!r} of that many axes; fetch the checkpoint again")
    return shape[axis]


def unet_config(shapes: Shapes, heads: int, *, added: bool) -> dict[str, Any]:
    """Of a ``UNet2DConditionModel``.

    heads: of every attention; 0 is one for every 64 channels.  added: whether it is told sizes beside the text (XL).
    """
    layers, depths, widths = _levels(shapes)
    crosses = [depth > 0 for depth in depths]
    down = ["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in crosses]
    up = ["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in reversed(crosses)]
    middle = count(shapes, r"middle_block\.1\.transformer_blocks\.(\d+)\.")
    key = next((k for k in shapes if k.endswith("attn2.to_k.weight")), "attn2.to_k.weight")
    linear = len(shapes.get(key.partition("transformer_blocks")[0] + "proj_in.weight", ())) == 2
    said: dict[str, Any] = {
        "in_channels": size(shapes, "input_blocks.0.0.weight", 1),
        "out_channels": size(shapes, "out.2.weight", 0),
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": down,
        "up_block_types": up,
        "cross_attention_dim": size(shapes, key, 1),
        "attention_head_dim": heads or [width // HEAD for width in widths],
        "transformer_layers_per_block": [max(1, d) for d in depths[:-1]] + [max(1, depths[-1], middle)],
        "use_linear_projection": linear,
        "norm_num_groups": GROUPS,
        "sample_size": 128 if added else 96 if linear else 64,
    }
    if added:
        embedded = size(shapes, "label_emb.0.0.weight", 1)
        said |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": embedded,
        }
    return said


def _levels(shapes: Shapes) -> tuple[int, list[int], list[int]]:
    """(residual blocks of each level, transformer depth of each or 0, channels of each)."""
    blocks = count(shapes, r"input_blocks\.(\d+)\.")
    downs = [k for k in range(blocks) if f"input_blocks.{k}.0.op.weight" in shapes]
    levels = len(downs) + 1
    if (blocks - 1 - len(downs)) % levels:
        raise ModelError(f"the U-Net has {blocks} blocks in {levels} levels; expected as many in each")
    layers = (blocks - 1 - len(downs)) // levels
    first = [1 + i * (layers + 1) for i in range(levels)]
    depths = [count(shapes, rf"input_blocks\.{k}\.1\.transformer_blocks\.(\d+)\.") for k in first]
    widths = [size(shapes, f"input_blocks.{k}.0.out_layers.3.weight", 0) for k in first]
    return layers, depths, widths


def vae_config(shapes: Shapes, scaling: float, side: int, shift: float | None = None) -> dict[str, Any]:
    """Of an ``AutoencoderKL``.  scaling, shift: of its latent.  side: of the pictures it was trained on."""
    levels, layers = count(shapes, r"encoder\.down\.(\d+)\."), count(shapes, r"encoder\.down\.0\.block\.(\d+)\.")
    widths = [size(shapes, f"encoder.down.{i}.block.0.conv1.weight", 0) for i in range(levels)]
    return {
        "in_channels": 3,
        "out_channels": 3,
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": layers,
        "latent_channels": size(shapes, "decoder.conv_in.weight", 1),
        "norm_num_groups": GROUPS,
        "scaling_factor": scaling,
        "shift_factor": shift,
        "sample_size": side,
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
    }


def clip_config(shapes: Shapes) -> dict[str, Any]:
    """Of CLIP's own text encoder, by transformers' names."""
    tokens, places = (f"text_model.embeddings.{kind}_embedding.weight" for kind in ("token", "position"))
    layers = count(shapes, r"text_model\.encoder\.layers\.(\d+)\.")
    inner = size(shapes, "text_model.encoder.layers.0.mlp.fc1.weight", 0)
    return {**_text(shapes, tokens, places, layers, inner), "hidden_act": "quick_gelu"}


def openclip_config(shapes: Shapes, cut: int) -> dict[str, Any]:
    """Of OpenCLIP's text encoder.  cut: how many of its last blocks are left out."""
    layers = count(shapes, r"transformer\.resblocks\.(\d+)\.") - cut
    inner = size(shapes, "transformer.resblocks.0.mlp.c_fc.weight", 0)
    projection = {} if cut else {"projection_dim": size(shapes, "text_projection", 1)}
    said = _text(shapes, "token_embedding.weight", "positional_embedding", layers, inner)
    return {**said, "hidden_act": "gelu", **projection}


def _text(shapes: Shapes, tokens: str, places: str, layers: int, inner: int) -> dict[str, Any]:
    """tokens, places: the names of both embeddings."""
    width = size(shapes, tokens, 1)
    if layers < 1 or width % HEAD:
        raise ModelError(f"the text encoder has {layers} blocks of width {width}; fetch the checkpoint again")
    return {
        "vocab_size": size(shapes, tokens, 0),
        "max_position_embeddings": size(shapes, places, 0),
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": width // HEAD,
        "bos_token_id": 49406,
        "eos_token_id": 49407,
        "pad_token_id": 1,
    }
