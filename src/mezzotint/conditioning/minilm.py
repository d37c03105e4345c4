"""A small BERT encoder in plain torch, frozen: token ids to token states, as Imagen freezes T5.

Wang et al., 2020, MiniLM, https://arxiv.org/abs/2002.10957; the weights that ship are those of all-MiniLM-L6-v2
(Apache-2.0) in int8 with one scale a row.  Saharia et al., 2022, Imagen, sec. 2.1 (a frozen text encoder).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.conditioning.text import VOCABULARY, WIDTH
from mezzotint.conditioning.vocabulary import Extended
from mezzotint.errors import ModelError

LEVELS = 127
"""int8 values used on each side of zero."""

SCALE = ".scale"


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the encoder; the defaults are all-MiniLM-L6-v2's, with as many positions as prompts need."""

    vocabulary: int = VOCABULARY
    width: int = WIDTH
    depth: int = 6
    heads: int = 12
    hidden: int = 1536
    positions: int = 128
    epsilon: float = 1e-12


class Layer(nn.Module):
    """Post-norm attention and MLP.  Devlin et al., 2019, BERT; Vaswani et al., 2017, sec. 3."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, config.epsilon)
        self.up = nn.Linear(width, config.hidden)
        self.down = nn.Linear(config.hidden, width)
        self.norm2 = nn.LayerNorm(width, config.epsilon)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        b, n, width = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, width)
        x = self.norm1(x + self.out(mixed))
        y: Tensor = self.norm2(x + self.down(F.gelu(self.up(x))))
        return y


class Encoder(nn.Module):
    """(ids (B, L) int64, mask (B, L) bool, True = a token) -> states (B, L, width); masked places are zero."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.words: nn.Embedding | Extended = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.positions, config.width)
        self.norm = nn.LayerNorm(config.width, config.epsilon)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))

    def teach(self, vectors: Tensor) -> None:
        """More tokens, (n, width), numbered from the vocabulary's end on."""
        assert isinstance(self.words, nn.Embedding)
        self.words = Extended(self.words, vectors)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        bias = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill(~mask, -1e4)[:, None, None]
        for layer in self.layers:
            x = layer(x, bias)
        return torch.where(mask[..., None], x, x.new_zeros(()))


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The sentence's embedding, (B, width) of unit norm: the mean of its token states.  Reimers and Gurevych, 2019."""
    mean = states.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    return F.normalize(mean, dim=-1)


def quantised(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as int8 with one float32 scale a row, q = round(w / s), s = max |w| / 127; all else as it is."""
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim != 2:
            made[name] = tensor.float().contiguous()
            continue
        scale = tensor.float().abs().amax(1).clamp(min=1e-12) / LEVELS
        made[name] = (tensor.float() / scale[:, None]).round().to(torch.int8)
        made[name + SCALE] = scale
    return made


def dequantised(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of ``quantised``, to within half a step.  Raises ModelError for a matrix without its scale."""
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            continue
        if tensor.dtype != torch.int8:
            made[name] = tensor
            continue
        if name + SCALE not in state or state[name + SCALE].shape != tensor.shape[:1]:
            raise ModelError(f"text encoder: {name} has no scale for its rows; the file is damaged")
        made[name] = tensor.float() * state[name + SCALE][:, None]
    return made


def from_bert(state: Mapping[str, Tensor], config: EncoderConfig) -> dict[str, Tensor]:
    """A published BERT state dict under this encoder's names; the token type of a lone sentence goes into the places.

    Raises ModelError for a missing key.
    """
    try:
        return _renamed(state, config)
    except KeyError as error:
        raise ModelError(f"text encoder: the BERT weights have no {error}") from error


def _renamed(state: Mapping[str, Tensor], config: EncoderConfig) -> dict[str, Tensor]:
    made = {
        "words.weight": state["embeddings.word_embeddings.weight"],
        "places.weight": state["embeddings.position_embeddings.weight"][: config.positions]
        + state["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": state["embeddings.LayerNorm.weight"],
        "norm.bias": state["embeddings.LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm2": "output.LayerNorm",
    }
    for i in range(config.depth):
        theirs = f"encoder.layer.{i}"
        for end in ("weight", "bias"):
            made[f"layers.{i}.qkv.{end}"] = torch.cat(
                [state[f"{theirs}.attention.self.{part}.{end}"] for part in ("query", "key", "value")]
            )
            for ours, name in names.items():
                made[f"layers.{i}.{ours}.{end}"] = state[f"{theirs}.{name}.{end}"]
    return {name: tensor.contiguous() for name, tensor in made.items()}
