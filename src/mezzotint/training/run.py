"""A training run in a folder of its own: begin or resume, checkpoints, journal, curve, snapshots.

The folder holds ``run.json``, ``journal.jsonl``, ``curve.png``, ``quarantine.jsonl``, ``checkpoints/``, ``snapshots/``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from mezzotint.errors import MezzotintError, StorageError, UsageError
from mezzotint.files import make_folder, pretty_json, write_atomic
from mezzotint.training.checkpoint import Store
from mezzotint.training.curve import curve_png
from mezzotint.training.data.quarantine import Quarantine
from mezzotint.training.data.source import Data
from mezzotint.training.distributed import SINGLE, Ranks
from mezzotint.training.first import RUN_JSON, begun_with, weights_of
from mezzotint.training.identity import digest, identity
from mezzotint.training.journal import Journal, read_journal
from mezzotint.training.loop import Progress, is_time, save, train
from mezzotint.training.posthoc import save_snapshots
from mezzotint.training.recipe import Recipe
from mezzotint.training.state import Training, begin, unpack
from mezzotint.training.validation import Validation

log = logging.getLogger(__name__)
Reason = Literal["done", "stopped"]


def never() -> bool:
    """Never stops."""
    return False


def silent(progress: Progress) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class Watch:
    """How a caller follows a run and ends it early.

    report: called with every step.   stop: asked after every step; true writes a checkpoint and ends the run.
    say: gets messages for people.
    """

    report: Callable[[Progress], None] = silent
    stop: Callable[[], bool] = never
    say: Callable[[str], None] = log.info


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    reason: "done" at the recipe's last step, else "stopped".  loss: of the last step.  validation: the last one made.
    seconds: of computing in all, resumed parts included.
    """

    training: Training = field(repr=False)
    data: Data = field(repr=False)
    folder: Path
    reason: Reason
    loss: float | None
    validation: Validation | None
    seconds: float


def fit(
    recipe: Recipe,
    folder: Path,
    data: Data,
    *,
    start: Literal["new", "resume"] = "new",
    first: Path | None = None,
    device: torch.device | str = "cpu",
    ranks: Ranks = SINGLE,
    compiled: bool = False,
    workers: int = 1,
    feeders: int = 0,
    watch: Watch | None = None,
) -> Outcome:
    """Trains a recipe in a folder, to its last step or until ``watch.stop``; either way the folder can be resumed.

    Args:
        data: what to learn from, ``recipe.data(folder)``.
        start: "new" refuses a folder with checkpoints; "resume" goes on from the last undamaged one, and begins where
            there is none.
        first: a trained model or network folder whose weights a new run begins with; None draws them.
        compiled: whether the network's blocks are compiled.
        workers, feeders: threads and processes that prepare batches, see ``train``.
    Raises: UsageError, InputError, StorageError, NonFiniteError.
    """
    watch = watch or Watch()
    store = Store(folder / "checkpoints")
    if start == "new" and store.all():
        raise UsageError(f"{folder} holds a run already; give --resume to go on with it, or another folder with --out")
    training = begin(recipe, device, ranks, compiled)
    if _restored(training, store, data, watch.say):
        _check_first(training, folder, first)
    elif first is not None:
        begun_with(training, first)
    if ranks.first:
        _describe(folder, training)
    return _Run(training, data, folder, store, watch).go(workers, feeders)


def _check_first(training: Training, folder: Path, first: Path | None) -> None:
    """Raises UsageError where a run that is gone on with did not begin with the weights that are named."""
    if first is not None and weights_of(first) != training.first:
        raise UsageError(
            f"{folder} holds a run that did not begin with {first}; leave --from out, or give another --out"
        )


def _restored(training: Training, store: Store, data: Data, say: Callable[[str], None]) -> bool:
    """Whether there was a checkpoint to go on from."""
    found = store.last(say)
    if found is None:
        return False
    for warning in unpack(training, found, data.train.fingerprint):
        say(warning)
    say(f"going on after step {training.step} of {training.recipe.steps}")
    return True


def _describe(folder: Path, training: Training) -> None:
    recipe = training.recipe
    facts = {
        "schema": "mezzotint/training-run/1",
        "recipe": recipe.name,
        "recipe_sha256": digest(recipe),
        "fields": identity(recipe),
        "first": training.first,
        "planned": [list(one) for one in training.planned],
        "data_licence": recipe.data_licence,
        "parameters": sum(p.numel() for p in training.net.parameters()),
        "device": training.device.type,
        "dtype": str(training.dtype).removeprefix("torch."),
        "compiled": training.compiled,
        "threads": torch.get_num_threads(),
        "processes": training.ranks.world,
        "torch": torch.__version__,
    }
    write_atomic(make_folder(folder) / RUN_JSON, pretty_json(facts))


class _Run:
    """What ``fit`` does at each step."""

    def __init__(self, training: Training, data: Data, folder: Path, store: Store, watch: Watch) -> None:
        self.training, self.data, self.folder, self.store, self.watch = training, data, folder, store, watch
        self.journal = Journal(folder / "journal.jsonl", training.recipe.steps)
        self.loss: float | None = None
        self.validation: Validation | None = None

    def go(self, workers: int, feeders: int) -> Outcome:
        run, ranks = self.training, self.training.ranks
        if ranks.first:
            self.journal.cut(run.step)
        name = "quarantine.jsonl" if ranks.first else f"quarantine-{ranks.rank}.jsonl"
        steps = train(
            run.recipe,
            self.data,
            training=run,
            store=self.store,
            quarantine=Quarantine(self.folder / name),
            workers=workers,
            feeders=feeders,
        )
        try:
            for progress in steps:
                self._after(progress)
                if progress.step < progress.steps and ranks.any(self.watch.stop()):
                    return self._stopped()
        except MezzotintError:
            with suppress(StorageError):
                self.journal.flush()
            raise
        return self._outcome("done")

    def _after(self, progress: Progress) -> None:
        every = self.training.recipe.every.snapshot
        if every and is_time(self.training, every):
            save_snapshots(self.folder / "snapshots", self.training)
        self.loss, self.validation = progress.loss, progress.validation or self.validation
        self.watch.report(progress)
        if self.training.ranks.first:
            self.journal.add(progress)
            # The journal comes before the checkpoint: a run killed between them writes these lines again.
            if progress.validation or is_time(self.training, self.training.recipe.every.checkpoint):
                self._show()

    def _show(self) -> None:
        """Brings the journal and the curve on the disk up to date."""
        self.journal.flush()
        if lines := read_journal(self.folder / "journal.jsonl"):
            recipe = self.training.recipe
            write_atomic(self.folder / "curve.png", curve_png(lines, f"{recipe.name}, seed {recipe.seed}"))

    def _stopped(self) -> Outcome:
        save(self.training, self.store, self.data.train.fingerprint)
        if self.training.ranks.first:
            self._show()
        return self._outcome("stopped")

    def _outcome(self, reason: Reason) -> Outcome:
        return Outcome(self.training, self.data, self.folder, reason, self.loss, self.validation, self.training.seconds)
