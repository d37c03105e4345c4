"""FLUX.1: a flow transformer told T5's states and CLIP's pooled one; dev is told its guidance scale as well.

Black Forest Labs, 2024, FLUX.1.  Its scale is distilled into the network (Meng et al., 2023, On Distillation of Guided
Diffusion Models), so that one call does what two do elsewhere; schnell has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.prompts import Pair, Prompts
from mezzotint.errors import ModelError
from mezzotint.pretrained.components import Components
from mezzotint.pretrained.families.clip import Tower, notes_of, tower
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.t5 import T5Tower, t5_tower
from mezzotint.pretrained.families.transformer import spec_of, stage_of, system_of
from mezzotint.pretrained.families.unet import Preset, codec_of, whole
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from torch import dtype, nn

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

DEV, SCHNELL = Preset(steps=28, scale=3.5), Preset(steps=4, scale=1.0)
FILL = Preset(steps=50, scale=30.0)
CARD = Card("FLUX.1", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
SIDE = 128
"""Of the latent of a 1024 px picture."""

T5_TOKENS = 512


def text_parts(found: Components) -> Mapping[str, str]:
    return {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"}


def _distilled(found: Components) -> bool:
    return found["transformer"].config.get("guidance_embeds") is True


def described(found: Components) -> System:
    channels = whole(found["vae"], "latent_channels", 16)
    fills = _fills(found, channels)
    preset = FILL if fills else DEV if _distilled(found) else SCHNELL
    spec = spec_of(found, "FluxTransformer2DModel", channels, SIDE, preset, CARD)
    seen = {"sees": "blocks"} if fills else {}
    spec = replace(spec, net={**spec.net, **seen, **({"guidance": "distilled"} if _distilled(found) else {})})
    standard = spec.sampling["standard"]
    sampling = {"standard": replace(standard, scheduler=_evenly(standard.scheduler))}
    return system_of(found, replace(spec, sampling=sampling), T5_TOKENS)


def _fills(found: Components, channels: int) -> bool:
    """Whether the transformer is told a mask: all of its pixels, and the state of what is left.  Raises ModelError."""
    taken, pixels = whole(found["transformer"], "in_channels", 64), int(codec_of(found["vae"])["factor"]) ** 2
    if taken not in (4 * channels, 4 * (2 * channels + pixels)):
        raise ModelError(
            f"{found.folder}: its autoencoder has {channels} latent channels, its transformer takes {taken}; expected"
            f" {4 * channels}, or {4 * (2 * channels + pixels)} with a mask; they are not of one model"
        )
    return taken != 4 * channels


def _evenly(scheduler: Mapping[str, Any]) -> Mapping[str, Any]:
    """FLUX spaces u evenly from 1 to 1/N before it is shifted, also where the shift is one for all sizes."""
    if scheduler.get("use_dynamic_shifting") is True:
        return scheduler
    return {**scheduler, "use_dynamic_shifting": True, "mu": math.log(scheduler.get("shift", 1.0))}


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.families.transformer_network import FluxCalled

    assert system.components is not None
    seen = ("mask", "masked") if "sees" in system.members[0].described.spec.net else ()
    takes = ("text", "pooled", *seen, *(("guidance",) if _distilled(system.components) else ()))

    def called(network: nn.Module) -> nn.Module:
        return FluxCalled(network, takes)

    return (stage_of(system, takes, called),)


@dataclass(frozen=True)
class _Reading:
    clip: Tower
    t5: T5Tower
    read: Pair
    texts: tuple[Pair, ...]
    width: int = 1

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([self.clip, self.t5], self.texts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.t5], self.texts[1:])

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        text, pooled = self.t5.states(self.texts[1], dtype), self.clip.states(self.texts[0], dtype).pooled
        return {"text": text[:1], "pooled": pooled[:1]}, {"text": text[1:], "pooled": pooled[1:]}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    found = system.components
    assert found is not None
    clip = tower(found["tokenizer"], found["text_encoder"], plain=True, adapters=system.adapters)
    t5 = t5_tower(found["tokenizer_2"], found["text_encoder_2"], T5_TOKENS, system.adapters)
    made = _Reading(clip, t5, said.main, said.each(2))
    return remembered(system, made, made.texts, {"towers": [clip.identity, t5.identity], "pooled": "clip"})
