"""A network that says what a product picture shows: its kind, its view, and which pixels are the product.

Used to measure other models, never to make pictures.  Convolutional and magnitude-preserving (see ``nets.unet``); the
mask is read from all resolutions at once (Lin et al., 2017, Feature Pyramid Networks, https://arxiv.org/abs/1612.03144).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.autoencoder import Block
from mezzotint.nets.cond import check_state
from mezzotint.nets.config import JudgeConfig
from mezzotint.nets.magnitude import MPConv, dense
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.unet import resampled


class Judge(nn.Module):
    """(B, C, H, W) in -1 … 1 -> (logits of kinds (B, K), of views (B, V), of the mask (B, H / fold, W / fold))."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.first = MPConv(config.channels * config.fold**2 + 1, widths[0], (3, 3))
        self.blocks = nn.ModuleList(
            nn.ModuleList(Block(widths[max(0, i - 1)] if k == 0 else w, w) for k in range(config.blocks))
            for i, w in enumerate(widths)
        )
        self.lateral = nn.ModuleList(MPConv(w, widths[0], (1, 1)) for w in widths)
        self.mask = MPConv(widths[0], 1, (3, 3), gain="learned")
        self.kinds = nn.Linear(widths[-1], config.kinds)
        self.views = nn.Linear(widths[-1], config.views)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raises ModelError for a picture that does not fit."""
        config = self.config
        factor = config.fold * 2 ** (len(config.widths) - 1)
        check_state(x, 2, config.channels, (factor, factor))
        y = F.pixel_unshuffle(x, config.fold).to(compute_dtype(self.first.weight))
        y = self.first(dense(torch.cat([y, torch.ones_like(y[:, :1])], 1), 2))
        seen: list[Tensor] = []
        for i, level in enumerate(self.blocks):
            y = resampled(y, "down" if i else "keep", (2, 2))
            for block in level.children():
                y = block(y)
            seen.append(y)
        pooled = y.mean((2, 3))
        return self.kinds(pooled).float(), self.views(pooled).float(), self._mask(seen).float()

    def _mask(self, seen: list[Tensor]) -> Tensor:
        """From the coarsest to the finest, each added to what is above it."""
        total: Tensor | None = None
        for y, lateral in zip(reversed(seen), reversed(list(self.lateral)), strict=True):
            here = lateral(y)
            total = here if total is None else here + F.interpolate(total, scale_factor=2.0, mode="nearest")
        assert total is not None
        answer: Tensor = self.mask(F.silu(total))
        return answer[:, 0]
