"""An embedding of tokens with more rows behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Extended(nn.Module):
    """Numbers (B, L) -> vectors (B, L, D): the base's own up to its last, then those of ``more`` (n, D)."""

    def __init__(self, base: nn.Embedding, more: Tensor) -> None:
        super().__init__()
        self.base = base
        self.register_buffer("more", more.to(base.weight), persistent=False)

    @property
    def weight(self) -> Tensor:
        """The base's, for code that asks for a dtype or device."""
        return self.base.weight

    def forward(self, ids: Tensor) -> Tensor:
        size = self.base.num_embeddings
        own: Tensor = self.base(ids.clamp(max=size - 1))
        learned = self.get_buffer("more")[(ids - size).clamp(min=0)]
        return torch.where((ids < size)[..., None], own, learned)
