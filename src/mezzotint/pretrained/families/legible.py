"""Text encoders that are learnt on: captions as tokens before a step, what they say inside it, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from mezzotint.conditioning.text import ENCODER, TextEncoder
from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.pretrained.component_network import network_of
from mezzotint.pretrained.embeddings import Learned
from mezzotint.pretrained.families import stable_diffusion, stable_diffusion_xl
from mezzotint.pretrained.families.clip import Spelled, Tower
from mezzotint.pretrained.families.known import PIPELINES
from mezzotint.pretrained.families.tokenizer import tokenizer_of
from mezzotint.pretrained.spec import Text
from mezzotint.pretrained.system import System

IDS, WEIGHTS, SAID = "ids.", "weights.", "said"
"""Names, with an encoder's behind the first two: (B, 1, L) int64, (B, 1, L) float32, and (B,), 0 for nothing."""

THERE = "there"
"""(B, L) bool, True where our own encoder's ids (B, L) are tokens."""


def too_long(caption: str) -> UsageError:
    """What is said of a caption that does not fit."""
    return UsageError(f"the caption {caption[:80]!r}… is longer than text encoders read; say it shorter")


class Legible(Protocol):
    """Text encoders that may be learnt on."""

    @property
    def told(self) -> tuple[str, ...]:
        """What a network is told of texts, by name."""
        ...

    @property
    def sha256(self) -> Mapping[str, str]:
        """Encoder -> of its weights."""
        ...

    def network(self, name: str, device: str, dtype: torch.dtype) -> nn.Module:
        """An encoder, frozen."""
        ...

    def spelled(self, name: str, word: str) -> list[int]:
        """A word's tokens for an encoder, without the marks of its ends."""
        ...

    def tokens(self, captions: Sequence[str]) -> Cond:
        """Captions as tokens.  Raises UsageError for one that is too long."""
        ...

    def cond(self, networks: Callable[[str], nn.Module], tokens: Cond) -> Cond:
        """What a network is told of tokens: as prompts are read, differentiable; all else that it is told stays.

        networks: of each encoder, by its name.
        """
        ...


@dataclass(frozen=True, eq=False)
class Towers:
    """CLIP's text encoders.

    towers: what reads.  pooled: whether the network is told the pooled state of the tower that projects.
    zeros: whether nothing is said by zeros, not by the empty prompt.
    """

    towers: tuple[Tower, ...]
    pooled: bool
    zeros: bool

    told = ("text", "pooled")

    @property
    def sha256(self) -> Mapping[str, str]:
        return {tower.name: tower.encoder.sha256 for tower in self.towers}

    def network(self, name: str, device: str, dtype: torch.dtype) -> nn.Module:
        return network_of(self._named(name).encoder, device, dtype)

    def spelled(self, name: str, word: str) -> list[int]:
        found: list[int] = tokenizer_of(self._named(name).tokenizer)(word, add_special_tokens=False).input_ids
        return found

    def _named(self, name: str) -> Tower:
        return next(tower for tower in self.towers if tower.name == name)

    def tokens(self, captions: Sequence[str]) -> Cond:
        """Captions as the names above.  Raises UsageError for one that takes more than one chunk."""
        for caption in captions:
            if any(len(tower.chunks(caption)) > 1 for tower in self.towers):
                raise too_long(caption)
        made: dict[str, Tensor] = {SAID: torch.tensor([float(bool(caption)) for caption in captions])}
        for tower in self.towers:
            spelled = tower.spelled(captions, 1)
            made |= {IDS + tower.name: spelled.ids, WEIGHTS + tower.name: spelled.weights}
        return made

    def cond(self, networks: Callable[[str], nn.Module], tokens: Cond) -> Cond:
        names = [tower.name for tower in self.towers]
        found = [
            tower.read(networks(tower.name), Spelled(tokens[IDS + tower.name], tokens[WEIGHTS + tower.name]))
            for tower in self.towers
        ]
        told = {"text": torch.cat([one.text for one in found], -1)}
        if self.pooled:
            told["pooled"] = next(one.pooled for one, t in zip(found, self.towers, strict=True) if t.projects)
        if self.zeros:
            said = tokens[SAID]
            told = {name: value * said.reshape(-1, *(1,) * (value.ndim - 1)) for name, value in told.items()}
        own = {SAID, *(IDS + name for name in names), *(WEIGHTS + name for name in names)}
        return {**told, **{name: value for name, value in tokens.items() if name not in own}}


@dataclass(frozen=True, eq=False)
class OwnText:
    """The text encoder of a system of ours; words that it is taught are learnt, and none of its layers."""

    system: System
    text: Text

    told = ("text", "text_mask")

    @property
    def _encoder(self) -> TextEncoder:
        assert self.system.encoder is not None
        return self.system.encoder

    @property
    def sha256(self) -> Mapping[str, str]:
        return {ENCODER: self._encoder.sha256}

    def network(self, name: str, device: str, dtype: torch.dtype) -> nn.Module:
        return replace(self._encoder, learned=()).network.to(device)  # float32 whatever the network's: as prompts are

    def spelled(self, name: str, word: str) -> list[int]:
        return list(self._encoder.tokens(word).ids[1:-1])

    def tokens(self, captions: Sequence[str]) -> Cond:
        if any(self._encoder.tokens(caption, self.text.tokens).lost for caption in captions):
            raise too_long(max(captions, key=len))
        ids, mask = map(torch.from_numpy, self._encoder.padded(captions, self.text.tokens, self.text.tokens))
        return {IDS + ENCODER: ids, THERE: mask}

    def cond(self, networks: Callable[[str], nn.Module], tokens: Cond) -> Cond:
        ids, mask = tokens[IDS + ENCODER], tokens[THERE]
        told = {"text": networks(ENCODER)(ids, mask), "text_mask": mask}
        return {**told, **{name: value for name, value in tokens.items() if name not in (IDS + ENCODER, THERE)}}


def legible(system: System, learned: tuple[Learned, ...] = ()) -> Legible:
    """The text encoders of a system, which know some words beside their own.

    Raises UsageError for a family whose encoders are not learnt on.
    """
    if system.components is None and system.text is not None:
        return OwnText(replace(system, embeddings=learned), system.text)
    found = system.components
    family = "" if found is None else PIPELINES.get(found.class_name, "")
    towers: Mapping[str, Callable[[System], tuple[Tower, ...]]] = {
        "stable_diffusion": stable_diffusion.towers, "stable_diffusion_xl": stable_diffusion_xl.towers,
    }  # fmt: skip
    if found is None or family not in towers:
        raise UsageError(
            f"nothing is learnt on the text encoders of {system.name}; expected Stable Diffusion 1, 2 or XL"
        )
    read_by = tuple(replace(tower, learned=learned) for tower in towers[family](system))
    xl = family == "stable_diffusion_xl"
    return Towers(read_by, pooled=xl, zeros=xl and stable_diffusion_xl.nothing_is_zeros(found))
