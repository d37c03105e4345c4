"""PixArt-Σ: a transformer of latents that predicts noise and its variance, told T5's states of the tokens there are.

Chen et al., 2024, PixArt-Σ: Weak-to-Strong Training of Diffusion Transformer for 4K Text-to-Image Generation.  Its
variance is not used, as in its own sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mezzotint.conditioning.prompts import Prompts
from mezzotint.pretrained.components import Components, check_part
from mezzotint.pretrained.families.t5_reading import t5_reading
from mezzotint.pretrained.families.transformer import stage_of, system_of
from mezzotint.pretrained.families.unet import Preset, noise_spec, whole
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

PRESET = Preset(steps=20, scale=4.5)
CARD = Card("PixArt-Σ", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
T5_TOKENS = 300


def text_parts(found: Components) -> Mapping[str, str]:
    return {"text_encoder": "tokenizer"}


def described(found: Components) -> System:
    net = check_part(found["transformer"], "diffusers", "PixArtTransformer2DModel")
    spec = noise_spec(found, net, PRESET, CARD)
    spec = replace(spec, net={**spec.net, "patch": whole(net, "patch_size", 2)})
    return system_of(found, spec, T5_TOKENS)


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.families.transformer_network import PixArtCalled

    return (stage_of(system, PixArtCalled.cond_names, PixArtCalled),)


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    return t5_reading(system, said, T5_TOKENS)
