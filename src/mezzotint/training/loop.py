"""The training loop, a generator: ``for progress in train(recipe, data): …``; the caller logs, plots and stops."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import NonFiniteError
from mezzotint.training import keyed
from mezzotint.training.checkpoint import Store
from mezzotint.training.data.batches import Batch, Lane, Micro, batches, rows_of
from mezzotint.training.data.feeders import fed
from mezzotint.training.data.prefetch import prefetched
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import Data
from mezzotint.training.distributed import syncing, whole
from mezzotint.training.keyed import Purpose
from mezzotint.training.recipe import Recipe
from mezzotint.training.state import Training, begin, pack
from mezzotint.training.task import Sample
from mezzotint.training.validation import Validation, held_out, validate


@dataclass(frozen=True)
class Progress:
    """One finished step.

    step: updates so far, of ``steps``.  loss: mean over the batch.  grad_norm: before clipping.  rate: learning rate.
    images: samples seen.  images_per_s: over the last step; validation, checkpoint and the caller's time left out.
    validation: made after this step, or None.
    """

    step: int
    steps: int
    loss: float
    grad_norm: float
    rate: float
    images: int
    images_per_s: float
    validation: Validation | None = None


def train(
    recipe: Recipe,
    data: Data,
    *,
    training: Training | None = None,
    device: torch.device | str = "cpu",
    store: Store | None = None,
    quarantine: Quarantine | None = None,
    ahead: int = 2,
    workers: int = 1,
    feeders: int = 0,
) -> Iterator[Progress]:
    """Trains to the recipe's last step, one ``Progress`` a step.

    Between two of them ``training`` is consistent: it can be saved, exported, or left.  A checkpoint that is due is
    written when the next step is asked for, so that what the caller keeps of a step is never behind it.  The weights
    are a function of (recipe, data, step) on one machine with one number of threads: not of ``ahead``, ``workers``,
    ``feeders``, interruptions, or how often anything is reported.

    Args:
        training: the state to go on from, changed in place; None begins a new one on ``device``.
        store: where checkpoints go; None writes none.   quarantine: where unusable samples are named.
        ahead: batches prepared ahead in a thread, 0 = none.   workers: threads that decode.
        feeders: processes that prepare batches, each with threads of its own; 0 = a thread of this one.
    Raises: NonFiniteError (names step and samples; no update was made), StorageError, InputError.
    """
    run = training or begin(recipe, device)
    fingerprint = data.train.fingerprint if store else ""
    held = held_out(recipe, data.held_out) if data.held_out and recipe.every.validation else None
    feed = _feed(run, data, quarantine or Quarantine(), workers, ahead, feeders)
    with closing(feed):
        began = time.perf_counter()
        for batch in feed:
            mean, norm, rate = update(run, batch)
            spent = time.perf_counter() - began
            run.seconds += spent
            validation = validate(run, held) if held and is_time(run, recipe.every.validation) else None
            speed, images = recipe.batch / spent, run.step * recipe.batch
            yield Progress(run.step, recipe.steps, mean, norm, rate, images, speed, validation)
            if store and is_time(run, recipe.every.checkpoint):
                save(run, store, fingerprint)
            began = time.perf_counter()


def is_time(run: Training, every: int) -> bool:
    """Whether something done every so many steps, and at the end, is due."""
    return run.step == run.recipe.steps or (every > 0 and run.step % every == 0)


def _feed(
    run: Training, data: Data, quarantine: Quarantine, workers: int, ahead: int, feeders: int
) -> Generator[Batch]:
    recipe = run.recipe
    parts, cursor, step = rows_of(recipe, run.ranks.rank, run.ranks.world), run.cursor, run.step

    def made(lane: Lane, quarantine: Quarantine) -> Iterator[Batch]:
        return batches(recipe, data.train, step, cursor, parts, quarantine, workers, lane)

    return fed(made, feeders, quarantine) if feeders else prefetched(lambda: made(Lane(), quarantine), ahead)


def save(run: Training, store: Store, fingerprint: str) -> Path | None:
    """Writes a checkpoint of the run as it stands; every process must call this, the first one writes.

    Raises StorageError; the checkpoints that were there stay.
    """
    packed = pack(run, fingerprint)
    path = store.save(packed) if run.ranks.first else None
    run.ranks.wait()
    return path


def update(run: Training, batch: Batch) -> tuple[float, float, float]:
    """One optimiser step on one batch: (mean loss, gradient norm, rate).

    Raises NonFiniteError before anything is changed.
    """
    recipe = run.recipe
    # Dropout inside a network draws from torch's generator: setting it makes that a function of (seed, step) too.
    torch.manual_seed(int(keyed.hashed(recipe.seed, Purpose.TORCH, batch.step, run.ranks.rank)[0]))
    run.movers.zero_grad()
    mean = run.ranks.mean(_backward(run, batch))
    grads = [p.grad for p in run.net.parameters() if p.grad is not None]
    total, norm = torch.stack([mean, whole(torch.nn.utils.get_total_norm(grads))]).tolist()
    if not (math.isfinite(total) and math.isfinite(norm)):
        raise _non_finite(run, batch, total)
    if norm > recipe.optimiser.clip:
        torch._foreach_mul_(grads, recipe.optimiser.clip / norm)
    rate = recipe.optimiser.at(batch.step, recipe.steps)
    run.movers.step(rate)
    recipe.project(run.net)
    run.step, run.cursor = batch.step + 1, batch.after
    run.averages.update(run.net, run.step)
    return total, norm, rate


def _backward(run: Training, batch: Batch) -> Tensor:
    """Sets the gradients of the mean loss over this process's rows; returns that mean, ()."""
    terms = []
    for i, micro in enumerate(batch.micros, 1):
        with syncing(run.network, run.ranks, i == len(batch.micros)):
            share = _loss(run, micro).mean() / len(batch.micros)
            torch.autograd.backward(share)
        terms.append(share.detach())
    return torch.stack(terms).sum()


def _loss(run: Training, micro: Micro) -> Tensor:
    """The loss of each row of a micro-batch, (b,)."""
    recipe, here = run.recipe, run.device
    given = Sample(
        images=micro.images.to(here, non_blocking=True),
        eps=micro.eps.to(here, non_blocking=True),
        u=micro.u,
        cond={k: v.to(here, non_blocking=True) for k, v in micro.cond.items()},
        labels=micro.labels,
        draws=micro.draws,
    )
    with torch.autocast(here.type, run.dtype, enabled=run.dtype != torch.float32):
        return recipe.task(recipe, run.network, given)


def _non_finite(run: Training, batch: Batch, total: float) -> NonFiniteError:
    """Says which samples did it: each row is computed once more."""
    mine: list[str] = []
    with torch.no_grad():
        for micro in batch.micros:
            rows = _loss(run, micro)
            mine += [micro.ids[i] for i in torch.nonzero(~torch.isfinite(rows)).flatten().tolist()]
    bad = run.ranks.gather(mine)
    names = ", ".join(bad[:8]) + (f" and {len(bad) - 8} more" if len(bad) > 8 else "")
    what = f"loss is {total}" if not math.isfinite(total) else "gradient is not finite"
    return NonFiniteError(
        f"step {batch.step + 1}: the {what} (samples: {names or 'none alone'}); no update was made; "
        "resume from the last checkpoint with a lower rate or clip, or without these samples"
    )
