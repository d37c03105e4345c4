"""An embedding of tokens with more rows behind it: words that it was taught, or that are learnt."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def looked_up(base: nn.Embedding, more: Tensor, ids: Tensor) -> Tensor:
    """Numbers (B, L) -> vectors (B, L, D): the base's own up to its last, then those of ``more`` (n, D)."""
    size = base.num_embeddings
    own: Tensor = base(ids.clamp(max=size - 1))
    learned = more.to(own.dtype)[(ids - size).clamp(min=0)]
    return torch.where((ids < size)[..., None], own, learned)


class Extended(nn.Module):
    """``looked_up`` with rows that stay as they are."""

    def __init__(self, base: nn.Embedding, more: Tensor) -> None:
        super().__init__()
        self.base = base
        self.register_buffer("more", more.to(base.weight), persistent=False)

    @property
    def weight(self) -> Tensor:
        """The base's, for code that asks for a dtype or device."""
        return self.base.weight

    def forward(self, ids: Tensor) -> Tensor:
        return looked_up(self.base, self.get_buffer("more"), ids)


class Learning(nn.Module):
    """``looked_up`` with rows that are learnt, float32; nothing else of it is.

    Gal et al., 2022, An Image is Worth One Word, eq. 2.
    """

    def __init__(self, base: nn.Embedding, start: Tensor) -> None:
        super().__init__()
        self.base, self.vectors = base, nn.Parameter(start.detach().float().clone())

    @property
    def weight(self) -> Tensor:
        """The base's, for code that asks for a dtype or device."""
        return self.base.weight

    def forward(self, ids: Tensor) -> Tensor:
        return looked_up(self.base, self.vectors, ids)
