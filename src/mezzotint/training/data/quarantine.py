"""The report of samples that could not be used: one JSON line each, by name, with the reason."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from mezzotint.files import storage_error
from mezzotint.training.data.source import BadItemError

log = logging.getLogger(__name__)


def _id(line: str) -> str | None:
    """The sample that a line of the report names; None for a torn line."""
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError):
        return None


class Quarantine:
    """Names each bad sample once in a report file (and in the log), also across resumed runs.

    path: the report, JSON lines {"id", "reason"}; None keeps it in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self.ids: set[str] = set()
        if path is not None and path.exists():
            self.ids = set(filter(None, map(_id, path.read_text("utf-8", "replace").splitlines())))

    @property
    def place(self) -> str:
        """Where to look."""
        return str(self._path) if self._path else "the log"

    def add(self, bad: BadItemError) -> None:
        """Reports a sample, unless it was reported before.  Raises StorageError when the report cannot be written."""
        with self._lock:
            if bad.item in self.ids:
                return
            self.ids.add(bad.item)
            log.warning("left out %r: %s", bad.item, bad.reason)
            if self._path is not None:
                # Escaped: a file's name need not be UTF-8.
                self._append(json.dumps({"id": bad.item, "reason": bad.reason}))

    def _append(self, line: str) -> None:
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise storage_error(self._path, error) from error
