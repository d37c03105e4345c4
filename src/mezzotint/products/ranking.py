"""How the ranker of product latents is taught: latents with their kind, view and colour, a little noise on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from mezzotint.diffusion.denoiser import Cond
from mezzotint.products.asked import Asked, log_prob, numbers
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds
from mezzotint.products.latents import LatentScenes
from mezzotint.products.source import Photograph
from mezzotint.training.data.source import Data, Item, Report, Shard
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Draws, Sample

NOISE = 0.5
"""The largest standard deviation of the noise on a latent of unit mean square: what a model makes is not as clean."""


@dataclass(frozen=True, eq=False)
class LabelledLatents:
    """A ``Source`` of latents whose label says kind, view and colour (``label_of``)."""

    latents: LatentScenes

    @property
    def classes(self) -> tuple[str, ...]:
        """None that are shown to anybody."""
        return ()

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
        return Item(item.id, item.image, label=label_of(shown(picture)))


def shown(picture: Photograph) -> Asked:
    """What a photograph shows; no colour where none is clear."""
    colour = NAMES.index(picture.colour) if picture.colour else None
    return Asked(kinds().index(picture.kind), VIEW_NAMES.index(picture.view), colour)


_COLOURS = len(NAMES) + 1
"""The last is none."""


def label_of(one: Asked) -> int:
    """One number for kind, view and colour; kind and view must be named."""
    assert one.kind is not None and one.view is not None
    colour = len(NAMES) if one.colour is None else one.colour
    return (one.kind * len(VIEW_NAMES) + one.view) * _COLOURS + colour


def of_label(label: int) -> Asked:
    """What a label says."""
    both, colour = divmod(label, _COLOURS)
    return Asked(*divmod(both, len(VIEW_NAMES)), None if colour == len(NAMES) else colour)


@dataclass(frozen=True)
class Shown:
    """cond: kind, view, colour (B,), of an item's one label."""

    def __call__(self, items: Sequence[Item]) -> Cond:
        return numbers([of_label(item.label or 0) for item in items])

    def null(self, rows: int) -> Cond:
        """Nothing is named."""
        return numbers([Asked()] * rows)


def labelled(data: Callable[[Path | None], Data]) -> Callable[[Path | None], Data]:
    """The data of a recipe of latents, with labels for texts."""

    def made(folder: Path | None) -> Data:
        found = data(folder)
        assert isinstance(found.train, LatentScenes) and isinstance(found.held_out, LatentScenes)
        return Data(LabelledLatents(found.train), LabelledLatents(found.held_out))

    return made


def missed(network: nn.Module, z: Tensor, asks: Cond, smoothing: float = 0.0) -> Tensor:
    """The weighted cross-entropies of what latents are asked to show, (b,) float32; 0 of what is not named."""
    return -log_prob(network(z), asks, smoothing)


def noisy(z: Tensor, draws: Draws, first: int = 0) -> Tensor:
    """Latents (b, *) with noise of 0 … NOISE, from two draws of which ``first`` is the number."""
    share = NOISE * draws.uniforms(first).to(z)[:, None, None, None]
    return z + share * draws.normals(first + 1, tuple(z.shape[1:])).to(z)


def tell(recipe: Recipe, network: nn.Module, given: Sample) -> Tensor:
    """What is missed of photographs' latents with a little noise, (b,)."""
    return missed(network, noisy(recipe.codec.encode(given.images), given.draws), given.cond, 0.05)
