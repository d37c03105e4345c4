"""CLIP's text encoders of a diffusers folder: prompts to token states, in chunks, with emphasis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mezzotint.conditioning.counted import Counting
from mezzotint.conditioning.emphasis import parts_of
from mezzotint.conditioning.prompts import Pair
from mezzotint.conditioning.taught import numbered, pieces
from mezzotint.pretrained.components import Component, check_part
from mezzotint.pretrained.embeddings import Learned, taught
from mezzotint.pretrained.families.kept import identity
from mezzotint.pretrained.families.tokenizer import check_length, tokenizer_of

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn

    from mezzotint.pretrained.adapters import Weighed

LENGTH = 77
"""Tokens of a chunk, both ends included, where the encoder does not say another number."""

MAX_CHUNKS = 8
BACK = 20
"""A full chunk is cut at its last comma, where one is among so many tokens at its end."""

Layer = Literal["last", "penultimate"]


class States(NamedTuple):
    """text: (B, L, D).  pooled: (B, P) of the first chunk, projected where the encoder projects it."""

    text: Tensor
    pooled: Tensor


class Token(NamedTuple):
    """id: in the vocabulary.  weight: its emphasis, 1 is none."""

    id: int
    weight: float


class Spelled(NamedTuple):
    """Prompts in tokens.   ids: (B, chunks, L) int64.  weights: of their emphasis, float32."""

    ids: Tensor
    weights: Tensor


Chunk = tuple[Token, ...]


@dataclass(frozen=True)
class Tower:
    """A tokenizer and its encoder.  layer: whose states are the prompt's.  plain: brackets are plain characters and
    there is one chunk.  adapters: put on the encoder.  learned: words that it knows beside its own."""

    tokenizer: Component
    encoder: Component
    layer: Layer = "last"
    plain: bool = False
    adapters: tuple[Weighed, ...] = ()
    learned: tuple[Learned, ...] = ()

    @property
    def length(self) -> int:
        """Of a chunk, in tokens, both ends included."""
        said = self.encoder.config.get("max_position_embeddings", LENGTH)
        return min(said, LENGTH) if type(said) is int and said > 2 else LENGTH

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines what it makes of a text, adapters and learned words aside."""
        return identity(self.encoder, self.tokenizer, self.layer, self.plain, MAX_CHUNKS)

    @property
    def projects(self) -> bool:
        """Whether the encoder projects its pooled state."""
        return self.encoder.class_name == "CLIPTextModelWithProjection"

    def _tokens(self, prompt: str) -> list[list[Token]]:
        """The tokens of each part of a prompt.  Raises UsageError for a prompt without end."""
        check_length(prompt)
        parts = [[(prompt, 1.0)]] if self.plain else parts_of(prompt)
        return [[Token(i, weight) for text, weight in part for i in self._ids(text)] for part in parts]

    def _ids(self, text: str) -> list[int]:
        """The numbers of a text's tokens; those of learned words lie beyond the vocabulary."""
        reader = tokenizer_of(self.tokenizer)
        own = numbered(self.learned, self.name, int(self.encoder.config.get("vocab_size", len(reader))))
        found: list[int] = []
        for _, piece in pieces(text, list(own)):
            found += reader(piece, add_special_tokens=False).input_ids if isinstance(piece, str) else own[piece]
        return found

    def _cut(self, prompt: str) -> list[Chunk]:
        comma = tokenizer_of(self.tokenizer).convert_tokens_to_ids(",</w>")
        return [chunk for part in self._tokens(prompt) for chunk in chunks_of(part, self.length - 2, comma)]

    def chunks(self, prompt: str) -> tuple[Chunk, ...]:
        """What is read of a prompt."""
        return tuple(self._cut(prompt)[: 1 if self.plain else MAX_CHUNKS])

    @property
    def name(self) -> str:
        """Of its encoder's part."""
        return self.encoder.name

    def count(self, text: str) -> tuple[int, int]:
        """(used, dropped), in tokens."""
        used = sum(map(len, self.chunks(text)))
        return used, sum(map(len, self._cut(text))) - used

    def dropped(self, prompt: str) -> str:
        """What is at a prompt's end for which there is no room."""
        reader = tokenizer_of(self.tokenizer)
        rest = [t.id for chunk in self._cut(prompt)[len(self.chunks(prompt)) :] for t in chunk if t.id < len(reader)]
        return str(reader.decode(rest)).strip() if rest else ""

    def states(self, prompts: Sequence[str], dtype: dtype, chunks: int | None = None) -> States:
        """Float32 on the CPU, of weights in a number format.

        chunks: of every prompt, empty ones added at the end; None is as many as the longest has.
        """
        import torch

        from mezzotint.pretrained.adapters import put_on
        from mezzotint.pretrained.component_network import network_of

        spelled = self.spelled(prompts, chunks)
        network = put_on(network_of(self.encoder, "cpu", dtype), self.encoder.name, self.adapters)
        network = taught(network, self.learned, self.name)
        with torch.inference_mode():
            found = [self._said(network, ids) for ids in spelled.ids.unbind(1)]
        return _joined(found, spelled)

    def spelled(self, prompts: Sequence[str], chunks: int | None = None) -> Spelled:
        """Prompts in tokens; arguments as of ``states``."""
        import torch

        read = [self.chunks(prompt) for prompt in prompts]
        many = max(map(len, read)) if chunks is None else chunks
        reader = tokenizer_of(self.tokenizer)
        ids = torch.full((len(read), many, self.length), reader.pad_token_id)
        weights = torch.ones(len(read), many, self.length)
        for row, of_row in enumerate(read):
            for k, chunk in enumerate((*of_row, *((),) * (many - len(of_row)))):
                marked = [reader.bos_token_id, *(t.id for t in chunk), reader.eos_token_id]
                ids[row, k, : len(marked)] = torch.tensor(marked)
                weights[row, k, 1 : len(chunk) + 1] = torch.tensor([t.weight for t in chunk])
        return Spelled(ids, weights)

    def read(self, network: nn.Module, spelled: Spelled) -> States:
        """What a network, its encoder or one made of it, makes of tokens; differentiable."""
        return _joined([self._said(network, ids) for ids in spelled.ids.unbind(1)], spelled)

    def mask(self, prompts: Sequence[str]) -> Tensor:
        """(B, L) bool, True where the first chunk has a token, its ends included."""
        import torch

        used = torch.tensor([len(self.chunks(prompt)[0]) + 2 for prompt in prompts])
        return torch.arange(self.length) < used[:, None]

    def _said(self, network: nn.Module, ids: Tensor) -> States:
        """Of one chunk of each prompt, without emphasis, float32."""
        import torch

        found = read_by(network, ids)
        states = found.hidden_states[-2] if self.layer == "penultimate" else found.last_hidden_state
        pooled = found.text_embeds if self.projects else found.pooler_output
        return States(*(value.to(torch.float32, copy=True) for value in (states, pooled)))


def _joined(found: Sequence[States], spelled: Spelled) -> States:
    """All chunks in one.  Emphasis is put on in float32: the mean that it restores is of what nearly cancels."""
    import torch

    texts = [
        emphasised(one.text, weights[..., None]) for one, weights in zip(found, spelled.weights.unbind(1), strict=True)
    ]
    return States(torch.cat(texts, 1), found[0].pooled)


def read_by(network: nn.Module, ids: Tensor) -> Any:
    """What a text encoder, ours or transformers', says of tokens, with the states of every layer."""
    from mezzotint.nets.published.clip import CLIPText, CLIPTextProjected

    own = isinstance(network, CLIPText | CLIPTextProjected)
    return network(ids) if own else network(ids, output_hidden_states=True)


def emphasised(states: Tensor, weights: Tensor) -> Tensor:
    """States (B, L, D) times the weights (B, L, 1) of their tokens, each row's mean restored, as AUTOMATIC1111's web UI
    does it; rows without emphasis stay to the bit."""
    import torch

    strong = states * weights
    kept, mean = states.mean((1, 2), keepdim=True), strong.mean((1, 2), keepdim=True)
    plain = (weights == 1).all(1, keepdim=True)
    no_mean = mean.abs() < 1e-5 * strong.square().mean((1, 2), keepdim=True).sqrt()
    # What is not divided by is 1: the gradient of what is left out by torch.where is 0 times what it would be.
    divisor = torch.where(plain | no_mean, torch.ones_like(mean), mean)
    scaled = strong * torch.where(no_mean, torch.ones_like(mean), kept / divisor)
    return torch.where(plain, states, scaled)


def chunks_of(tokens: Sequence[Token], room: int, comma: int) -> list[Chunk]:
    """Tokens in chunks of at most ``room``; a full one ends at its last comma where that is near its end."""
    made, rest = [], list(tokens)
    while len(rest) > room:
        commas = [i for i in range(max(0, room - BACK), room) if rest[i].id == comma]
        cut = commas[-1] + 1 if commas else room
        made.append(tuple(rest[:cut]))
        rest = rest[cut:]
    return [*made, tuple(rest)]


def tower(
    tokenizer: Component,
    encoder: Component,
    layer: Layer = "last",
    *,
    plain: bool = False,
    adapters: tuple[Weighed, ...] = (),
    learned: tuple[Learned, ...] = (),
) -> Tower:
    """Raises ModelError where either part is of another class."""
    check_part(tokenizer, "transformers", "CLIPTokenizer", "CLIPTokenizerFast")
    check_part(encoder, "transformers", "CLIPTextModel", "CLIPTextModelWithProjection")
    return Tower(tokenizer, encoder, layer, plain, adapters, learned)


def notes_of(towers: Sequence[Counting], read: Sequence[Pair]) -> tuple[str, ...]:
    """What people should know of what towers read: what was dropped, said once."""
    lost = dict.fromkeys(t.dropped(pair[k]) for k in (0, 1) for t, pair in zip(towers, read, strict=True))
    return tuple(f"the prompt is too long; dropped from its end: {text}" for text in lost if text)
