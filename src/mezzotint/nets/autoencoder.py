"""An autoencoder of pictures: pixels to a small latent grid and back, for models that diffuse in the latent.

Rombach et al., 2022, Latent Diffusion, https://arxiv.org/abs/2112.10752, section 3.1.  The latent is kept small and
smooth by noise instead of a KL term (Ghosh et al., 2020, From Variational to Deterministic Autoencoders, section 3):
the decoder learns from latents of unit mean square with noise on them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.cond import check_state
from mezzotint.nets.config import AutoencoderConfig
from mezzotint.nets.magnitude import SILU, MPConv, dense, pixel_norm, sum_weights
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.unet import resampled


class Block(nn.Module):
    """A residual block of two convolutions, magnitude-preserving (see ``nets.unet``)."""

    def __init__(self, fan_in: int, out: int) -> None:
        super().__init__()
        self.keep, add = sum_weights(0.3)
        self.skip = MPConv(fan_in, out, (1, 1)) if fan_in != out else None
        self.first = MPConv(out, out, (3, 3), scale=1 / SILU)
        self.second = MPConv(out, out, (3, 3), scale=add / SILU)

    def forward(self, x: Tensor) -> Tensor:
        x = pixel_norm(x if self.skip is None else self.skip(x))
        y: Tensor = torch.add(self.second(F.silu(self.first(F.silu(x)))), x, alpha=self.keep)
        return y


class Encoder(nn.Module):
    """(B, C, H, W) in -1 … 1 -> (B, latent, h, w), each pixel of unit mean square."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.fold = config.fold
        widths = config.widths
        self.first = MPConv(config.channels * config.fold**2 + 1, widths[0], (3, 3))
        self.blocks = nn.ModuleList(
            nn.ModuleList(Block(widths[max(0, i - 1)] if k == 0 else w, w) for k in range(config.blocks))
            for i, w in enumerate(widths)
        )
        self.out = MPConv(widths[-1], config.latent, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = F.pixel_unshuffle(x, self.fold).to(compute_dtype(self.first.weight))
        y = self.first(dense(torch.cat([y, torch.ones_like(y[:, :1])], 1), 2))
        for i, level in enumerate(self.blocks):
            y = resampled(y, "down" if i else "keep", (2, 2))
            for block in _modules(level):
                y = block(y)
        return pixel_norm(self.out(y)).to(x.dtype)


class Decoder(nn.Module):
    """(B, latent, h, w) -> (B, C, H, W); the last gain is learned from zero."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.fold = config.fold
        widths = config.widths[::-1]
        self.first = MPConv(config.latent + 1, widths[0], (3, 3))
        self.blocks = nn.ModuleList(
            nn.ModuleList(Block(widths[max(0, i - 1)] if k == 0 else w, w) for k in range(config.blocks + 1))
            for i, w in enumerate(widths)
        )
        self.out = MPConv(widths[-1], config.channels * config.fold**2, (3, 3), gain="learned")

    def forward(self, z: Tensor) -> Tensor:
        y = z.to(compute_dtype(self.first.weight))
        y = self.first(dense(torch.cat([y, torch.ones_like(y[:, :1])], 1), 2))
        for i, level in enumerate(self.blocks):
            y = resampled(y, "up" if i else "keep", (2, 2))
            for block in _modules(level):
                y = block(y)
        return F.pixel_shuffle(self.out(y), self.fold).to(z.dtype)


def _modules(level: nn.Module) -> list[nn.Module]:
    return list(level.children())


class Autoencoder(nn.Module):
    """Encoder and decoder: (x (B, C, H, W), noise (B, latent, h, w)) -> the picture decoded from the noised latent."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Raises ModelError for a picture that does not fit."""
        factor = self.config.factor
        check_state(x, 2, self.config.channels, (factor, factor))
        y: Tensor = self.decoder(self.encoder(x) + noise)
        return y
