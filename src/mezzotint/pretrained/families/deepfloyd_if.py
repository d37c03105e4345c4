"""DeepFloyd IF: a U-Net of small pictures told T5's states, and one that enlarges them, told the same and the picture.

Saharia et al., 2022, Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding (Imagen).  Stage II
comes in a folder of its own; its parts have names that begin with then_.  Stage III is Stable Diffusion's x4 upscaler,
told what its own text encoder makes of the prompt; names of its parts and of what it is told begin with last_.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Component, Components, check_part
from mezzotint.pretrained.families import stable_diffusion
from mezzotint.pretrained.families.cascade import config_of, member, pair, stage_spec
from mezzotint.pretrained.families.t5 import t5_tower
from mezzotint.pretrained.families.t5_reading import t5_reading
from mezzotint.pretrained.families.unet import Preset, schedule_choice, whole
from mezzotint.pretrained.joined import THEN, apart
from mezzotint.pretrained.refined import Both
from mezzotint.pretrained.spec import Card, Choice, Text
from mezzotint.pretrained.system import Member, System

if TYPE_CHECKING:
    from torch import nn

    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage

FIRST, SECOND = Preset(steps=100, scale=7.0), Preset(steps=50, scale=4.0)
CARD = Card("DeepFloyd IF", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
T5_TOKENS, CHANNELS = 77, 3
NOISE_LEVEL = 250
"""Index of the noise in which stage II is told a picture."""

HELD: Mapping[str, Any] = {"held": "clean"}
"""Inside a mask it paints beside pixels that have no noise (``diffusion.solver.held``)."""

BEGUN: Mapping[str, Any] = {"strength": 0.8, "masked_level": 0}
"""Of stage II where stage I begins from a picture: the defaults of its pipelines."""

TAKES = (("text",), ("text", "lowres", "lowres_level"), ("text", "lowres", "lowres_level"))
PIXELS, FLOATS = {"name": "pixels"}, {"name": "floats"}
SECOND_UNET, SECOND_SCHEDULER, NOISING = "then_unet", "then_scheduler", "then_image_noising_scheduler"
LAST, LAST_LEVEL = THEN[1].prefix, 100
"""Of stage III: how names begin, and the index of the noise in which it is told a picture."""


def text_parts(found: Components) -> Mapping[str, str]:
    last = {f"{LAST}text_encoder": f"{LAST}tokenizer"} if f"{LAST}unet" in found else {}
    return {"text_encoder": "tokenizer", **last}


def described(found: Components) -> System:
    if found.class_name == "IFSuperResolutionPipeline":
        raise ModelError(f"{found.folder} enlarges what stage I makes; give it as --then to stage I's folder")
    t5_tower(found["tokenizer"], found["text_encoder"], T5_TOKENS)
    members = (_first(found), *([_second(found)] if SECOND_UNET in found else []))
    third = apart(found, THEN[1])
    if third is not None:
        members = (*members, _third(found, third, members[-1].described.spec.shape))
    return System(found.name, found.folder, members, CARD, 0, Text("t5", "", T5_TOKENS), found)


def _net(found: Components, name: str, pictures: int) -> Component:
    """A U-Net that sees so many pictures and the states of the text encoder.  Raises ModelError."""
    net = check_part(found[name], "diffusers", "UNet2DConditionModel")
    pair(net, "in_channels", [pictures * CHANNELS])
    pair(net, "out_channels", [2 * CHANNELS])
    pair(net, "encoder_hid_dim", [whole(found["text_encoder"], "d_model", 512)])
    return net


def _shape(net: Component) -> tuple[int, int, int]:
    side = whole(net, "sample_size", 64)
    return CHANNELS, side, side


def _first(found: Components) -> Member:
    net = _net(found, "unet", 1)
    codec: Choice = FLOATS if SECOND_UNET in found else PIXELS
    spec = stage_spec(net, found["scheduler"], FIRST, codec, _shape(net), CARD)
    return member(found, replace(spec, net={**spec.net, **HELD}), ("unet",))


def _second(found: Components) -> Member:
    net, noising = _net(found, SECOND_UNET, 2), found[NOISING]
    if net.config.get("class_embed_type") != "timestep":
        raise ModelError(f"{net.folder}: it is not told a level of noise; expected stage II of DeepFloyd IF")
    if whole(noising, "num_train_timesteps", 1000) <= NOISE_LEVEL:
        raise ModelError(f"{noising.folder}: its table ends before {NOISE_LEVEL}, the noise that stage II is told")
    codec: Choice = FLOATS if f"{LAST}unet" in found else PIXELS
    spec = stage_spec(net, found[SECOND_SCHEDULER], SECOND, codec, _shape(net), CARD)
    told = {**spec.net, **HELD, **BEGUN, "lowres": schedule_choice(config_of(noising))}
    link: Choice = {"name": "beside", "resize": "bilinear", "level": NOISE_LEVEL}
    return member(found, replace(spec, net=told), (SECOND_UNET,), link)


def _third(found: Components, own: Components, before: tuple[int, ...]) -> Member:
    """own: its parts under their own names.  before: the shape of the pictures that it enlarges."""
    spec = stable_diffusion.described(own).members[0].described.spec
    spec = replace(spec, shape=(spec.shape[0], *before[1:]))
    link: Choice = {"name": "beside", "level": min(LAST_LEVEL, int(spec.net["max_noise_level"])), "prefix": LAST}
    return member(found, spec, (f"{LAST}unet",), link, f"{LAST}vae")


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.foreign import ForeignStage, alone

    return tuple(ForeignStage.of(system, k, alone(_called(TAKES[k])), TAKES[k]) for k, _ in enumerate(system.own))


def _called(takes: tuple[str, ...]) -> Callable[[nn.Module], nn.Module]:
    from mezzotint.pretrained.families.unet_network import Called

    return lambda network: Called(network, takes)


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    assert system.components is not None
    read, third = t5_reading(system, said, T5_TOKENS), apart(system.components, THEN[1])
    if third is None:
        return read
    return Both(read, stable_diffusion.reading(replace(system, components=third), said, size), LAST)
