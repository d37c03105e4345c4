"""Karlo: a prior makes a picture's embedding of a text, a decoder a small picture of both, two networks enlarge it.

Lee et al., 2022, Karlo-v1.0.alpha on COYO-100M and CC15M; Ramesh et al., 2022, Hierarchical Text-Conditional Image
Generation with CLIP Latents.  A folder for variations has a picture encoder in the prior's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mezzotint.conditioning.prompts import Prompts
from mezzotint.pretrained.components import Component, Components, check_part
from mezzotint.pretrained.families.cascade import ClipReading, member, pair, stage_spec
from mezzotint.pretrained.families.clip import Tower, tower
from mezzotint.pretrained.families.clip_vision import CLASS
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.unet import Preset, whole
from mezzotint.pretrained.spec import Card, Text
from mezzotint.pretrained.system import Member, System

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage

PRIOR, DECODER, SUPER_RES = Preset(steps=25, scale=4.0), Preset(steps=25, scale=8.0), Preset(steps=7, scale=1.0)
CARD = Card("Karlo unCLIP", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
NOTHING = "learned_classifier_free_guidance_embeddings"
"""The embedding that stands for no picture, in the projection's weights."""


def text_parts(found: Components) -> Mapping[str, str]:
    return {"text_encoder": "tokenizer"}


def _tower(found: Components) -> Tower:
    return tower(found["tokenizer"], found["text_encoder"], plain=True)


def described(found: Components) -> System:
    clip, width = _tower(found), whole(found["text_encoder"], "projection_dim", 512)
    varies = "prior" not in found
    if varies:
        check_part(found["image_encoder"], "transformers", CLASS)
        pair(found["image_encoder"], "projection_dim", [width])
    members = (*(() if varies else (_prior(found, width),)), _decoder(found, width), _super_res(found))
    text, eye = Text("clip", "", clip.length), "image_encoder" if varies else ""
    return System(found.name, found.folder, members, CARD, len(members) - 2, text, found, eye)


def _prior(found: Components, width: int) -> Member:
    net = check_part(found["prior"], "diffusers", "PriorTransformer")
    pair(net, "embedding_dim", [width])
    spec = stage_spec(net, found["prior_scheduler"], PRIOR, {"name": "scaled"}, (1, width), CARD)
    return member(found, spec, ("prior",))


def _decoder(found: Components, width: int) -> Member:
    net = check_part(found["decoder"], "diffusers", "UNet2DConditionModel")
    project = check_part(found["text_proj"], "diffusers", "UnCLIPTextProjModel")
    pair(project, "clip_embeddings_dim", [width])
    pair(net, "cross_attention_dim", [whole(project, "cross_attention_dim", 1)])
    spec = stage_spec(net, found["decoder_scheduler"], DECODER, {"name": "floats"}, _picture(net, 1), CARD)
    return member(found, spec, ("decoder", "text_proj"), {"name": "vector"})


def _super_res(found: Components) -> Member:
    first, last = (check_part(found[f"super_res_{k}"], "diffusers", "UNet2DModel") for k in ("first", "last"))
    pair(last, "sample_size", [whole(first, "sample_size", 256)])
    spec = stage_spec(first, found["super_res_scheduler"], SUPER_RES, {"name": "pixels"}, _picture(first, 2), CARD)
    return member(found, spec, ("super_res_first", "super_res_last"), {"name": "beside", "resize": "bicubic"})


def _picture(net: Component, times: int) -> tuple[int, int, int]:
    """(3, H, W) of a network that sees so many pictures."""
    pair(net, "in_channels", [3 * times])
    side = whole(net, "sample_size", 64)
    return 3, side, side


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.families.cascade_network import KarloDecoderCalled, PriorCalled, SuperResCalled
    from mezzotint.pretrained.foreign import ForeignStage

    made = (PriorCalled, KarloDecoderCalled, SuperResCalled)[-len(system.members) :]
    return tuple(ForeignStage.of(system, k, each, each.cond_names) for k, each in enumerate(made))


@dataclass(frozen=True)
class _Reading(ClipReading):
    project: Component | None = None

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        assert self.project is not None
        cond, null = super().conds(dtype)
        return cond, {**null, "vector": self.project.tensors()[NOTHING][None].float()}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    found = system.components
    assert found is not None
    clip, project = _tower(found), found["text_proj"]
    made = _Reading(clip, said.each(1)[0], project=project)
    return remembered(system, made, [made.read], {"towers": [clip.identity], "project": project.sha256})
