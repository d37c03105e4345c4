"""How the judge of product pictures is taught: scenes with their kind, their view and their exact mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.products.shots import VIEWS
from mezzotint.products.source import Scenes, SceneShard
from mezzotint.products.vocabulary import vocabulary
from mezzotint.training.data.source import Item, Report, Shard
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Sample


@cache
def kinds() -> tuple[str, ...]:
    """Every kind of product, in the order of the judge's answers."""
    return tuple(sorted(vocabulary().words))


VIEW_NAMES = tuple(VIEWS)
MASK_WEIGHT, VIEW_WEIGHT = 1.0, 0.5


@dataclass(frozen=True, eq=False)
class LabelledScenes:
    """A ``Source`` of scenes with four channels, RGB and the product's own mask; the label says kind and view."""

    scenes: Scenes

    @property
    def classes(self) -> tuple[str, ...]:
        """Kind and view, as the label counts them."""
        return tuple(f"{kind}, {view}" for kind in kinds() for view in VIEW_NAMES)

    @property
    def shards(self) -> int:
        return self.scenes.shards

    @property
    def fingerprint(self) -> str:
        return f"{self.scenes.fingerprint}/labelled"

    def open(self, shard: int, report: Report) -> Shard:
        return _Labelled(self.scenes.open(shard, report))


@dataclass(frozen=True)
class _Labelled:
    base: SceneShard

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, i: int) -> Item:
        scenes, picture = self.base.scenes, self.base.scenes.pictures[i]
        image, mask = scenes.image_and_mask(picture, self.base.variant)
        label = kinds().index(picture.kind) * len(VIEW_NAMES) + VIEW_NAMES.index(picture.view)
        return Item(self.base.name(i), np.concatenate([image, mask[None]]), label=label)


@dataclass(frozen=True)
class KindAndView:
    """cond: label (B,), view (B,), of an item's one label."""

    def __call__(self, items: Sequence[Item]) -> Cond:
        both = torch.tensor([item.label or 0 for item in items], dtype=torch.int64)
        return {"label": both // len(VIEW_NAMES), "view": both % len(VIEW_NAMES)}

    def null(self, rows: int) -> Cond:
        """There is none."""
        return {name: torch.zeros(rows, dtype=torch.int64) for name in ("label", "view")}


def judge(recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
    """Cross-entropies of kind, view and mask, (b,)."""
    x = recipe.codec.encode(given.images)
    kind, view, mask = network(x[:, :3])
    found = F.cross_entropy(kind, given.cond["label"], reduction="none", label_smoothing=0.05)
    found = found + VIEW_WEIGHT * F.cross_entropy(view, given.cond["view"], reduction="none")
    true = F.avg_pool2d((x[:, 3:] + 1) / 2, recipe.net.fold)[:, 0]
    pixels = F.binary_cross_entropy_with_logits(mask, true, reduction="none")
    loss: Tensor = found + MASK_WEIGHT * pixels.flatten(1).mean(1)
    return loss
