"""Batches prepared by several processes: the same ones, in the same order, for devices that are faster than one process
can draw pictures for."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from mezzotint.errors import MezzotintError, UsageError
from mezzotint.training.data.batches import Batch, Lane
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import BadItemError

AHEAD = 2
"""Batches that each process prepares ahead."""

Make = Callable[[Lane, Quarantine], Iterator[Batch]]
"""The batches of a lane; what cannot be used is reported to the quarantine."""


@dataclass(frozen=True)
class _Fed:
    """A batch, or why there is none, and what was left out on the way to it."""

    batch: Batch | None
    error: MezzotintError | None
    bad: tuple[tuple[str, str], ...]


class _Noted(Quarantine):
    """Keeps what is reported, for the parent to write: a report has one writer."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: list[tuple[str, str]] = []

    def add(self, bad: BadItemError) -> None:
        self._noted.append((bad.item, bad.reason))

    def taken(self) -> tuple[tuple[str, str], ...]:
        """What was reported since the last call."""
        found, self._noted = tuple(self._noted), []
        return found


class _Lanes(IterableDataset[_Fed]):
    """What one process of a loader prepares: the lane of its number."""

    def __init__(self, make: Make) -> None:
        self._make = make

    def __iter__(self) -> Iterator[_Fed]:
        info = get_worker_info()
        assert info is not None
        noted = _Noted()
        try:
            for batch in self._make(Lane(info.id, info.num_workers), noted):
                yield _Fed(batch, None, noted.taken())
        except MezzotintError as error:
            yield _Fed(None, error, noted.taken())


def fed(make: Make, feeders: int, quarantine: Quarantine) -> Generator[Batch]:
    """The batches of all lanes in the order of their steps, prepared by ``feeders`` >= 1 processes.

    Raises UsageError where processes cannot be forked, and what preparing raises, in its place.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise UsageError(f"{feeders} feeders need a system that can fork processes; leave --feeders out here")
    for found in _prepared(make, feeders):
        for item, reason in found.bad:
            quarantine.add(BadItemError(item, reason))
        if found.error is not None:
            raise found.error
        assert found.batch is not None
        yield found.batch


def _prepared(make: Make, feeders: int) -> Iterator[_Fed]:
    """What the processes prepare; they are begun here and end with the iterator."""
    with warnings.catch_warnings():
        # How many processes suit a machine is whoever asks for them to say.
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        # batch_size None: an item is a batch already.  A generator of its own: torch's is the run's.
        loader = DataLoader(
            _Lanes(make), batch_size=None, num_workers=feeders, prefetch_factor=AHEAD, generator=torch.Generator(),
            multiprocessing_context="fork",
        )  # fmt: skip
        return iter(loader)
