"""A validation loss that moves only when the model does: the same held-out samples, levels and noise every time."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.objective import loss
from mezzotint.training import keyed
from mezzotint.training.data.decode import decode
from mezzotint.training.data.order import Cursor, Order
from mezzotint.training.data.source import BadItemError, Item, Source
from mezzotint.training.keyed import Purpose
from mezzotint.training.state import Training

BINS = 8


@dataclass(frozen=True)
class Bin:
    """Levels of equal probability: their range of logsnr, the mean weighted loss and the mean squared x0 error, over ``count`` samples."""

    logsnr_low: float
    logsnr_high: float
    loss: float
    error: float
    count: int


@dataclass(frozen=True)
class Validation:
    """loss: mean weighted loss over all samples.  bins: from the cleanest levels to the noisiest."""

    loss: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class HeldOut:
    """The samples, drawn once: pictures (N, C, H, W) uint8 and what is known of them."""

    items: tuple[Item, ...]
    images: torch.Tensor


def held_out(training: Training, source: Source) -> HeldOut:
    """The first ``validation_samples`` usable samples of the held-out source, in its own keyed order."""
    recipe = training.recipe
    order, cursor, pairs, tried = Order(source, 0, recipe.mix), Cursor(), [], 0
    while len(pairs) < recipe.validation_samples and cursor.epoch == 0:
        (pick,), cursor = order.take(cursor, 1)
        tried += 1
        try:
            item = order.item(pick)
            pairs.append((item, decode(item, recipe.shape)))
        except BadItemError:
            continue
    return HeldOut(tuple(i for i, _ in pairs), torch.stack([x for _, x in pairs]))


@torch.no_grad()
def validate(training: Training, held: HeldOut) -> Validation:
    """The loss of the first tracked average (of the weights where none is) on the held-out samples, conditional, float32 sums."""
    recipe = training.recipe
    training.net.eval()
    try:
        if not recipe.ema:
            return _measure(training, held)
        with training.averages.applied(training.net, recipe.ema[0].name):
            return _measure(training, held)
    finally:
        training.net.train()


def _levels(training: Training, n: int) -> Level:
    """A lattice of n levels, in an order that has nothing to do with the samples'."""
    at = keyed.permuted(torch.arange(n).numpy().astype("uint64"), n, 0, Purpose.VALIDATION)
    return training.recipe.levels((torch.from_numpy(at.astype("float64")) + 0.5) / n)


def _measure(training: Training, held: HeldOut) -> Validation:
    recipe, n = training.recipe, len(held.items)
    levels, denoiser = _levels(training, n), Preconditioned(training.net, recipe.parametrisation)
    size = max(1, recipe.batch // recipe.accumulation)
    weighted = []
    for start in range(0, n, size):
        rows = slice(start, min(start + size, n))
        x0 = recipe.encode(held.images[rows].to(training.device))
        eps = keyed.normals(0, Purpose.VALIDATION, 0, range(start, rows.stop), tuple(x0.shape[1:])).to(training.device)
        cond = {k: v.to(training.device) for k, v in recipe.conditioning(held.items[rows]).items()}
        level = levels[torch.arange(start, rows.stop)].to(x0)
        with torch.autocast(training.device.type, training.dtype, enabled=training.dtype != torch.float32):
            weighted.append(loss(denoiser, x0, eps, level, cond, recipe.weight).double().cpu())
    return _report(torch.cat(weighted), levels, recipe.weight(levels).double())


def _report(weighted: torch.Tensor, levels: Level, weight: torch.Tensor) -> Validation:
    logsnr = levels.logsnr.double()
    order = logsnr.argsort(descending=True)
    bins = [
        Bin(logsnr[i].min().item(), logsnr[i].max().item(), weighted[i].mean().item(), (weighted / weight)[i].mean().item(), len(i))
        for i in order.tensor_split(min(BINS, len(order)))
    ]
    return Validation(weighted.mean().item(), tuple(bins))
