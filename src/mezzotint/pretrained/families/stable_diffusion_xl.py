"""Stable Diffusion XL: the same with two text encoders, a pooled embedding, and the size as a condition.

Podell et al., 2023, SDXL: Improving Latent Diffusion Models for High-Resolution Image Synthesis, sec. 2.
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
from mezzotint.pretrained.families.unet import Preset, spec_of, stage_of, system_of
from mezzotint.pretrained.spec import Card

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.diffusion.denoiser import Cond
    from mezzotint.pretrained.adapters import Weighed
    from mezzotint.pretrained.embeddings import Learned
    from mezzotint.pretrained.families.known import Reading
    from mezzotint.pretrained.foreign import ForeignStage
    from mezzotint.pretrained.system import System

AESTHETICS = (6.0, 2.5)
"""How good its picture is that a refiner is told, and how good is what it is steered away from."""

PRESET = Preset(steps=50, scale=5.0)
CARD = Card("Stable Diffusion XL", "A checkpoint of your own, in diffusers' layout.", "see the model's own licence")
TAKES = ("text", "pooled", "time_ids")


def text_parts(found: Components) -> Mapping[str, str]:
    both = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"}
    return {encoder: tokenizer for encoder, tokenizer in both.items() if encoder in found}


def _towers(found: Components, adapters: tuple[Weighed, ...] = (), learned: tuple[Learned, ...] = ()) -> list[Tower]:
    pairs = text_parts(found).items()
    return [tower(found[t], found[e], "penultimate", adapters=adapters, learned=learned) for e, t in pairs]


def towers(system: System) -> tuple[Tower, ...]:
    """What reads, with what is put on it."""
    assert system.components is not None
    return tuple(_towers(system.components, system.adapters, system.embeddings))


def nothing_is_zeros(found: Components) -> bool:
    """Whether nothing to steer away from is zeros, not the empty prompt's states."""
    return bool(found.options.get("force_zeros_for_empty_prompt", True))


def _scored(found: Components) -> bool:
    """Whether the U-Net is told how good a picture is in place of its size: the refiner."""
    return found.options.get("requires_aesthetics_score") is True


def described(found: Components) -> System:
    spec = spec_of(found, PRESET, CARD)
    if _scored(found):
        spec = replace(spec, net={**spec.net, "refines": True})
    return system_of(found, spec, _towers(found)[0].length)


def stages(system: System) -> tuple[ForeignStage, ...]:
    return (stage_of(system, TAKES),)


@dataclass(frozen=True)
class _Reading:
    """zeros: whether nothing to steer away from is zeros, not the empty prompt's states."""

    towers: tuple[Tower, ...]
    read: Pair
    texts: tuple[Pair, ...]
    zeros: bool

    @cached_property
    def tokens(self) -> tuple[Counted, ...]:
        return counted(self.towers, self.texts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return notes_of(self.towers, self.texts)

    @cached_property
    def width(self) -> int:
        """Chunks of the longest text, by its tokenizer."""
        return max(len(t.chunks(text)) for t, pair in zip(self.towers, self.texts, strict=True) for text in pair)

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        import torch

        found = [t.states(pair, dtype, self.width) for t, pair in zip(self.towers, self.texts, strict=True)]
        text = torch.cat([f.text for f in found], -1)
        pooled = next(f.pooled for f, t in zip(found, self.towers, strict=True) if t.projects)
        strong = {"text": text[:1], "pooled": pooled[:1]}
        null: dict[str, Tensor] = {"text": text[1:], "pooled": pooled[1:]}
        if self.zeros and not any(negative for _, negative in self.texts):
            null = {name: torch.zeros_like(value) for name, value in null.items()}
        return strong, null


@dataclass(frozen=True)
class _Sized:
    """A reading, and the size (width, height) that the network is told; scored: it is told how good its picture is."""

    texts: Reading
    size: tuple[int, int]
    scored: bool

    @property
    def read(self) -> Pair:
        return self.texts.read

    @property
    def tokens(self) -> tuple[Counted, ...]:
        return self.texts.tokens

    @property
    def notes(self) -> tuple[str, ...]:
        return self.texts.notes

    @property
    def width(self) -> int:
        return self.texts.width

    def conds(self, dtype: dtype) -> tuple[Cond, Cond]:
        import torch

        width, height = self.size
        last = [[score] for score in AESTHETICS] if self.scored else [[height, width]] * 2
        ids = torch.tensor([[height, width, 0, 0, *told] for told in last], dtype=torch.float32)
        cond, null = self.texts.conds(dtype)
        return {**cond, "time_ids": ids[:1]}, {**null, "time_ids": ids[1:]}


def reading(system: System, said: Prompts, size: tuple[int, int]) -> Reading:
    assert system.components is not None
    found = system.components
    zeros, read_by = nothing_is_zeros(found), towers(system)
    made = _Reading(read_by, said.main, said.each(len(read_by)), zeros)
    about = {"towers": [one.identity for one in read_by], "zeros": zeros}
    return _Sized(remembered(system, made, made.texts, about), size, _scored(found))
