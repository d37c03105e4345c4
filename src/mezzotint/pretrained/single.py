"""One weights file and the parts that lie in it under prefixes, from its header alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.errors import ModelError
from mezzotint.pretrained.clip_tokenizer import tokenizer_folder
from mezzotint.pretrained.components import Component, Inside
from mezzotint.pretrained.keymaps.configs import Shapes, clip_config, openclip_config, vae_config
from mezzotint.pretrained.keymaps.flow_configs import t5_config
from mezzotint.pretrained.weights_file import header_of
from mezzotint.tensorfile import Header

if TYPE_CHECKING:
    from torch import Tensor

UNREAD = ("position_ids", "logit_scale")
"""Ends of names that are no weights of a denoiser's."""


@dataclass(frozen=True)
class Single:
    """A file and its checked header."""

    path: Path
    header: Header

    @cached_property
    def shapes(self) -> Shapes:
        return {name: entry.shape for name, entry in self.header.entries.items()}

    def has(self, prefix: str) -> bool:
        """Whether any tensor's name begins so."""
        return any(name.startswith(prefix) for name in self.shapes)

    def under(self, prefix: str) -> Shapes:
        """The tensors below a prefix, by the rest of their names."""
        return {name.removeprefix(prefix): s for name, s in self.shapes.items() if name.startswith(prefix)}

    def part(
        self, name: str, library: str, class_name: str, kind: str, prefix: str, config: Mapping[str, Any]
    ) -> Component:
        """What lies below a prefix.  kind: of ``keymaps.tensors``."""
        return Component(name, library, class_name, self.path, Inside(kind, prefix, json.dumps(config, sort_keys=True)))

    def clip(self, name: str, prefix: str) -> Component:
        """OpenAI's text encoder, whose pooled state is not projected."""
        return self.part(name, "transformers", "CLIPTextModel", "plain", prefix, clip_config(self.under(prefix)))

    def projected(self, name: str, prefix: str, act: str, kind: str = "plain") -> Component:
        """A text encoder of either by transformers' names, and what projects its pooled state.  act: its activation."""
        shapes = self.under(prefix)
        config = clip_config(shapes)
        width = shapes.get("text_projection.weight", (config["hidden_size"],))[0] if kind == "plain" else None
        said = {**config, "hidden_act": act, "projection_dim": width or config["hidden_size"]}
        return self.part(name, "transformers", "CLIPTextModelWithProjection", kind, prefix, said)

    def openclip(self, name: str, prefix: str, cut: int) -> Component:
        """OpenCLIP's text encoder by its own names.  cut: how many of its last blocks are left out."""
        config = openclip_config(self.under(prefix), cut)
        class_name = "CLIPTextModel" if cut else "CLIPTextModelWithProjection"
        return self.part(name, "transformers", class_name, "openclip", prefix, config)

    def t5(self, name: str, prefix: str) -> Component:
        return self.part(name, "transformers", "T5EncoderModel", "plain", prefix, t5_config(self.under(prefix)))

    def vae(self, prefix: str, scaling: float, side: int, shift: float | None = None) -> Component:
        """The autoencoder.  scaling, shift: of its latent.  side: of the pictures it was trained on."""
        config = vae_config(self.under(prefix), scaling, side, shift)
        return self.part("vae", "diffusers", "AutoencoderKL", "vae", prefix, config)

    def said(self, name: str, class_name: str, config: Mapping[str, Any]) -> Component:
        """A part of diffusers' that is a configuration alone."""
        return self.part(name, "diffusers", class_name, "plain", "\0", config)


def single(path: Path) -> Single:
    """Raises: InputError (unreadable), ModelError (a pickle, a lying header)."""
    return Single(path, header_of(path))


def clip_tokenizer(name: str, pad: str) -> Component:
    """pad: "end" as OpenAI's encoder has it, "!" as OpenCLIP's.  Raises StorageError."""
    return Component(name, "transformers", "CLIPTokenizer", tokenizer_folder(pad))


def tensors_of(part: Component, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A part's weights under diffusers' names.  Raises ModelError naming one that has no place."""
    from mezzotint.pretrained.keymaps.tensors import forward

    inside = part.inside
    assert inside is not None
    own = {k.removeprefix(inside.prefix): w for k, w in tensors.items() if k.startswith(inside.prefix)}
    try:
        return forward(inside.kind, part.config, {k: w for k, w in own.items() if not _unread(k, part)})
    except ModelError as error:
        raise ModelError(f"{part.folder}, below {inside.prefix!r}: {error}") from error


def _unread(key: str, part: Component) -> bool:
    """Whether a tensor is none that the part has: counters; what projects a pooled state that is told as it is; and
    of Stable Diffusion 2 the last block, which it was trained without."""
    if key.endswith(UNREAD):
        return True
    if part.inside is None or part.library != "transformers" or not part.class_name.startswith("CLIP"):
        return False
    if part.inside.kind == "unprojected" or part.class_name == "CLIPTextModel":
        last = f"transformer.resblocks.{part.config['num_hidden_layers']}."
        return key in ("text_projection", "text_projection.weight") or key.startswith(last)
    return False
