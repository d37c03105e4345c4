"""What a run kept of pictures while it made and judged them, which no gate has looked at, is removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mezzotint.errors import MezzotintError, StorageError
from mezzotint.making.evaluation import PIECES, forget
from mezzotint.making.tuned.product import WORD

WORK, PRIOR = "work", "prior"

_WORDS = re.compile(rf"{re.escape(WORD)}|\.{re.escape(WORD)}\.[0-9a-f]{{12}}\.part")


def cleared(folder: Path) -> tuple[str, ...]:
    """Removes it from a run's folder, and nothing else that may lie there.   Returns: what could not be, for people.

    No reason to fail: what was learnt and its report are worth having.
    """
    work = folder / WORK
    words = [(place, _WORDS) for place in sorted(work.glob("word-*"))]
    # What is within first, or the outer one is not empty.
    failed = [_failed(place, kept) for place, kept in (*words, (work / PRIOR, PIECES), (work, PIECES))]
    return tuple(why for why in failed if why)


@contextmanager
def unless_empty(folder: Path, made: bool) -> Iterator[None]:
    """A run's folder, of which an error that came before anything was written leaves nothing.   made: whether it was
    made for the run."""
    try:
        yield
    except MezzotintError:
        if made:
            with suppress(OSError):  # whatever lies in it stays
                folder.rmdir()
        raise


def _failed(place: Path, kept: re.Pattern[str]) -> str:
    """Why a folder could not be cleared; "" where it was."""
    try:
        forget(place, kept)
    except StorageError as error:
        return str(error)
    return ""
