"""How the ranker of product latents is taught: latents with their kind and view, a little noise on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.products.judging import VIEW_NAMES, VIEW_WEIGHT, kinds
from mezzotint.products.latents import LatentScenes
from mezzotint.products.source import Photograph
from mezzotint.training.data.source import Data, Item, Report, Shard
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample

NOISE = 0.5
"""The largest standard deviation of the noise on a latent of unit mean square: what a model makes is not as clean."""


@dataclass(frozen=True, eq=False)
class LabelledLatents:
    """A ``Source`` of latents whose label says kind and view, as ``judging.LabelledScenes`` counts them."""

    latents: LatentScenes

    @property
    def classes(self) -> tuple[str, ...]:
        """Kind and view."""
        return tuple(f"{kind}, {view}" for kind in kinds() for view in VIEW_NAMES)

    @property
    def shards(self) -> int:
        return self.latents.shards

    @property
    def fingerprint(self) -> str:
        return f"{self.latents.fingerprint}/labelled"

    def open(self, shard: int, report: Report) -> Shard:
        return _Labelled(self.latents.open(shard, report), self.latents.scenes.pictures)


@dataclass(frozen=True)
class _Labelled:
    base: Shard
    pictures: list[Photograph]

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, i: int) -> Item:
        item, picture = self.base[i], self.pictures[i]
        label = kinds().index(picture.kind) * len(VIEW_NAMES) + VIEW_NAMES.index(picture.view)
        return Item(item.id, item.image, label=label)


def labelled(data: Callable[[Path | None], Data]) -> Callable[[Path | None], Data]:
    """The data of a recipe of latents, with labels for texts."""

    def made(folder: Path | None) -> Data:
        found = data(folder)
        assert isinstance(found.train, LatentScenes) and isinstance(found.held_out, LatentScenes)
        return Data(LabelledLatents(found.train), LabelledLatents(found.held_out))

    return made


def tell_kind(recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
    """Cross-entropies of kind and view, (b,), of latents with noise of 0 … NOISE."""
    x = recipe.codec.encode(given.images)
    sigma = NOISE * given.draws.uniforms(0).to(x)[:, None, None, None]
    kind, view = network(x + sigma * given.eps.to(x))
    found = F.cross_entropy(kind, given.cond["label"], reduction="none", label_smoothing=0.05)
    loss: Tensor = found + VIEW_WEIGHT * F.cross_entropy(view, given.cond["view"], reduction="none")
    return loss
