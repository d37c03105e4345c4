"""OpenCLIP's text encoder: ``resblocks`` whose queries, keys and values lie in one tensor.

Cherti et al., 2023, Reproducible Scaling Laws for Contrastive Language-Image Learning; its layout.
"""

from __future__ import annotations

from mezzotint.pretrained.keymaps.names import Module

BLOCK = (
    ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("attn.out_proj", "self_attn.out_proj"),
    ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
)  # fmt: skip
FUSED = ("in_proj_weight", "in_proj_bias")
SPLIT = ("q_proj", "k_proj", "v_proj")
LOOSE = {
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "text_projection": "text_projection.weight",
}
"""Tensors that are no module's.  The projection is the other way around: x @ P there, P^T x here."""


def modules_of(layers: int) -> tuple[Module, ...]:
    """Every module of a text encoder with so many blocks; fused tensors and loose ones are not among them."""
    blocks = (
        Module(f"transformer.resblocks.{i}", f"text_model.encoder.layers.{i}", BLOCK) for i in range(layers)
    )  # fmt: skip
    return (
        Module("token_embedding", "text_model.embeddings.token_embedding"),
        Module("ln_final", "text_model.final_layer_norm"),
        *blocks,
    )


def fused(layer: int, kind: str) -> tuple[str, tuple[str, str, str]]:
    """(their one name, our three) of a block's queries, keys and values; kind: weight or bias."""
    theirs = f"transformer.resblocks.{layer}.attn.in_proj_{kind}"
    q, k, v = (f"text_model.encoder.layers.{layer}.self_attn.{name}.{kind}" for name in SPLIT)
    return theirs, (q, k, v)
