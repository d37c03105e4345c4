"""T5's encoder of a diffusers folder: prompts to token states, with what was dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mezzotint.pretrained.components import Component, check_part
from mezzotint.pretrained.families.kept import identity
from mezzotint.pretrained.families.tokenizer import check_length, tokenizer_of

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from mezzotint.pretrained.adapters import Weighed


@dataclass(frozen=True)
class T5Tower:
    """A tokenizer and its encoder.  length: of every prompt, in tokens.  adapters: put on the encoder."""

    tokenizer: Component
    encoder: Component
    length: int
    adapters: tuple[Weighed, ...] = ()

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines what it makes of a text, adapters aside."""
        return identity(self.encoder, self.tokenizer, self.length)

    @property
    def name(self) -> str:
        """Of its encoder's part."""
        return self.encoder.name

    def _ids(self, text: str) -> list[int]:
        """Of a whole text, its end last.  The tokenizer is never told to cut or to fill: it would keep that in mind
        for another thread's text.  Raises UsageError for a prompt without end."""
        return list(tokenizer_of(self.tokenizer)(check_length(text), truncation=False)["input_ids"])

    def count(self, text: str) -> tuple[int, int]:
        """(used, dropped), in tokens."""
        many = len(self._ids(text)) - 1
        used = min(many, self.length - 1)
        return used, many - used

    def dropped(self, prompt: str) -> str:
        """What is at a prompt's end for which there is no room.  Raises UsageError for a prompt without end."""
        rest = self._ids(prompt)[self.length - 1 : -1]
        return str(tokenizer_of(self.tokenizer).decode(rest)).strip() if rest else ""

    def states(self, prompts: Sequence[str], dtype: dtype) -> Tensor:
        """(B, L, D) float32 on the CPU, of weights in a number format; padding is read like any token."""
        ids, _ = self._tokens(prompts)
        return self._encoded(ids, None, dtype)

    def masked(self, prompts: Sequence[str], dtype: dtype) -> tuple[Tensor, Tensor]:
        """(states (B, L, D) float32, mask (B, L) bool, True where there is a token); padding is not read."""
        ids, mask = self._tokens(prompts)
        return self._encoded(ids, mask, dtype), mask.bool()

    def _tokens(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(ids, mask), both (B, L): each text cut before its end, and filled."""
        import torch

        ids = torch.full((len(prompts), self.length), tokenizer_of(self.tokenizer).pad_token_id)
        mask = torch.zeros_like(ids)
        for row, whole in enumerate(map(self._ids, prompts)):
            read = torch.tensor([*whole[:-1][: self.length - 1], whole[-1]])
            ids[row, : len(read)], mask[row, : len(read)] = read, 1
        return ids, mask

    def _encoded(self, ids: Tensor, mask: Tensor | None, dtype: dtype) -> Tensor:
        import torch

        from mezzotint.pretrained.adapters import put_on
        from mezzotint.pretrained.component_network import network_of

        with torch.inference_mode():
            network = put_on(network_of(self.encoder, "cpu", dtype), self.encoder.name, self.adapters)
            found: Tensor = network(ids, attention_mask=mask).last_hidden_state
        return found.to(torch.float32, copy=True)


def t5_tower(tokenizer: Component, encoder: Component, length: int, adapters: tuple[Weighed, ...] = ()) -> T5Tower:
    """Raises ModelError where either part is of another class."""
    check_part(tokenizer, "transformers", "T5Tokenizer", "T5TokenizerFast")
    check_part(encoder, "transformers", "T5EncoderModel")
    return T5Tower(tokenizer, encoder, length, adapters)
