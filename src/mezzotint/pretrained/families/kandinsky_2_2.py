"""Kandinsky 2.2: a prior makes a picture's embedding of a text, a U-Net in the latent of a MoVQ a picture of that.

Razzhigaev et al., 2023, Kandinsky: an Improved Text-to-Image Synthesis with Image Prior and Latent Diffusion.  Prior
and decoder are two folders, or one with the prior's parts under names that begin with prior_.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Component, Components, check_part
from mezzotint.pretrained.families.cascade import ClipReading, member, pair, stage_spec
from mezzotint.pretrained.families.clip import Tower, tower
from mezzotint.pretrained.families.clip_vision import CLASS, seen, side_of
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.unet import Preset, whole
from mezzotint.pretrained.spec import Card, Text
from mezzotint.pretrained.system import Member, System

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage

PRIOR, DECODER = Preset(steps=25, scale=4.0), Preset(steps=100, scale=4.0)
CARD = Card("Kandinsky 2.2", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
ENCODER, TOKENIZER, EYE = "prior_text_encoder", "prior_tokenizer", "prior_image_encoder"


def text_parts(found: Components) -> Mapping[str, str]:
    return {ENCODER: TOKENIZER} if ENCODER in found else {}


def _tower(found: Components) -> Tower:
    return tower(found[TOKENIZER], found[ENCODER], plain=True)


def described(found: Components) -> System:
    if found.class_name == "KandinskyV22PriorPipeline":
        raise ModelError(f"{found.folder} is a prior alone; give it as --prior to a decoder's folder")
    if found.class_name == "KandinskyV22Pipeline":
        return System(found.name, found.folder, (_decoder(found),), CARD, 0, None, found)
    members = (_prior(found), _decoder(found))
    return System(found.name, found.folder, members, CARD, 1, Text("clip", "", _tower(found).length), found, EYE)


def _prior(found: Components) -> Member:
    net = check_part(found["prior_prior"], "diffusers", "PriorTransformer")
    width = whole(net, "embedding_dim", 768)
    pair(found[ENCODER], "projection_dim", [width])
    pair(check_part(found[EYE], "transformers", CLASS), "projection_dim", [width])
    pair(found["unet"], "encoder_hid_dim", [width])
    spec = stage_spec(net, found["prior_scheduler"], PRIOR, {"name": "scaled"}, (1, width), CARD)
    return member(found, replace(spec, net={**spec.net, "away": "made"}), ("prior_prior",))


def _decoder(found: Components) -> Member:
    net = check_part(found["unet"], "diffusers", "UNet2DConditionModel")
    movq = check_part(found["movq"], "diffusers", "VQModel")
    channels, side = whole(movq, "latent_channels", 3), whole(net, "sample_size", 64)
    pair(net, "in_channels", [channels])
    if net.config.get("encoder_hid_dim_type") != "image_proj":
        raise ModelError(f"{net.folder}: it is not told a picture's embedding; expected a decoder of Kandinsky 2.2")
    factor = 2 ** (len(movq.config.get("block_out_channels", (1, 1, 1, 1))) - 1)
    codec = {"name": "movq", "factor": factor, "scaling": 1.0, "shift": 0.0}
    spec = stage_spec(net, found["scheduler"], DECODER, codec, (channels, side, side), CARD)
    told = {**spec.net, "patch": factor, "away": "told"}
    return member(found, replace(spec, net=told), ("unet",), {"name": "vector"}, "movq")


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.families.cascade_network import EmbeddedCalled, PriorCalled
    from mezzotint.pretrained.foreign import ForeignStage

    made = (PriorCalled, EmbeddedCalled)[-len(system.members) :]
    return tuple(ForeignStage.of(system, k, each, each.cond_names) for k, each in enumerate(made))


@dataclass(frozen=True)
class _Reading(ClipReading):
    """eye: the picture encoder, which says what nothing is where there is no negative prompt: a grey picture's
    embedding.  With one the prior makes two embeddings, and is told both texts."""

    eye: Component | None = None

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        import torch

        cond, null = super().conds(dtype)
        if self.read[1]:
            both = {name: torch.stack([value, null[name]], 1) for name, value in cond.items()}
            return both, {name: torch.stack([value, value], 1) for name, value in null.items()}
        assert self.eye is not None
        side = side_of(self.eye)
        return cond, {**null, "vector": seen(self.eye, torch.zeros(1, 3, side, side)).embedding}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    found = system.components
    assert found is not None
    clip, eye = _tower(found), found[EYE]
    made = _Reading(clip, said.each(1)[0], eye=eye)
    return remembered(system, made, [made.read], {"towers": [clip.identity], "eye": eye.sha256})
