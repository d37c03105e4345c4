"""CSV for spreadsheets and testing tools, in which no cell is a formula.

A text that begins with =, +, -, @, a tab or a line's end would be run by spreadsheets; it gets an apostrophe before it
(OWASP, CSV Injection).  ``plain`` takes it away again where manifests are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | int | float | None


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A header and rows; numbers as they are."""
    return "".join(map(_line, chain([columns], rows)))


def _line(cells: Sequence[Cell]) -> str:
    """Ends with \\n; written with \\r\\n, for Python before 3.13 quotes cells with a \\r for the sake of that alone."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow([safe(cell) if isinstance(cell, str) else cell for cell in cells])
    return file.getvalue().removesuffix("\r\n") + "\n"


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith((*FORMULA, "'")) else text


def plain(text: str) -> str:
    """What ``safe`` was given.   An apostrophe that it did not put there, as in 'tis, stays."""
    return text[1:] if text.startswith("'") and safe(text[1:]) == text else text
