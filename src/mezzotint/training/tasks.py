"""Tasks beside denoising: an autoencoder's, and that of a space that pictures and texts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mezzotint.conditioning.minilm import pooled
from mezzotint.nets.embedder import contrastive
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Coupling, Sample

Features = Callable[[Tensor], list[Tensor]]
"""(B, 3, H, W) in -1 … 1 -> feature maps (B, c, h, w), of networks that look at pictures as people do."""


def no_features(x: Tensor) -> list[Tensor]:
    """Pixels alone are compared."""
    return []


@dataclass(frozen=True)
class Reconstruct:
    """Absolute error of the reconstruction, of its differences between neighbours, and of features.

    noise: standard deviation of the noise on the latent, whose pixels have unit mean square.
    edges: weight of the differences, which keep outlines sharp.   perceptual: weight of the features' squared error
    between maps of unit length a pixel.  Zhang et al., 2018, LPIPS, eq. 1.
    """

    noise: float = 0.08
    edges: float = 1.0
    perceptual: float = 0.0
    features: Features = no_features

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        x = recipe.codec.encode(given.images)
        noise = self.noise * given.draws.normals(0, tuple(recipe.net.shape)).to(x)
        y: Tensor = network(x, noise).float()
        loss: Tensor = (y - x).abs().flatten(1).mean(1)
        for axis in (2, 3):
            loss = loss + self.edges * (y.diff(dim=axis) - x.diff(dim=axis)).abs().flatten(1).mean(1)
        for a, b in zip(self.features(y), self.features(x), strict=True):
            loss = loss + self.perceptual * (_unit(a) - _unit(b)).square().sum(1).flatten(1).mean(1)
        return loss


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x.float(), dim=1)


@dataclass(frozen=True)
class TellApart(Coupling):
    """Which text belongs to which picture of those computed at once, both ways; see ``nets.embedder.contrastive``.

    The text is the mean of cond's token states.  Texts that are equal are right for each other's pictures too.
    """

    def __call__(self, recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
        sentences = pooled(given.cond["text"].float(), given.cond["text_mask"])
        pictures, texts, sharpness = network(recipe.codec.encode(given.images), sentences)
        with torch.autocast(sentences.device.type, enabled=False):  # cosines of bfloat16 do not know equal from alike
            return contrastive(pictures, texts, sharpness, sentences @ sentences.T > 1 - 1e-4)


tell_apart = TellApart()
