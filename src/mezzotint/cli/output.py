"""A run's own folder: names that are never taken twice, and progress on standard error."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mezzotint.errors import MezzotintError, StorageError, UsageError
from mezzotint.files import make_folder, sweep, write_atomic

OUT = Path("mezzotint-out")
APART = 60.0
"""Seconds between two lines of progress where nobody watches."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".gif", ".bmp")
_UNFIT = re.compile(r"[^a-z0-9]+")


def printable(text: str) -> str:
    """A text of whoever made it, as a label on one line: what moves a cursor, starts a line or turns the direction of
    reading is spelt out, and so are bytes of a name that are no letters.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unseen(document: str) -> str:
    """A JSON document whose characters that cannot be seen, or written as UTF-8, are in JSON's own escapes."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)


def say(text: str) -> None:
    """One line on standard error."""
    print("mezzotint:", printable(" ".join(text.split())), file=sys.stderr)


class StoppedError(MezzotintError):
    """Ctrl-C in the middle of a run that can go on."""

    code = "interrupted"
    exit_code = 130


def slug(text: str, otherwise: str) -> str:
    """A prompt as a part of file names: at most 40 of a-z, 0-9 and hyphens."""
    return _UNFIT.sub("-", text.lower()).strip("-")[:40].strip("-") or otherwise


def refuse_picture_name(out: Path | None) -> None:
    """Raises UsageError where ``--out`` names a picture and not a folder."""
    if out is not None and out.suffix.lower() in PICTURES and not out.is_dir():
        raise UsageError(f"--out {out} names a picture; expected the run's folder, in which pictures are PNG files")


def run_folder(out: Path | None, verb: str) -> Path:
    """The folder given, or a new one ``./mezzotint-out/<time>-<verb>``; it exists and can be written.

    What a killed process left half written there is removed.  Raises StorageError, UsageError for a picture's name.
    """
    refuse_picture_name(out)
    folder = make_folder(out) if out is not None else _new_folder(verb)
    probe = write_atomic(folder / f".probe-{time.monotonic_ns()}", b"")
    probe.unlink(missing_ok=True)
    sweep(folder)
    return folder


def _new_folder(verb: str) -> Path:
    stamp = OUT / f"{time.strftime('%Y%m%d-%H%M%S')}-{verb}"
    make_folder(OUT)
    for k in range(1000):
        folder = stamp if k == 0 else stamp.with_name(f"{stamp.name}-{k}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise StorageError(f"cannot write {folder}: {error.strerror}; choose another folder with --out") from error
        return folder
    raise StorageError(f"{stamp} is taken a thousand times; choose another folder with --out")


class Bar:
    """Progress with time left on standard error: a bar where that is a terminal, else a line every ``APART`` seconds,
    so that a file or a job's log says how far a long command is."""

    def __init__(self, total: int, unit: str, shown: bool) -> None:
        self._bar: Any = None
        self._total, self._unit, self._lines = total, unit, shown and not sys.stderr.isatty()
        self._began = self._said = time.monotonic()
        self._first = 0
        if shown and not self._lines:
            self._bar = self._new_bar()

    def _new_bar(self) -> Any:
        from tqdm.std import tqdm

        return tqdm(
            total=self._total, unit=self._unit, initial=self._first, file=sys.stderr, dynamic_ncols=True, leave=False
        )

    def at(self, done: int, note: str, total: int | None = None, unit: str | None = None) -> None:
        """How far it is; of ``total``, where that was not known before.   unit: another begins a part of its own, whose
        clock starts now."""
        self._total = self._total if total is None else total
        if unit not in (None, self._unit):
            self._begin(done, str(unit))
        if self._bar is not None:
            self._bar.total = self._total
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)
        elif self._lines and time.monotonic() - self._said >= APART:
            self._line(done, note)

    def _begin(self, done: int, unit: str) -> None:
        self._unit, self._first, self._began = unit, done, time.monotonic()
        if self._bar is not None:
            self._bar.close()
            self._bar = self._new_bar()

    def _line(self, done: int, note: str) -> None:
        from tqdm.std import tqdm

        self._said = time.monotonic()
        spent = self._said - self._began
        said = tqdm.format_meter(done, self._total, spent, ncols=0, unit=self._unit, postfix=note, initial=self._first)
        say(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
