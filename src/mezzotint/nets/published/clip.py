"""transformers' ``CLIPTextModel`` and ``CLIPTextModelWithProjection`` in few lines: the same paths and arithmetic.

Radford et al., 2021, Learning Transferable Visual Models From Natural Language Supervision, sec. 2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"quick_gelu": quick_gelu, "gelu": F.gelu}


@dataclass(frozen=True)
class CLIPConfig:
    """Of its configuration, what counts.   end: the token whose state is the pooled one, 2 is the largest.
    projected: width of the projection, 0 is none."""

    words: int
    positions: int
    width: int
    inner: int
    heads: int
    depth: int
    activation: str
    eps: float
    end: int
    projected: int = 0


@dataclass(frozen=True)
class Read:
    """hidden_states: before the first layer and after each, (B, L, D).  last_hidden_state: normed.  pooler_output
    (B, D), text_embeds (B, P): of the end token, the second projected, None where nothing projects."""

    hidden_states: tuple[Tensor, ...]
    last_hidden_state: Tensor
    pooler_output: Tensor
    text_embeds: Tensor | None = None


class _Embeddings(nn.Module):
    def __init__(self, c: CLIPConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(c.words, c.width)
        self.position_embedding = nn.Embedding(c.positions, c.width)

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        made: Tensor = self.token_embedding(ids) + self.position_embedding(places)
        return made


class _Attention(nn.Module):
    """To what came before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        shape = (*x.shape[:2], self.heads, -1)
        q, k, v = (to(x).view(shape).transpose(1, 2) for to in (self.q_proj, self.k_proj, self.v_proj))
        found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        made: Tensor = self.out_proj(found.transpose(1, 2).reshape(x.shape))
        return made


class _MLP(nn.Module):
    def __init__(self, c: CLIPConfig) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(c.width, c.inner), nn.Linear(c.inner, c.width)
        self.activation = c.activation

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.fc2(ACTIVATIONS[self.activation](self.fc1(x)))
        return made


class _Layer(nn.Module):
    def __init__(self, c: CLIPConfig) -> None:
        super().__init__()
        self.self_attn = _Attention(c.width, c.heads)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(c.width, c.eps), nn.LayerNorm(c.width, c.eps)
        self.mlp = _MLP(c)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        made: Tensor = x + self.mlp(self.layer_norm2(x))
        return made


class _Encoder(nn.Module):
    def __init__(self, c: CLIPConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(c) for _ in range(c.depth))


class CLIPText(nn.Module):
    """Token numbers (B, L) -> states."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.embeddings, self.encoder = _Embeddings(config), _Encoder(config)
        self.final_layer_norm = nn.LayerNorm(config.width, config.eps)
        self.end = config.end

    def forward(self, ids: Tensor) -> Read:
        states = [self.embeddings(ids)]
        for layer in self.encoder.layers:
            states.append(layer(states[-1]))
        last = self.final_layer_norm(states[-1])
        ends = ids.argmax(-1) if self.end == 2 else (ids == self.end).int().argmax(-1)
        return Read(tuple(states), last, last[torch.arange(len(ids), device=ids.device), ends])


class CLIPTextProjected(nn.Module):
    """The same, the pooled state projected."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.text_model = CLIPText(config)
        self.text_projection = nn.Linear(config.width, config.projected, bias=False)

    def forward(self, ids: Tensor) -> Read:
        read: Read = self.text_model(ids)
        projected = self.text_projection(read.pooler_output)
        return Read(read.hidden_states, read.last_hidden_state, read.pooler_output, projected)
