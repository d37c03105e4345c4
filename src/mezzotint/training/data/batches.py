"""From a source to the batches of each step, on the CPU, ahead of the loop, and the same whatever runs ahead or in
parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import InputError, UsageError
from mezzotint.training import keyed
from mezzotint.training.conditioning import dropped, trimmed
from mezzotint.training.data.decode import decode
from mezzotint.training.data.order import Cursor, Order, Pick
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import BadItemError, Item, Source
from mezzotint.training.keyed import Purpose
from mezzotint.training.recipe import Recipe
from mezzotint.training.task import Draws

ATTEMPTS = 100
"""So many unusable samples in a row mean that the data set, not a sample, is at fault."""


@dataclass(frozen=True)
class Micro:
    """The rows that one process computes at once.

    images: (b, C, H, W) uint8, augmented.  eps: (b, *) float32.  u: (b,) float64, stratified over the whole batch.
    cond: with nulls put in.  labels: (b,) int64 or None.  draws: for the task.  ids: of the samples.
    """

    images: Tensor
    eps: Tensor
    u: Tensor
    cond: Cond
    labels: Tensor | None
    draws: Draws
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """What one process does in one step: its micro-batches, and the data's cursor after the step."""

    step: int
    micros: tuple[Micro, ...]
    after: Cursor


def rows_of(recipe: Recipe, rank: int, world: int) -> list[tuple[int, ...]]:
    """The rows of the whole batch that process ``rank`` of ``world`` computes, one tuple a micro-batch."""
    each, rest = divmod(recipe.batch, recipe.accumulation * world)
    if rest:
        raise UsageError(
            f"a batch of {recipe.batch} cannot be cut into {recipe.accumulation} parts on {world} processes;"
            " choose numbers that divide it"
        )
    starts = [(m * world + rank) * each for m in range(recipe.accumulation)]
    return [tuple(range(s, s + each)) for s in starts]


class Reader:
    """Decodes samples: a damaged one is quarantined, and another of its group stands in, chosen by key."""

    def __init__(self, order: Order, shape: tuple[int, int, int], quarantine: Quarantine, workers: int) -> None:
        self._order, self._shape, self._quarantine = order, shape, quarantine
        self._workers, self._pool = workers, ThreadPoolExecutor(workers, "decode") if workers > 1 else None

    def __call__(self, picks: Sequence[Pick]) -> list[tuple[Item, Tensor]]:
        """Items and their pixels (C, H, W) uint8, in order."""
        if self._pool is None:
            return self._several(picks)
        each = -(-len(picks) // self._workers)
        parts = [picks[i : i + each] for i in range(0, len(picks), each)]
        return [pair for part in self._pool.map(self._several, parts) for pair in part]

    def _several(self, picks: Sequence[Pick]) -> list[tuple[Item, Tensor]]:
        return [self._one(pick) for pick in picks]

    def _one(self, pick: Pick) -> tuple[Item, Tensor]:
        for attempt in range(ATTEMPTS):
            try:
                item = self._order.item(pick, attempt)
                return item, decode(item, self._shape)
            except BadItemError as bad:
                self._quarantine.add(bad)
        raise InputError(f"{ATTEMPTS} samples in a row cannot be used; see {self._quarantine.place}")

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _cond(recipe: Recipe, step: int, rows: tuple[int, ...], items: Sequence[Item]) -> Cond:
    cond = recipe.conditioning(items)
    if recipe.drop:
        drop = keyed.uniforms(recipe.seed, Purpose.DROP, step, rows) < recipe.drop
        cond = dropped(cond, recipe.conditioning.null(len(rows)), drop)
    return trimmed(cond)


def _micro(recipe: Recipe, step: int, rows: tuple[int, ...], pairs: list[tuple[Item, Tensor]]) -> Micro:
    items, images = [i for i, _ in pairs], torch.stack([x for _, x in pairs])
    for k, transform in enumerate(recipe.augment):
        images = transform(images, keyed.uniforms(recipe.seed, Purpose.AUGMENT + k, step, rows))
    known = [i.label for i in items if i.label is not None]
    labels = torch.tensor(known) if len(known) == len(items) else None
    u = keyed.stratified(recipe.seed, step, rows, recipe.batch)
    eps = keyed.normals(recipe.seed, Purpose.NOISE, step, rows, recipe.codec.shape)
    cond, ids = _cond(recipe, step, rows, items), tuple(i.id for i in items)
    return Micro(images, eps, u, cond, labels, Draws(recipe.seed, Purpose.TASK, step, rows), ids)


@dataclass(frozen=True)
class Lane:
    """Which steps one of several processes prepares: those that are ``number`` modulo ``of``."""

    number: int = 0
    of: int = 1


def batches(
    recipe: Recipe,
    source: Source,
    start: int,
    cursor: Cursor,
    parts: list[tuple[int, ...]],
    quarantine: Quarantine,
    workers: int = 1,
    lane: Lane = Lane(),
) -> Iterator[Batch]:
    """The batches of steps ``start`` … recipe.steps - 1, each a pure function of (recipe, source, step, its cursor).

    parts: the rows this process computes, one tuple a micro-batch.
    workers: threads that decode; they change nothing but speed.   lane: which of the steps are prepared.
    """
    order = Order(source, recipe.seed, recipe.mix, quarantine.add)
    with closing(Reader(order, recipe.shape, quarantine, workers)) as reader:
        for step in range(start, recipe.steps):
            picks, cursor = order.take(cursor, recipe.batch)
            if (step - start) % lane.of != lane.number:
                continue
            micros = [_micro(recipe, step, rows, reader([picks[r] for r in rows])) for rows in parts]
            yield Batch(step, tuple(micros), cursor)
