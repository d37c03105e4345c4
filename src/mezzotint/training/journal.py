"""The record of a run: one JSON line a step, and the picture of it.  A resumed run continues it without a seam."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mezzotint.errors import StorageError
from mezzotint.files import make_folder, storage_error, write_atomic
from mezzotint.training.loop import Progress

LINES = 5000
"""About so many lines a run, whatever its number of steps."""


class Journal:
    """``journal.jsonl``: step, loss, grad_norm, rate, images_per_s; with a validation also its loss and bins.

    Lines wait in memory until ``flush``: what a killed run had not flushed, the resumed run writes again.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self._path, self._every = path, max(1, steps // LINES)
        self._waiting: list[str] = []

    def cut(self, step: int) -> None:
        """Drops the lines after ``step``, which a resumed run will write again.  Raises StorageError."""
        kept = [json.dumps(line) + "\n" for line in read_journal(self._path) if line["step"] <= step]
        write_atomic(self._path, "".join(kept))

    def add(self, progress: Progress) -> None:
        """Takes in a step, if it is one of those that are kept."""
        v = progress.validation
        if v is None and progress.step % self._every and progress.step != progress.steps:
            return
        names = ("step", "loss", "grad_norm", "rate", "images_per_s")
        line: dict[str, Any] = {name: getattr(progress, name) for name in names}
        if v is not None:
            line |= {"validation": v.loss, "bins": [asdict(b) for b in v.bins]}
        self._waiting.append(json.dumps(line) + "\n")

    def flush(self) -> None:
        """Writes what waits.  Raises StorageError."""
        try:
            make_folder(self._path.parent)
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(self._waiting)
        except OSError as error:
            raise storage_error(self._path, error) from error
        self._waiting.clear()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal; a torn last line is left out, a missing file is empty."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}; check the folder") from error
    return [line for line in map(_parsed, text.splitlines()) if line]


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "step" in value and "loss" in value else {}
