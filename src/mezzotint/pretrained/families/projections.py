"""IP-Adapter's files: the projection of a picture's embedding to tokens, and the keys and values of its attention.

Plain: one matrix makes n tokens of an embedding.  Plus: a resampler makes them of the states of all patches.
Ye et al., 2023, IP-Adapter: Text Compatible Image Prompt Adapter for Text-to-Image Diffusion Models, sec. 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from diffusers.models.embeddings import ImageProjection, IPAdapterPlusImageProjection
from torch import Tensor, nn

from mezzotint.errors import ModelError
from mezzotint.pretrained.folder import check_weights

Kind = Literal["plain", "plus"]

TOKENS, HEAD = 4, 64
"""Of the plain kind; and the width of a resampler's heads."""

_LAYER = {
    "0.norm1": "ln0", "0.norm2": "ln1", "0.to_q": "attn.to_q", "0.to_out": "attn.to_out.0", "1.0": "ff.0",
    "1.1": "ff.1.net.0.proj", "1.3": "ff.1.net.2",
}  # fmt: skip
_IN_LAYER = re.compile(r"(layers\.\d+)\.(\d\.\w+)\.(weight|bias)")


def parts_of(tensors: Mapping[str, Tensor], path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The projection's tensors and the attention's.  Raises ModelError for a file that is not of this layout."""
    made: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in tensors.items():
        head, _, rest = key.partition(".")
        if head not in made:
            raise ModelError(f"{path} is no IP-Adapter: {key!r} is not image_proj.… or ip_adapter.…")
        made[head][rest] = value
    if not made["image_proj"] or not made["ip_adapter"]:
        raise ModelError(f"{path} is no IP-Adapter (no image_proj.… or no ip_adapter.…); expected a file of both")
    return made["image_proj"], made["ip_adapter"]


def kind_of(tensors: Mapping[str, Tensor], path: Path) -> Kind:
    """Raises ModelError for the kinds that are told faces, or all of a picture's patches."""
    if "proj.weight" in tensors and tensors["proj.weight"].ndim == 2:
        return "plain"
    if "latents" in tensors and tensors["latents"].ndim == 3:
        return "plus"
    raise ModelError(f"{path} is an IP-Adapter of another kind (a face's, say); expected a plain or a plus one")


def renamed(tensors: Mapping[str, Tensor], kind: Kind) -> dict[str, Tensor]:
    """The tensors under diffusers' names; keys and values, which files hold in one matrix, apart."""
    if kind == "plain":
        return {re.sub(r"^proj\.", "image_embeds.", key): value for key, value in tensors.items()}
    made: dict[str, Tensor] = {}
    for key, value in tensors.items():
        match = _IN_LAYER.fullmatch(key)
        if match is not None and match[2] == "0.to_kv":
            made[f"{match[1]}.attn.to_k.weight"], made[f"{match[1]}.attn.to_v.weight"] = value.chunk(2)
        elif match is not None and match[2] in _LAYER:
            made[f"{match[1]}.{_LAYER[match[2]]}.{match[3]}"] = value
        else:
            made[key] = value
    return made


def projection(tensors: Mapping[str, Tensor], kind: Kind, path: Path) -> nn.Module:
    """The network, float32, without gradients.  Raises ModelError naming the tensor that has no place or is
    missing."""
    made, named = _empty(tensors, kind, path), renamed(tensors, kind)
    check_weights(made, named, path)
    made.load_state_dict({key: value.float() for key, value in named.items()}, assign=True)
    return made.eval().requires_grad_(False)


def _empty(tensors: Mapping[str, Tensor], kind: Kind, path: Path) -> nn.Module:
    """Of the sizes that the tensors have; without memory for its weights."""
    with torch.device("meta"):
        if kind == "plain":
            height, width = tensors["proj.weight"].shape
            return ImageProjection(width, max(1, height // TOKENS), TOKENS)
        try:
            out, hidden = tensors["proj_out.weight"].shape
            layers = {key.split(".")[1] for key in tensors if key.startswith("layers.")}
            return IPAdapterPlusImageProjection(
                embed_dims=tensors["proj_in.weight"].shape[1], output_dims=out, hidden_dims=hidden, depth=len(layers),
                dim_head=HEAD, heads=max(1, len(tensors["layers.0.0.to_q.weight"]) // HEAD),
                num_queries=tensors["latents"].shape[1],
                ffn_ratio=len(tensors["layers.0.1.1.weight"]) / hidden,
            )  # fmt: skip
        except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
            raise ModelError(f"{path}: its resampler is not whole ({error}); fetch it again") from error
