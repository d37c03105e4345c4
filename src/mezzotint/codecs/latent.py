"""Latents of an autoencoder as the state, and their 8-bit form for data sets of latents."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from mezzotint.codecs.base import check_rows
from mezzotint.codecs.pixels import Pixels
from mezzotint.nets.autoencoder import Autoencoder
from mezzotint.nets.build import freeze
from mezzotint.nets.winograd import quick


@dataclass(frozen=True, eq=False)
class Latent:
    """Pictures (B, C, H, W) uint8 <-> latents (B, c, h, w) of unit mean square a pixel, through a frozen autoencoder.

    net: convolutional, so that any ``size`` (height, width) will do that its factor divides.
    decode(encode(p)) is p to the autoencoder's own error, which its card states.
    """

    net: Autoencoder
    size: tuple[int, int]
    _pixels: Pixels = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pixels", Pixels(self.net.config.channels, self.size))

    @property
    def shape(self) -> tuple[int, ...]:
        return replace(self.net.config, size=self.size).shape

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Of one decoded picture."""
        return self._pixels.shape

    def encode(self, data: Tensor) -> Tensor:
        """Raises InputError for another dtype or shape."""
        x = self._pixels.encode(data)
        with torch.inference_mode():
            latent: Tensor = self._frozen.encoder(x.to(self._device)).float()
        return latent

    def decode(self, state: Tensor) -> Tensor:
        """Raises InputError for another shape, NonFiniteError where the state is not finite."""
        check_rows("latents", state, self.shape)
        with torch.inference_mode():
            return self._pixels.decode(self._frozen.decoder(state.float()))

    @cached_property
    def _frozen(self) -> Autoencoder:
        """The network with its weights made once."""
        made = freeze(self.net, torch.float32)
        assert isinstance(made, Autoencoder)
        return quick(made, self._device.type, torch.float32)

    @cached_property
    def _device(self) -> torch.device:
        return next(self.net.parameters()).device


@dataclass(frozen=True)
class Stored:
    r"""Latents kept as uint8: :math:`z = (q / 127.5 - 1)\sqrt c`, which is their whole range, c channels a pixel of
    unit mean square; the step, √c / 127.5, is far below the noise that a decoder learns with."""

    shape: tuple[int, int, int]

    @property
    def reach(self) -> float:
        """The largest value a latent can have."""
        return math.sqrt(self.shape[0])

    def encode(self, data: Tensor) -> Tensor:
        """(B, c, h, w) uint8 -> float32."""
        check_rows("stored latents", data, self.shape)
        return (data.float() / 127.5 - 1) * self.reach

    def decode(self, state: Tensor) -> Tensor:
        """(B, c, h, w) float -> uint8, to the nearest."""
        check_rows("latents", state, self.shape)
        return ((state.float() / self.reach + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
