"""CSV for spreadsheets and testing tools, in which no cell is a formula.

A text that begins with =, +, -, @, a tab or a line's end would be run by spreadsheets; it gets an apostrophe before it
(OWASP, CSV Injection).  ``plain`` takes it away again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | int | float | None


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A header and rows; numbers as they are."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([safe(name) for name in columns])
    writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return file.getvalue()


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith((*FORMULA, "'")) or text.lstrip().startswith(FORMULA) else text


def plain(text: str) -> str:
    """What ``safe`` was given."""
    return text[1:] if text.startswith("'") else text
