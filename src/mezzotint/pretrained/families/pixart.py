"""PixArt-Σ: a transformer of latents that predicts noise and its variance, told T5's states of the tokens there are.

Chen et al., 2024, PixArt-Σ: Weak-to-Strong Training of Diffusion Transformer for 4K Text-to-Image Generation.  Its
variance is not used, as in its own sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.prompts import Prompts
from mezzotint.pretrained.components import Components, check_part
from mezzotint.pretrained.families.clip import notes_of
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.t5 import T5Tower, t5_tower
from mezzotint.pretrained.families.transformer import stage_of, system_of
from mezzotint.pretrained.families.unet import Preset, noise_spec, whole
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from torch import Tensor

    from mezzotint.diffusion.denoiser import Cond
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


@dataclass(frozen=True)
class _Reading:
    """read: in small letters, as the model was trained."""

    t5: T5Tower
    read: tuple[str, str]
    width: int = 1

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([self.t5], [self.read])

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.t5], [self.read])

    def conds(self) -> tuple[Cond, Cond]:
        text, mask = self.t5.masked(self.read)
        return _told(text[:1], mask[:1]), _told(text[1:], mask[1:])


def _told(text: Tensor, mask: Tensor) -> Cond:
    return {"text": text, "text_mask": mask}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    found = system.components
    assert found is not None
    t5 = t5_tower(found["tokenizer"], found["text_encoder"], T5_TOKENS, system.adapters)
    ((prompt, negative),) = said.each(1)
    made = _Reading(t5, (prompt.lower().strip(), negative.lower().strip()))
    return remembered(system, made, [made.read], {"towers": [t5.identity], "masked": True})
