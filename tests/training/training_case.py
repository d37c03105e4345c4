"""A whole training run that takes a fraction of a second: a small network on pictures made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.objective import EDMWeight, LogNormal
from mezzotint.diffusion.parametrisation import EDM
from mezzotint.training.checkpoint import Store
from mezzotint.training.conditioning import Labels
from mezzotint.training.data.idx import IDX
from mezzotint.training.data.source import Data
from mezzotint.training.loop import Progress, train
from mezzotint.training.recipe import Every, Recipe, horizontal_flip
from mezzotint.training.schedule import Cosine, Optimiser
from mezzotint.training.state import Training, begin, pack, unpack


class TinyNet(nn.Module):
    """A residual convolution net with dropout, (B, 1, 8, 8); the dropout needs torch's generator."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.label = nn.Embedding(11, width)
        self.noise = nn.Linear(1, width)
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(2)])
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, c_noise: Tensor, cond: dict[str, Tensor]) -> Tensor:
        h = self.first(x) + (self.noise(c_noise[:, None]) + self.label(cond["label"]))[:, :, None, None]
        for block in self.blocks:
            h = h + self.dropout(torch.relu(block(h)))
        return self.last(h)


def made(n: int = 96) -> IDX:
    """Pictures (n, 8, 8) of bars, labelled by the bar's row."""
    labels = np.arange(n, dtype=np.uint8) % 8
    images = np.random.Generator(np.random.Philox(5)).integers(0, 60, (n, 8, 8), dtype=np.uint8)
    images[np.arange(n), labels] += 190
    return IDX("bars", images, labels, tuple(f"row {k}" for k in range(10)))


@dataclass(frozen=True)
class Bars:
    """The recipe's data, whatever folder is given."""

    def __call__(self, folder: Path | None) -> Data:
        return Data(made(), made(24))


def tiny(steps: int = 12, **changes: object) -> Recipe:
    """A recipe that uses every kind of randomness."""
    recipe = Recipe(
        name="tiny",
        net=8,
        build=TinyNet,
        shape=(1, 8, 8),
        codec=Pixels(1, (8, 8)),
        parametrisation=EDM(0.5),
        levels=LogNormal(),
        weight=EDMWeight(0.5),
        data=Bars(),
        batch=16,
        steps=steps,
        optimiser=Optimiser(rate=1e-2, warmup=3, decay=Cosine(), weight_decay=0.01),
        conditioning=Labels(10),
        drop=0.2,
        augment=(horizontal_flip,),
        dtype="float32",
        seed=11,
        validation_samples=24,
        every=Every(validation=0, checkpoint=4),
    )
    return replace(recipe, **changes)


def still_net(width: int) -> TinyNet:
    """TinyNet without dropout, whose masks would differ with the shape of the batch."""
    net = TinyNet(width)
    net.dropout.p = 0.0
    return net


def still(steps: int, **changes: object) -> Recipe:
    """The recipe for comparing runs that cut the batch differently."""
    return tiny(steps, build=still_net, **changes)


def run(recipe: Recipe, until: int = 10**9, **options: object) -> tuple[Training, list[Progress]]:
    """A run of a recipe, up to step ``until``: its last state and every step's progress."""
    training = begin(recipe)
    steps = train(recipe, recipe.data(None), training=training, **options)
    return training, list(takewhile(lambda s: s.step <= until, steps))


def resumed(recipe: Recipe, folder: Path, **options: object) -> tuple[Training, list[Progress]]:
    """The rest of a run, from the last checkpoint in a folder."""
    store, data, training = Store(folder), recipe.data(None), begin(recipe)
    found = store.last()
    assert found is not None
    unpack(training, found, data.train.fingerprint)
    return training, list(train(recipe, data, training=training, store=store, **options))


def same(a: Training, b: Training) -> bool:
    """Whether two runs stand at the same point, to the bit: weights, averages and moments."""
    x, y = pack(a, ""), pack(b, "")
    parts = zip(x.tensors.values(), y.tensors.values(), strict=True)
    return a.step == b.step and all(p.keys() == q.keys() and all(torch.equal(p[k], q[k]) for k in p) for p, q in parts)
