"""The embedding of a picture as the state: what a prior makes from a text, and what a picture can be given as."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mezzotint.codecs.base import Vector
from mezzotint.nets.embedder import Embedder


@dataclass(frozen=True, eq=False)
class Embedding:
    """Pictures (B, C, H, W) uint8 -> embeddings of unit mean square as states (B, 1, width), through a frozen network.

    One way: what a state decodes to is the embedding itself, (B, width), which the next stage is told.
    Ramesh et al., 2022, Hierarchical Text-Conditional Image Generation with CLIP Latents, section 2.
    """

    net: Embedder
    _vector: Vector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_vector", Vector(self.net.config.width))

    @property
    def shape(self) -> tuple[int, ...]:
        return self._vector.shape

    @property
    def data_shape(self) -> tuple[int, int, int]:
        """Of a picture to encode."""
        return (self.net.config.channels, *self.net.config.size)

    def encode(self, data: Tensor) -> Tensor:
        """Raises ModelError for pictures of another shape."""
        device = self.net.picture.weight.device
        with torch.no_grad():
            found = self.net.pictures(data.to(device).float() / 127.5 - 1)
        return self._vector.encode(found * math.sqrt(self.net.config.width))

    def decode(self, state: Tensor) -> Tensor:
        """Raises InputError for another shape."""
        return self._vector.decode(state)
