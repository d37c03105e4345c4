"""Stable Diffusion 1.x and 2.x: a U-Net in the latent of an autoencoder, told CLIP's last states.

Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models.  2.x predicts v, and says so in its
scheduler's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.prompts import Prompts
from mezzotint.pretrained.components import Components
from mezzotint.pretrained.families.clip import Tower, notes_of, tower
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.unet import Preset, spec_of, stage_of, system_of
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from torch import dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

PRESET, ENLARGING = Preset(steps=50, scale=7.5), Preset(steps=75, scale=9.0)
UPSCALER_SCALING = 0.08333
"""Of the latent of the x4 upscaler, whatever its autoencoder's configuration says: early ones lack it."""

CARD = Card("Stable Diffusion", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")


def text_parts(found: Components) -> Mapping[str, str]:
    return {"text_encoder": "tokenizer"}


def _tower(found: Components) -> Tower:
    return tower(found["tokenizer"], found["text_encoder"])


def towers(system: System) -> tuple[Tower, ...]:
    """What reads, with what is put on it."""
    found = system.components
    assert found is not None
    return (tower(found["tokenizer"], found["text_encoder"], adapters=system.adapters, learned=system.embeddings),)


def described(found: Components) -> System:
    enlarges = "low_res_scheduler" in found
    spec = spec_of(found, ENLARGING if enlarges else PRESET, CARD)
    if enlarges:
        spec = replace(spec, codec={**spec.codec, "scaling": UPSCALER_SCALING})
    return system_of(found, spec, _tower(found).length)


def stages(system: System) -> tuple[ForeignStage, ...]:
    return (stage_of(system, ("text",)),)


@dataclass(frozen=True)
class _Reading:
    tower: Tower
    read: tuple[str, str]

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([self.tower], [self.read])

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.tower], [self.read])

    @cached_property
    def width(self) -> int:
        """Chunks of the longer of both prompts."""
        return max(len(self.tower.chunks(prompt)) for prompt in self.read)

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        states = self.tower.states(self.read, dtype).text
        return {"text": states[:1]}, {"text": states[1:]}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    (clip,) = towers(system)
    made = _Reading(clip, *said.each(1))
    return remembered(system, made, [made.read], {"towers": [clip.identity]})
