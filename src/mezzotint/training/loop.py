"""The training loop, a generator: ``for progress in train(recipe, data): …``; the caller logs, plots and stops."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.objective import loss
from mezzotint.errors import NonFiniteError
from mezzotint.training import keyed
from mezzotint.training.checkpoint import Store
from mezzotint.training.data.batches import Batch, Micro, batches, prefetched, rows_of
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import Data
from mezzotint.training.keyed import Purpose
from mezzotint.training.recipe import Recipe
from mezzotint.training.state import Training, begin, pack
from mezzotint.training.validation import Validation, held_out, validate


@dataclass(frozen=True)
class Progress:
    """One finished step.

    step: updates so far, of ``steps``.  loss: mean over the batch.  grad_norm: before clipping.  rate: learning rate.
    images: samples seen.  images_per_s: over the last step, validation and checkpoint left out.
    validation, checkpoint: made after this step, or None.
    """

    step: int
    steps: int
    loss: float
    grad_norm: float
    rate: float
    images: int
    images_per_s: float
    validation: Validation | None = None
    checkpoint: Path | None = None


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
) -> Iterator[Progress]:
    """Trains to the recipe's last step, one ``Progress`` a step.

    Between two of them ``training`` is consistent and can be saved, exported or left.  The weights are a function of
    (recipe, data, step) on one machine: not of ``ahead``, ``workers``, interruptions, or how often anything is reported.

    Args:
        training: the state to go on from, changed in place; None begins a new one on ``device``.
        store: where checkpoints go; None writes none.   quarantine: where unusable samples are named.
        ahead: batches prepared ahead in a thread, 0 = none.   workers: threads that decode.
    Raises: NonFiniteError (step and samples named, no update made), StorageError, InputError.
    """
    run = training or begin(recipe, device)
    source = partial(batches, recipe, data.train, run.step, run.cursor, rows_of(recipe, 0, 1), quarantine or Quarantine(), workers)
    held = held_out(run, data.held_out) if data.held_out and recipe.every.validation else None
    feed = prefetched(source, ahead)
    with closing(feed):  # type: ignore[type-var]  # a generator
        for batch in feed:
            began = time.perf_counter()
            mean, norm, rate = update(run, batch)
            speed = recipe.batch / (time.perf_counter() - began)
            due = run.step == recipe.steps
            validation = validate(run, held) if held and _is_time(run.step, recipe.every.validation, due) else None
            saved = None
            if store and _is_time(run.step, recipe.every.checkpoint, due):
                saved = store.save(pack(run, data.train.fingerprint))
            yield Progress(run.step, recipe.steps, mean, norm, rate, run.step * recipe.batch, speed, validation, saved)


def _is_time(step: int, every: int, last: bool) -> bool:
    return last or (every > 0 and step % every == 0)


def update(run: Training, batch: Batch) -> tuple[float, float, float]:
    """One optimiser step on one batch: (mean loss, gradient norm, rate).  Raises NonFiniteError before anything is changed."""
    recipe = run.recipe
    # Dropout inside a network draws from torch's generator: setting it makes that a function of (seed, step) too.
    torch.manual_seed(int(keyed.hashed(recipe.seed, Purpose.TORCH, batch.step)[0]))
    run.optimiser.zero_grad(set_to_none=True)
    total = torch.zeros((), device=run.device)
    terms = [_backward(run, batch.step, micro, len(batch.micros)) for micro in batch.micros]
    total = torch.stack(terms).sum()
    grads = [p.grad for p in run.net.parameters() if p.grad is not None]
    mean, norm = torch.stack([total, torch.nn.utils.get_total_norm(grads)]).tolist()
    if not (math.isfinite(mean) and math.isfinite(norm)):
        raise _non_finite(run, batch, mean)
    if norm > recipe.optimiser.clip:
        torch._foreach_mul_(grads, recipe.optimiser.clip / norm)
    rate = recipe.optimiser.at(batch.step, recipe.steps)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    run.optimiser.step()
    recipe.project(run.net)
    run.step, run.cursor = batch.step + 1, batch.after
    run.averages.update(run.net, run.step)
    return mean, norm, rate


def _loss(run: Training, step: int, micro: Micro) -> Tensor:
    """The loss of each row of a micro-batch, (b,)."""
    recipe = run.recipe
    x0 = recipe.encode(micro.images.to(run.device, non_blocking=True))
    eps = keyed.normals(recipe.seed, Purpose.NOISE, step, micro.rows, tuple(x0.shape[1:])).to(run.device, non_blocking=True)
    eps = recipe.assignment(x0, eps, micro.labels)
    level = recipe.levels(micro.u).to(x0)
    cond = {k: v.to(run.device, non_blocking=True) for k, v in micro.cond.items()}
    with torch.autocast(run.device.type, run.dtype, enabled=run.dtype != torch.float32):
        return loss(Preconditioned(run.net, recipe.parametrisation), x0, eps, level, cond, recipe.weight)


def _backward(run: Training, step: int, micro: Micro, parts: int) -> Tensor:
    """Adds a micro-batch's share to the gradients; its share of the mean loss, ()."""
    share = _loss(run, step, micro).mean() / parts
    torch.autograd.backward(share)
    return share.detach()


def _non_finite(run: Training, batch: Batch, mean: float) -> NonFiniteError:
    """Says which samples did it: each row is computed once more."""
    bad = []
    with torch.no_grad():
        for micro in batch.micros:
            rows = _loss(run, batch.step, micro)
            bad += [micro.ids[i] for i in torch.nonzero(~torch.isfinite(rows)).flatten().tolist()]
    names = ", ".join(bad[:8]) + (f" and {len(bad) - 8} more" if len(bad) > 8 else "")
    what = f"loss is {mean}" if not math.isfinite(mean) else "gradient is not finite"
    return NonFiniteError(
        f"step {batch.step + 1}: the {what} (samples: {names or 'none alone'}); no update was made; "
        "resume from the last checkpoint with a lower rate, a smaller clip or without these samples"
    )
