"""Pictures and texts in one space, learned by telling pairs apart: a small CLIP.

Radford et al., 2021, CLIP, https://arxiv.org/abs/2103.00020, figure 3.  The text's side is one linear map of a frozen
sentence embedding; the picture's side is convolutional and magnitude-preserving (see ``nets.unet``).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.nets.config import EmbedderConfig
from mezzotint.nets.precision import compute_dtype
from mezzotint.nets.trunk import Trunk

FIRST_TEMPERATURE, MAX_SHARPNESS = 0.07, 100.0
"""As in the paper, section 2.5."""


class Embedder(nn.Module):
    """(pictures (B, C, H, W) in -1 … 1, sentences (B, T)) -> both (B, width), of unit norm, and the sharpness, ()."""

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config.channels, config.fold, config.widths, config.blocks)
        self.picture = nn.Linear(config.widths[-1], config.width, bias=False)
        self.text = nn.Linear(config.sentence, config.width, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(math.log(1 / FIRST_TEMPERATURE)))

    def pictures(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, width) of unit norm.  Raises ModelError for a picture that does not fit."""
        return F.normalize(self.picture(self.trunk(x)[-1].mean((2, 3))).float(), dim=-1)

    def texts(self, sentences: Tensor) -> Tensor:
        """(B, T) -> (B, width) of unit norm."""
        return F.normalize(self.text(sentences.to(compute_dtype(self.text.weight))).float(), dim=-1)

    def forward(self, x: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.pictures(x), self.texts(sentences), self.sharpness.exp().clamp(max=MAX_SHARPNESS)


def contrastive(pictures: Tensor, texts: Tensor, sharpness: Tensor, same: Tensor) -> Tensor:
    """The loss of each pair, (B,): the mean of both cross-entropies over the batch, pairs that say the same being right
    too.   same: (B, B) bool, whether text j is as true of picture i as its own.
    """
    logits = sharpness * pictures @ texts.T
    right = same.float() / same.float().sum(1, keepdim=True)
    one = -(right * logits.log_softmax(1)).sum(1)
    other = -(right.T / right.T.sum(1, keepdim=True) * logits.T.log_softmax(1)).sum(1)
    return (one + other) / 2
