"""States kept as bytes: float16, each number in two channels of uint8, for data sets of latents of any range."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.codecs.base import check_rows


@dataclass(frozen=True)
class Halves:
    """(B, 2c, *) uint8 <-> the state (B, c, *), float16's precision.   Channel 2k and 2k + 1 are number k's bytes."""

    shape: tuple[int, ...]

    @property
    def stored(self) -> tuple[int, ...]:
        """The shape of one sample as it is kept."""
        return (2 * self.shape[0], *self.shape[1:])

    def encode(self, data: Tensor) -> Tensor:
        """Bytes -> states, float32.  Raises InputError for another shape."""
        check_rows("stored states", data, self.stored)
        pairs = data.reshape(len(data), self.shape[0], 2, *self.shape[1:]).movedim(2, -1).contiguous()
        made: Tensor = pairs.view(torch.float16)[..., 0].float()
        return made

    def decode(self, state: Tensor) -> Tensor:
        """States -> bytes, to the nearest float16.  Raises InputError for another shape."""
        check_rows("states", state, self.shape)
        pairs = state.to(torch.float16)[..., None].contiguous().view(torch.uint8)
        return pairs.movedim(-1, 2).flatten(1, 2).contiguous()
