"""The latent of diffusers' autoencoders as the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mezzotint.codecs.base import check_rows
from mezzotint.codecs.pixels import Pixels


@dataclass(frozen=True, eq=False)
class KL:
    r"""Pictures (B, 3, H, W) uint8 <-> latents (B, c, H/f, W/f), :math:`z = (\mu(x) - shift)\cdot scaling`.

    vae: fetches an ``AutoencoderKL`` of diffusers.  size: (height, width).  factor: f.   Encoding takes the mean of the
    posterior, so that a picture has one latent.
    Rows are decoded one by one: decoding takes most memory of all.
    Rombach et al., 2022, High-Resolution Image Synthesis with Latent Diffusion Models, app. G.
    """

    vae: Callable[[], nn.Module]
    size: tuple[int, int]
    factor: int
    channels: int
    scaling: float
    shift: float = 0.0
    _pixels: Pixels = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pixels", Pixels(3, self.size))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.size[0] // self.factor, self.size[1] // self.factor)

    def encode(self, data: Tensor) -> Tensor:
        """Raises InputError for another dtype or shape."""
        return self.latent(self._pixels.encode(data))

    def latent(self, x: Tensor) -> Tensor:
        """The same of pictures (B, 3, H, W) in -1 … 1, such as a masked one whose grey is 0."""
        with torch.inference_mode():
            net = self._net
            mean: Tensor = net.encode(x.to(_dtype(net))).latent_dist.mode()
        return (mean.float() - self.shift) * self.scaling

    def decode(self, state: Tensor) -> Tensor:
        """Raises InputError for another shape, NonFiniteError where the state is not finite."""
        check_rows("latents", state, self.shape)
        return self._pixels.decode(self.picture(state))

    def picture(self, state: Tensor) -> Tensor:
        """The same in floats, -1 … 1 and a little beyond, of any size."""
        z = state.float() / self.scaling + self.shift
        with torch.inference_mode():
            net = self._net
            rows = [net.decode(z[i : i + 1].to(_dtype(net))).sample for i in range(len(z))]
        return torch.cat(rows).float()

    @property
    def _net(self) -> Any:
        return self.vae()


def _dtype(net: nn.Module) -> torch.dtype:
    return next(net.parameters()).dtype
