"""Pixels as the state: uint8 0 … 255 <-> float -1 … 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.codecs.base import check_rows
from mezzotint.errors import InputError, NonFiniteError


@dataclass(frozen=True)
class Pixels:
    r"""Pictures without an autoencoder: :math:`x = p/127.5 - 1`; decoding rounds to nearest and clips.

    decode(encode(p)) = p exactly.  channels: 1 grey, 3 RGB, 4 RGBA.  size: (height, width).
    """

    channels: int
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, *self.size)

    def encode(self, data: Tensor) -> Tensor:
        """(B, C, H, W) uint8 -> (B, C, H, W) float32.  Raises InputError for another dtype or shape."""
        check_rows("pictures", data, self.shape)
        if data.dtype != torch.uint8:
            raise InputError(f"pictures: expected uint8 0 to 255, got {data.dtype}; do not scale them yourself")
        return data.float() / 127.5 - 1

    def decode(self, state: Tensor) -> Tensor:
        """(B, C, H, W) float -> (B, C, H, W) uint8.  Raises NonFiniteError where the state is not finite."""
        check_rows("state", state, self.shape)
        if not bool(state.isfinite().all()):
            raise NonFiniteError(
                "a state to decode is not finite; the weights or the number format are at fault, try --dtype float32"
            )
        return ((state.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class Unrounded:
    """Pictures that another stage goes on with: what ``pixels`` would decode, in floats -1 … 1, not rounded."""

    pixels: Pixels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    def encode(self, data: Tensor) -> Tensor:
        """As ``Pixels``."""
        return self.pixels.encode(data)

    def decode(self, state: Tensor) -> Tensor:
        """(B, C, H, W) float -> the same within -1 … 1.  Raises InputError for another shape."""
        check_rows("state", state, self.shape)
        return state.float().clamp(-1, 1)


def rounded(data: Tensor) -> Tensor:
    """Pictures as a codec decodes them, uint8 or floats -1 … 1, as uint8."""
    return data if data.dtype == torch.uint8 else ((data + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
