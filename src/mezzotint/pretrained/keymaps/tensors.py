"""Weights of the original layout as diffusers' and back: strict, nothing lost, nothing made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.keymaps import openclip, unet, vae
from mezzotint.pretrained.keymaps.names import Module, both_ways, renamed

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]
KINDS = ("unet", "vae", "openclip", "plain")
"""What a part of a file is: by whose names it goes.  plain: by those of transformers."""


def _modules(kind: str, config: Mapping[str, Any]) -> Sequence[Module]:
    if kind == "unet":
        return unet.modules_of(config)
    return vae.modules_of(config) if kind == "vae" else openclip.modules_of(int(config["num_hidden_layers"]))


def forward(kind: str, config: Mapping[str, Any], weights: Weights) -> dict[str, Tensor]:
    """The original layout's tensors under diffusers' names.  Raises ModelError naming one that has no place."""
    if kind == "plain":
        return dict(weights)
    rest, made = dict(weights), dict[str, "Tensor"]()
    if kind == "openclip":
        made = _split(rest, int(config["num_hidden_layers"]))
    by_theirs, _ = both_ways(_modules(kind, config))
    for key, value in rest.items():
        made[_known(key, renamed(key, by_theirs))] = value[..., 0, 0] if _is_one_by_one(kind, key) else value
    return made


def backward(kind: str, config: Mapping[str, Any], weights: Weights) -> dict[str, Tensor]:
    """``forward`` undone: ``backward(forward(w)) = w``.  Raises ModelError naming one that has no place."""
    if kind == "plain":
        return dict(weights)
    rest, made = dict(weights), dict[str, "Tensor"]()
    if kind == "openclip":
        made = _joined(rest, int(config["num_hidden_layers"]))
    _, by_ours = both_ways(_modules(kind, config))
    for key, value in rest.items():
        theirs = _known(key, renamed(key, by_ours, back=True))
        made[theirs] = value[..., None, None] if _is_one_by_one(kind, theirs) and value.ndim == 2 else value
    return made


def _known(key: str, name: str | None) -> str:
    if name is None:
        raise ModelError(f"the tensor {key!r} has no place in this kind of model; the file is of another")
    return name


def _is_one_by_one(kind: str, theirs: str) -> bool:
    return kind == "vae" and ".attn_1." in theirs and theirs.split(".")[-2] in vae.ONE_BY_ONE and "weight" in theirs


def _split(rest: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Takes fused and loose tensors out of ``rest``."""
    made: dict[str, Tensor] = {}
    for layer in range(layers):
        for kind in ("weight", "bias"):
            theirs, ours = openclip.fused(layer, kind)
            if theirs in rest:
                made.update(zip(ours, rest.pop(theirs).chunk(3), strict=True))
    for theirs, name in openclip.LOOSE.items():
        if theirs in rest:
            made[name] = rest.pop(theirs).T if theirs == "text_projection" else rest.pop(theirs)
    return made


def _joined(rest: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    import torch

    made: dict[str, Tensor] = {}
    for layer in range(layers):
        for kind in ("weight", "bias"):
            theirs, ours = openclip.fused(layer, kind)
            if ours[0] in rest:
                made[theirs] = torch.cat([rest.pop(name) for name in ours])
    for theirs, name in openclip.LOOSE.items():
        if name in rest:
            made[theirs] = rest.pop(name).T if theirs == "text_projection" else rest.pop(name)
    return made
