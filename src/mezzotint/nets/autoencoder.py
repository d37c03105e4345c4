"""An autoencoder of pictures: pixels to a small latent grid and back, for models that diffuse in the latent.

Rombach et al., 2022, Latent Diffusion, https://arxiv.org/abs/2112.10752, section 3.1.  The latent is kept small and
smooth by noise instead of a KL term (Ghosh et al., 2020, From Variational to Deterministic Autoencoders, section 3):
the decoder learns from latents of unit mean square with noise on them.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.config import AutoencoderConfig
from mezzotint.nets.magnitude import MPConv, pixel_norm
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.trunk import Trunk, levels, with_ones
from mezzotint.nets.unet import resampled


class Encoder(nn.Module):
    """(B, C, H, W) in -1 … 1 -> (B, latent, h, w), each pixel of unit mean square."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.trunk = Trunk(config.channels, config.fold, config.widths, config.blocks)
        self.out = MPConv(config.widths[-1], config.latent, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Raises ModelError for a picture that does not fit."""
        return pixel_norm(self.out(self.trunk(x)[-1])).to(x.dtype)


class Decoder(nn.Module):
    """(B, latent, h, w) -> (B, C, H, W); the last gain is learned from one.

    From zero, where a denoiser's starts, an absolute error cannot tell at first which way is better: hundreds of
    updates went by.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.fold = config.fold
        widths = config.widths[::-1]
        self.first = MPConv(config.latent + 1, widths[0], (3, 3))
        self.blocks = levels(widths, config.blocks + 1)
        self.out = MPConv(widths[-1], config.channels * config.fold**2, (3, 3), gain="learned")
        assert self.out.gain is not None
        nn.init.ones_(self.out.gain)

    def forward(self, z: Tensor) -> Tensor:
        y = self.first(with_ones(z.to(compute_dtype(self.first.weight))))
        for i, level in enumerate(self.blocks):
            y = level(resampled(y, "up" if i else "keep", (2, 2)))
        return F.pixel_shuffle(self.out(y), self.fold).to(z.dtype)


class Autoencoder(nn.Module):
    """Encoder and decoder: (x (B, C, H, W), noise (B, latent, h, w)) -> the picture decoded from the noised latent."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Raises ModelError for a picture that does not fit."""
        y: Tensor = self.decoder(self.encoder(x) + noise)
        return y
