"""Processor time that a run has taken, over all the processes that went on with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mezzotint.files import write_atomic
from mezzotint.training.loop import Progress

EVERY = 25
"""Updates between two lines."""


class Clock:
    """The lines of a file, (update, processor seconds until then); update 0 is what came before the first.

    Time whose work was lost by a kill is not in it.
    """

    def __init__(self, file: Path) -> None:
        self._file, self.lines = file, _read(file)
        self._before = self.lines[-1][1] if self.lines else 0.0
        self._began = time.process_time()

    def note(self, step: int) -> None:
        """A line: so far.  Lines of later updates, which a kill undid, go."""
        now = self._before + time.process_time() - self._began
        self.lines = [*(line for line in self.lines if line[0] < step), (step, round(now, 2))]
        write_atomic(self._file, "".join(json.dumps(line) + "\n" for line in self.lines))

    def on(self, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """The report of a run, which notes lines too."""

        def told(progress: Progress) -> None:
            if progress.step % EVERY == 0 or progress.step == progress.steps:
                self.note(progress.step)
            report(progress)

        return told


def _read(file: Path) -> list[tuple[int, float]]:
    """() where it is not there, or damaged."""
    found: list[tuple[int, float]] = []
    with suppress(OSError, ValueError, TypeError):
        for line in file.read_text().splitlines():
            step, seconds = json.loads(line)
            found.append((int(step), float(seconds)))
    return found
