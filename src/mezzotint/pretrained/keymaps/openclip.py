"""OpenCLIP's text encoder: ``resblocks`` whose queries, keys and values lie in one tensor.

Cherti et al., 2023, Reproducible Scaling Laws for Contrastive Language-Image Learning; its layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mezzotint.pretrained.keymaps.layout import Fused, Layout
from mezzotint.pretrained.keymaps.names import Module

BLOCK = (
    ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("attn.out_proj", "self_attn.out_proj"),
    ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
)  # fmt: skip
SPLIT = ("q_proj", "k_proj", "v_proj")
LOOSE = {
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "text_projection": "text_projection.weight",
}
"""Tensors that are no module's.  The projection is the other way around: x @ P there, P^T x here."""


def layout(config: Mapping[str, Any]) -> Layout:
    """Of a text encoder of a configuration."""
    layers = int(config["num_hidden_layers"])
    blocks = (
        Module(f"transformer.resblocks.{i}", f"text_model.encoder.layers.{i}", BLOCK) for i in range(layers)
    )  # fmt: skip
    ends = (
        Module("token_embedding", "text_model.embeddings.token_embedding"),
        Module("ln_final", "text_model.final_layer_norm"),
    )
    fused = tuple(_fused(layers, int(config["hidden_size"])))
    return Layout((*ends, *blocks), fused, loose=LOOSE, transposed=frozenset({"text_projection"}))


def _fused(layers: int, width: int) -> Iterator[Fused]:
    for layer in range(layers):
        for kind in ("weight", "bias"):
            ours = tuple(f"text_model.encoder.layers.{layer}.self_attn.{name}.{kind}" for name in SPLIT)
            yield Fused(f"transformer.resblocks.{layer}.attn.in_proj_{kind}", ours, width)
