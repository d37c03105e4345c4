"""A network that says what the latent of a product picture shows, to choose among pictures of one prompt before any of
them is decoded.

It has not seen what measures models (``nets.judge``), which reads pixels.  Convolutional and magnitude-preserving (see
``nets.unet``).
"""

from __future__ import annotations

from torch import Tensor, nn

from mezzotint.nets.config import RankerConfig
from mezzotint.nets.trunk import Trunk


class Ranker(nn.Module):
    """Latents (B, C, H, W) of unit mean square -> logits of kinds (B, K), views (B, V), colours (B, C), float32."""

    def __init__(self, config: RankerConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config.channels, 1, config.widths, config.blocks)
        self.kinds = nn.Linear(config.widths[-1], config.kinds)
        self.views = nn.Linear(config.widths[-1], config.views)
        self.colours = nn.Linear(config.widths[-1], config.colours)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raises ModelError for a latent that does not fit."""
        pooled = self.trunk(x)[-1].mean((2, 3))
        return self.kinds(pooled).float(), self.views(pooled).float(), self.colours(pooled).float()
