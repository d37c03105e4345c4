"""When a run has learnt what it will: its loss on what was held apart has stopped falling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mezzotint.training.journal import read_journal
from mezzotint.training.loop import Progress
from mezzotint.training.run import Watch

PATIENCE = 4
"""Validations in a row without a new least loss after which a run ends."""


def risen(losses: Sequence[float]) -> bool:
    """Whether the last PATIENCE of some losses brought nothing below the least before them."""
    before, last = losses[:-PATIENCE], losses[-PATIENCE:]
    return bool(before) and min(last) >= min(before)


class Patient:
    """What a run is watched with, so that it also ends early; ``early`` says whether it did.

    The losses before a resumed run are read from its journal: it ends where the uninterrupted one does, and one that
    has ended learns no more.   until: the update after which it is gone on; what the journal has of later ones is
    learnt anew.  None takes all.
    """

    def __init__(self, journal: Path, until: int | None = None) -> None:
        seen = [line for line in read_journal(journal) if "validation" in line]
        self._losses = {line["step"]: line["validation"] for line in seen if until is None or line["step"] <= until}

    @property
    def early(self) -> bool:
        return risen([self._losses[step] for step in sorted(self._losses)])

    def on(self, watch: Watch) -> Watch:
        """The same watch, ending early."""

        def report(progress: Progress) -> None:
            self._see(progress)
            watch.report(progress)

        return replace(watch, report=report, stop=lambda: watch.stop() or self.early)

    def _see(self, progress: Progress) -> None:
        if progress.validation is not None:
            self._losses[progress.step] = progress.validation.loss
