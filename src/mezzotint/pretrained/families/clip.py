"""CLIP's text encoders of a diffusers folder: prompts to token states, with what was dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from mezzotint.errors import ModelError, UsageError
from mezzotint.pretrained.components import Component, check_part

if TYPE_CHECKING:
    from torch import Tensor

MAX_CHARACTERS = 100_000
LENGTH = 77
"""Tokens of a CLIP prompt, both ends included, where neither tokenizer nor encoder says another number."""

Layer = Literal["last", "penultimate"]


@lru_cache(maxsize=16)
def _tokenizer(part: Component) -> Any:
    """Raises UsageError without transformers, ModelError for a damaged folder."""
    try:
        from transformers.models.clip.tokenization_clip import CLIPTokenizer
    except ImportError as error:
        raise UsageError(f"{part.folder} needs transformers; pip install 'mezzotint[diffusers]'") from error
    try:
        return CLIPTokenizer.from_pretrained(part.folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{part.folder}: its tokenizer cannot be read ({why}); fetch the model again") from error


class States(NamedTuple):
    """text: (B, L, D).  pooled: (B, P), projected where the encoder projects it."""

    text: Tensor
    pooled: Tensor


@dataclass(frozen=True)
class Tower:
    """A tokenizer and its encoder.  layer: whose states are the prompt's."""

    tokenizer: Component
    encoder: Component
    layer: Layer = "last"

    @property
    def length(self) -> int:
        """Of every prompt, in tokens."""
        said = self.encoder.config.get("max_position_embeddings", LENGTH)
        return min(said, LENGTH) if type(said) is int and said > 2 else LENGTH

    def dropped(self, prompt: str) -> str:
        """What is at a prompt's end for which there is no room.  Raises UsageError for a prompt without end."""
        if len(prompt) > MAX_CHARACTERS:
            raise UsageError(f"the prompt has {len(prompt)} characters; at most {MAX_CHARACTERS} are read")
        ids = _tokenizer(self.tokenizer)(prompt, truncation=False)["input_ids"]
        rest = ids[self.length - 1 : -1]
        return str(_tokenizer(self.tokenizer).decode(rest)).strip() if rest else ""

    @property
    def projects(self) -> bool:
        """Whether the encoder projects its pooled state."""
        return self.encoder.class_name == "CLIPTextModelWithProjection"

    def states(self, prompts: Sequence[str]) -> States:
        """Float32 on the CPU."""
        import torch

        from mezzotint.pretrained.component_network import network_of

        ids = _tokenizer(self.tokenizer)(
            list(prompts), padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        ).input_ids
        network = network_of(self.encoder, "cpu", torch.float32)
        mask = torch.ones_like(ids) if self.encoder.config.get("use_attention_mask") else None
        with torch.inference_mode():
            found = network(ids, attention_mask=mask, output_hidden_states=True)
        states = found.hidden_states[-2] if self.layer == "penultimate" else found.last_hidden_state
        pooled = found.text_embeds if self.projects else found.pooler_output
        return States(states.clone(), pooled.clone())


def tower(tokenizer: Component, encoder: Component, layer: Layer = "last") -> Tower:
    """Raises ModelError where either part is of another class."""
    check_part(tokenizer, "transformers", "CLIPTokenizer", "CLIPTokenizerFast")
    check_part(encoder, "transformers", "CLIPTextModel", "CLIPTextModelWithProjection")
    return Tower(tokenizer, encoder, layer)


class Reads(Protocol):
    """A tower of any kind."""

    def dropped(self, prompt: str) -> str: ...


def notes_of(towers: Sequence[Reads], prompts: Sequence[str]) -> tuple[str, ...]:
    """What people should know of prompts: what was dropped, said once."""
    lost = dict.fromkeys(t.dropped(prompt) for prompt in prompts for t in towers)
    return tuple(f"the prompt is too long; dropped from its end: {text}" for text in lost if text)
