"""A validation loss that moves only when the model does: the same held-out samples, levels and noise every time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from mezzotint.errors import InputError
from mezzotint.training import keyed
from mezzotint.training.data.order import Order
from mezzotint.training.data.readable import decodable
from mezzotint.training.data.source import Item, Source
from mezzotint.training.keyed import Purpose
from mezzotint.training.recipe import Recipe, unassigned
from mezzotint.training.state import Training
from mezzotint.training.task import Draws, Sample, denoise

BINS = 8


@dataclass(frozen=True)
class Bin:
    """Levels of equal probability: their range of logsnr, the mean weighted loss and the mean squared x0 error, over
    ``count`` samples."""

    logsnr_low: float
    logsnr_high: float
    loss: float
    error: float
    count: int


@dataclass(frozen=True)
class Validation:
    """loss: mean loss over all samples.  bins: from the cleanest levels to the noisiest; () for a task without
    levels.
    """

    loss: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class HeldOut:
    """The samples, drawn once: pictures (N, C, H, W) uint8 and what is known of them."""

    items: tuple[Item, ...]
    images: Tensor


def held_out(recipe: Recipe, source: Source) -> HeldOut:
    """The first ``validation_samples`` usable samples of the held-out source, in an order that no seed changes.

    Raises InputError when there is none.
    """
    pairs = list(islice(decodable(Order(source, 0, recipe.mix), recipe.shape), recipe.validation_samples))
    if not pairs:
        raise InputError("no held-out sample can be used; expected at least one picture to measure on")
    return HeldOut(tuple(i for i, _ in pairs), torch.stack([x for _, x in pairs]))


@torch.no_grad()
def validate(training: Training, held: HeldOut) -> Validation:
    """The loss of the first tracked average (of the weights where none is) on the held-out samples, conditional,
    float32 sums."""
    recipe = training.recipe
    training.net.eval()
    try:
        if not recipe.ema:
            return _measure(training, held)
        with training.averages.applied(training.net, recipe.ema[0].name):
            return _measure(training, held)
    finally:
        training.net.train()


def _lattice(n: int) -> Tensor:
    """n evenly spaced points of (0, 1), float64, in an order that has nothing to do with the samples'."""
    at = keyed.permuted(np.arange(n, dtype=np.uint64), n, 0, Purpose.VALIDATION)
    return (torch.from_numpy(at.astype(np.float64)) + 0.5) / n


def _measure(training: Training, held: HeldOut) -> Validation:
    n, size, ranks = len(held.items), max(1, training.recipe.batch // training.recipe.accumulation), training.ranks
    u, weighted = _lattice(n), torch.zeros(n, dtype=torch.float64)
    starts = list(range(0, n, size))
    # Sharded networks need every process in every call: where the parts do not come out even, some repeat the first.
    for turn in range(-(-len(starts) // ranks.world)):
        mine = turn * ranks.world + ranks.rank
        start = starts[mine] if mine < len(starts) else 0
        rows = range(start, min(start + size, n))
        losses = _losses(training, held, u, rows)
        if mine < len(starts):
            weighted[rows.start : rows.stop] = losses
    summed = (ranks.mean(weighted.to(training.device)) * ranks.world).cpu() if ranks.world > 1 else weighted
    return Validation(summed.mean().item(), _bins(training.recipe, summed, u))


def _losses(training: Training, held: HeldOut, u: Tensor, rows: range) -> Tensor:
    """The loss of some of the held-out samples, (b,) float64 on the CPU; noise stays with the sample it is drawn
    for.
    """
    recipe, here, part = replace(training.recipe, assignment=unassigned), training.device, slice(rows.start, rows.stop)
    given = Sample(
        images=held.images[part].to(here),
        eps=keyed.normals(0, Purpose.VALIDATION, 0, rows, recipe.codec.shape).to(here),
        u=u[part],
        cond={k: v.to(here) for k, v in recipe.conditioning(held.items[part]).items()},
        labels=None,
        draws=Draws(0, Purpose.TASK_VALIDATION, 0, rows),
    )
    with torch.autocast(here.type, training.dtype, enabled=training.dtype != torch.float32):
        return recipe.task(recipe, training.network, given).cpu().double()


def _bins(recipe: Recipe, weighted: Tensor, u: Tensor) -> tuple[Bin, ...]:
    """Losses by level, where the task is one of levels."""
    if recipe.task is not denoise:
        return ()
    levels = recipe.levels(u)
    error, logsnr = weighted / recipe.weight(levels).double(), levels.logsnr.double()
    order = logsnr.argsort(descending=True)
    return tuple(
        Bin(logsnr[i].min().item(), logsnr[i].max().item(), weighted[i].mean().item(), error[i].mean().item(), len(i))
        for i in order.tensor_split(min(BINS, len(order)))
    )
