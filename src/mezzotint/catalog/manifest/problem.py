"""What is wrong with a manifest: listed in full, by row and column, before any work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

SHOWN = 60
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class Problem:
    """One.

    row: as spreadsheets number them, the header's is 1; of JSONL the line's; 0 is the whole file.
    column: "" is the whole row.   nearest: the valid value that is nearest, None where nobody can know.
    """

    row: int
    column: str
    value: str
    what: str
    nearest: str | None = None

    def __str__(self) -> str:
        place = ", ".join([*([f"row {self.row}"] if self.row else []), *([self.column] if self.column else [])])
        hint = "" if self.nearest is None else f"; nearest: {self.nearest}"
        said = f" {shown(self.value)!r}" if self.value else ""
        return f"{place or 'file'}:{said} {self.what}{hint}"


class WrongError(Exception):
    """A cell's value will not do.  Never leaves this room: the check makes a problem of it."""

    def __init__(self, what: str, nearest: str | None = None) -> None:
        super().__init__(what)
        self.what, self.nearest = what, nearest


def shown(value: str) -> str:
    """The value, its end left out where it is long."""
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"


def nearest(value: str, known: Iterable[str], like: float = 0.5) -> str | None:
    """The known value most like one; None where none is so much like it, of 1."""
    named = {name.casefold(): name for name in known}
    found = get_close_matches(value.strip().casefold(), list(named), n=1, cutoff=like)
    return named[found[0]] if found else None
