"""Stable Diffusion 3 and 3.5: a flow transformer told two CLIPs and, where the folder has it, T5.

Esser et al., 2024, Scaling Rectified Flow Transformers for High-Resolution Image Synthesis, sec. 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mezzotint.conditioning.counted import Counted, counted
from mezzotint.conditioning.prompts import Pair, Prompts
from mezzotint.pretrained.components import Components
from mezzotint.pretrained.families.clip import Tower, notes_of, tower
from mezzotint.pretrained.families.kept import remembered
from mezzotint.pretrained.families.t5 import T5Tower, t5_tower
from mezzotint.pretrained.families.transformer import spec_of, stage_of, system_of
from mezzotint.pretrained.families.unet import Preset, whole
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

PRESET = Preset(steps=28, scale=7.0)
CARD = Card("Stable Diffusion 3", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
T5_TOKENS = 256


def text_parts(found: Components) -> Mapping[str, str]:
    names = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2", "text_encoder_3": "tokenizer_3"}
    return {encoder: tokenizer for encoder, tokenizer in names.items() if encoder in found}


def described(found: Components) -> System:
    net = found["transformer"]
    channels, side = whole(net, "in_channels", 16), whole(net, "sample_size", 128)
    spec = spec_of(found, "SD3Transformer2DModel", channels, side, PRESET, CARD)
    # Tokens along a side; beyond them there is no table.
    positions = {"positions": whole(net, "pos_embed_max_size", 96)}
    return system_of(found, replace(spec, net={**spec.net, **positions}), T5_TOKENS)


def stages(system: System) -> tuple[ForeignStage, ...]:
    from mezzotint.pretrained.families.transformer_network import SD3Called

    return (stage_of(system, SD3Called.cond_names, SD3Called),)


@dataclass(frozen=True)
class _Reading:
    """states: the width of T5's, to which CLIP's are padded."""

    clips: tuple[Tower, ...]
    t5: T5Tower | None
    states: int
    read: Pair
    texts: tuple[Pair, ...]
    width: int = 1

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted([*self.clips, *([self.t5] if self.t5 else [])], self.texts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of([self.t5], self.texts[2:]) if self.t5 else notes_of(self.clips, self.texts)

    def _long(self, dtype: dtype) -> Tensor:
        import torch

        return self.t5.states(self.texts[-1], dtype) if self.t5 else torch.zeros(2, T5_TOKENS, self.states)

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        import torch

        found = [clip.states(pair, dtype) for clip, pair in zip(self.clips, self.texts, strict=False)]
        short = torch.cat([f.text for f in found], -1)
        short = torch.nn.functional.pad(short, (0, self.states - short.shape[-1]))
        text = torch.cat([short, self._long(dtype)], -2)
        pooled = torch.cat([f.pooled for f in found], -1)
        return {"text": text[:1], "pooled": pooled[:1]}, {"text": text[1:], "pooled": pooled[1:]}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    found = system.components
    assert found is not None
    clips = tuple(
        tower(found[t], found[e], "penultimate", plain=True, adapters=system.adapters)
        for e, t in text_parts(found).items()
        if e != "text_encoder_3"
    )
    t5 = (
        t5_tower(found["tokenizer_3"], found["text_encoder_3"], T5_TOKENS, system.adapters)
        if "text_encoder_3" in found
        else None
    )
    states = whole(found["transformer"], "joint_attention_dim", 4096)
    made = _Reading(clips, t5, states, said.main, said.each(len(text_parts(found))))
    towers = [clip.identity for clip in clips] + ([t5.identity] if t5 else [])
    return remembered(system, made, made.texts, {"towers": towers, "states": states})
