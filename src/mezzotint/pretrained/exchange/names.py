"""What each layout calls the layers of a system's networks.

Facts: diffusers' and PEFT's own writers; kohya-ss' sd-scripts, which trains Stable Diffusion XL, 3 and FLUX on the
networks of the original code, and 1 and 2 on diffusers'; ComfyUI's ``lora.py``, which knows the original code alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from mezzotint.errors import UsageError
from mezzotint.nets.adapters.contents import Held
from mezzotint.nets.adapters.layouts import Part, Pieces
from mezzotint.pretrained.adapters import Adaptable, layers_of, names_of, parts_to_adapt
from mezzotint.pretrained.components import Component
from mezzotint.pretrained.keymaps import fused
from mezzotint.pretrained.system import System

Layout = Literal["peft", "diffusers", "kohya", "comfyui"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
JOINT = ("FluxTransformer2DModel", "SD3Transformer2DModel")
"""Transformers whose layers the original code has several in one of."""


@dataclass(frozen=True)
class Place:
    """A layer of a file.

    stem: its keys' beginning.  name: the layer's path, or the original name of several.  pieces: which they are.
    kernel: values of a convolution's kernel, else 1.
    """

    stem: str
    name: str
    pieces: Pieces
    kernel: int = 1


Keyed = Mapping[Place, Held]
"""Layers of a file -> what is said of each."""


def network_name(part: Part, adaptable: Adaptable) -> str:
    """What diffusers calls a network; of ours, what it would."""
    return adaptable.name if isinstance(adaptable, Component) else "transformer"


def places(system: System, layout: Layout) -> dict[Part, tuple[Place, ...]]:
    """Every layer that a file of a layout can have for a system.

    Raises UsageError where nobody knows what the layout calls the layers of such a network.
    """
    parts = parts_to_adapt(system)
    return {name: tuple(_PLACED[layout](system, name, part)) for name, part in parts.items()}


def _alone(stem: Callable[[str], str], part: Adaptable) -> list[Place]:
    return [_place(stem(path), path, layer) for path, layer in layers_of(part).items()]


def _place(stem: str, path: str, layer: nn.Module) -> Place:
    return Place(stem, path, ((path, ()),), layer.get_parameter("weight").shape[2:].numel())


def _peft(system: System, name: Part, part: Adaptable) -> list[Place]:
    return _alone(lambda path: f"base_model.model.{path}", part)


def _diffusers(system: System, name: Part, part: Adaptable) -> list[Place]:
    head = network_name(name, part)
    return _alone(lambda path: f"{head}.{usual(part, path)}", part)


def _kohya(system: System, name: Part, part: Adaptable) -> list[Place]:
    head = kohya_head(system, name, part)

    def stem(path: str) -> str:
        return head + path.replace(".", "_")

    if name != "denoiser":
        return _alone(lambda path: stem(usual(part, path)), part)
    return _original(stem, part) if _trained_on_original(system, part) else _alone(stem, part)


def _comfyui(system: System, name: Part, part: Adaptable) -> list[Place]:
    if name != "denoiser":
        return _alone(lambda path: f"text_encoders.{encoder(name, part)}.transformer.{usual(part, path)}", part)
    if isinstance(part, Component) and part.class_name not in JOINT and not _latent_diffusion(system):
        raise UsageError(
            f"what ComfyUI calls the layers of {system.name} is not known here; expected Stable Diffusion or FLUX.1,"
            " choose --to diffusers"
        )
    return _original(lambda path: f"diffusion_model.{path}", part)


_PLACED: Mapping[Layout, Callable[[System, Part, Adaptable], list[Place]]] = {
    "peft": _peft, "diffusers": _diffusers, "kohya": _kohya, "comfyui": _comfyui,
}  # fmt: skip


def _original(stem: Callable[[str], str], part: Adaptable) -> list[Place]:
    """Under the names of the original code; of ours under their own."""
    if isinstance(part, Component) and part.class_name in JOINT:
        sizes = {path: len(layer.get_parameter("weight")) for path, layer in layers_of(part).items()}
        found = fused.pieces_of(part.class_name, sizes)
        return [Place(stem(name), name, pieces) for name, pieces in found.items() if "_lora" not in name]  # XLabs'
    older = {path: name for name, path in names_of(part).items() if name != path}
    return [_place(stem(older.get(path, path)), path, layer) for path, layer in layers_of(part).items()]


def _latent_diffusion(system: System) -> bool:
    """Whether the original code is that of Stable Diffusion's U-Nets."""
    found = system.components
    return found is not None and found.class_name.startswith(("StableDiffusion", "LatentConsistency"))


def _trained_on_original(system: System, part: Adaptable) -> bool:
    """Whether kohya's files have the original code's names."""
    if not isinstance(part, Component) or system.components is None:
        return False
    return part.class_name in JOINT or system.components.class_name.startswith("StableDiffusionXL")


def usual(part: Adaptable, path: str) -> str:
    """A layer's name as files have it: that of CLIP as transformers had it before its fifth version."""
    if not isinstance(part, Component) or not part.class_name.startswith("CLIPText"):
        return path
    inner = path.removeprefix("text_model.")
    return path if inner.startswith("text_projection") else f"text_model.{inner}"


def _is_t5(part: Adaptable) -> bool:
    return isinstance(part, Component) and part.class_name.startswith("T5")


def kohya_head(system: System, name: Part, part: Adaptable) -> str:
    """What kohya's keys of a network begin with."""
    if name == "denoiser":
        return "lora_unet_"
    several = system.components is not None and len(system.readers) > 1
    if _is_t5(part) and several:
        return "lora_te3_"
    numbers = {"text_encoder": "1" if several else "", "text_encoder_2": "2", "text_encoder_3": "3"}
    return f"lora_te{numbers.get(name, '')}_"


def encoder(name: Part, part: Adaptable) -> str:
    """What ComfyUI calls a text encoder."""
    if _is_t5(part):
        return "t5xxl"
    if name == "text_encoder_2":
        return "clip_g"
    wide = isinstance(part, Component) and part.config.get("hidden_size") == 1024
    return "clip_h" if wide else "clip_l"
