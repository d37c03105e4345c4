"""A network that says what a product picture shows: its kind, its view, and which pixels are the product.

Used to measure other models, never to make pictures.  Convolutional and magnitude-preserving (see ``nets.unet``); the
mask is read from all resolutions at once (Lin et al., 2017, Feature Pyramid Networks, https://arxiv.org/abs/1612.03144).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.config import JudgeConfig
from mezzotint.nets.magnitude import MPConv
from mezzotint.nets.trunk import Trunk


class Judge(nn.Module):
    """(B, C, H, W) in -1 … 1 -> (logits of kinds (B, K), of views (B, V), of the mask (B, H / fold, W / fold))."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.trunk = Trunk(config.channels, config.fold, widths, config.blocks)
        self.lateral = nn.ModuleList(MPConv(w, widths[0], (1, 1)) for w in widths)
        self.mask = MPConv(widths[0], 1, (3, 3), gain="learned")
        self.kinds = nn.Linear(widths[-1], config.kinds)
        self.views = nn.Linear(widths[-1], config.views)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raises ModelError for a picture that does not fit."""
        seen = self.trunk(x)
        pooled = seen[-1].mean((2, 3))
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
