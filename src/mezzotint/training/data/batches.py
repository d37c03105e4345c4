"""From a source to the batches of each step, on the CPU, ahead of the loop, and the same whatever runs ahead or in parallel."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import InputError
from mezzotint.training import keyed
from mezzotint.training.conditioning import dropped
from mezzotint.training.data.decode import decode
from mezzotint.training.data.order import Cursor, Order, Pick
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import BadItemError, Item, Source
from mezzotint.training.keyed import Purpose
from mezzotint.training.recipe import Recipe

T = TypeVar("T")
ATTEMPTS = 100
"""So many unusable samples in a row mean that the data set, not a sample, is at fault."""


@dataclass(frozen=True)
class Micro:
    """The rows that one process computes at once.

    images: (b, C, H, W) uint8, augmented.  u: (b,) float64, stratified over the whole batch.  cond: with nulls put in.
    labels: (b,) int64 or None.  ids: of the samples.  rows: their numbers in the whole batch.
    """

    images: Tensor
    u: Tensor
    cond: Cond
    labels: Tensor | None
    ids: tuple[str, ...]
    rows: tuple[int, ...]


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
        raise InputError(
            f"a batch of {recipe.batch} cannot be cut into {recipe.accumulation} parts on {world} processes; choose numbers that divide it"
        )
    starts = [(m * world + rank) * each for m in range(recipe.accumulation)]
    return [tuple(range(s, s + each)) for s in starts]


class Reader:
    """Decodes samples: a damaged one is quarantined, and another of its group stands in, chosen by key."""

    def __init__(self, order: Order, shape: tuple[int, int, int], quarantine: Quarantine, workers: int) -> None:
        self._order, self._shape, self._quarantine = order, shape, quarantine
        self._pool = ThreadPoolExecutor(workers, "decode") if workers > 1 else None

    def __call__(self, picks: Sequence[Pick]) -> list[tuple[Item, Tensor]]:
        """Items and their pixels (C, H, W) uint8, in order."""
        return list((self._pool.map if self._pool else map)(self._one, picks))

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


def _micro(recipe: Recipe, step: int, rows: tuple[int, ...], pairs: list[tuple[Item, Tensor]]) -> Micro:
    items, images = [i for i, _ in pairs], torch.stack([x for _, x in pairs])
    for k, transform in enumerate(recipe.augment):
        images = transform(images, keyed.uniforms(recipe.seed, Purpose.AUGMENT + k, step, rows))
    cond = recipe.conditioning(items)
    if recipe.drop:
        drop = keyed.uniforms(recipe.seed, Purpose.DROP, step, rows) < recipe.drop
        cond = dropped(cond, recipe.conditioning.null(len(rows)), drop)
    labels = None if any(i.label is None for i in items) else torch.tensor([i.label for i in items])
    u = keyed.stratified(recipe.seed, step, rows, recipe.batch)
    return Micro(images, u, cond, labels, tuple(i.id for i in items), rows)


def batches(
    recipe: Recipe, source: Source, start: int, cursor: Cursor, parts: list[tuple[int, ...]], quarantine: Quarantine, workers: int = 1
) -> Generator[Batch]:
    """The batches of steps ``start`` … recipe.steps - 1, each a pure function of (recipe, source, step, its cursor).

    parts: the rows this process computes, one tuple a micro-batch.  workers: threads that decode; they change nothing but speed.
    """
    order = Order(source, recipe.seed, recipe.mix)
    reader = Reader(order, recipe.shape, quarantine, workers)
    with closing(reader):
        for step in range(start, recipe.steps):
            picks, cursor = order.take(cursor, recipe.batch)
            micros = tuple(_micro(recipe, step, rows, reader([picks[r] for r in rows])) for rows in parts)
            yield Batch(step, micros, cursor)


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def prefetched(make: Callable[[], Generator[T]], depth: int) -> Iterator[T]:
    """What ``make()`` yields, computed up to ``depth`` ahead in a thread; its exceptions surface here, in their place.

    depth 0 computes in the caller.  Closing the iterator stops the thread.
    """
    if depth == 0:
        yield from make()
        return
    line: queue.Queue[T | _Failed | object] = queue.Queue(depth)
    stop = threading.Event()

    def put(value: T | _Failed | object) -> bool:
        while not stop.is_set():
            try:
                line.put(value, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            with closing(make()) as source:
                for value in source:
                    if not put(value):
                        return
            put(_END)
        except BaseException as error:
            put(_Failed(error))

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while (value := line.get()) is not _END:
            if isinstance(value, _Failed):
                raise value.error
            yield value  # type: ignore[misc]  # neither a failure nor the end: a T
    finally:
        stop.set()
        thread.join(timeout=10)
