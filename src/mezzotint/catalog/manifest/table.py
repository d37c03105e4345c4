"""A manifest as a table of texts, from CSV, JSONL or Parquet, on this machine or at any address that fsspec opens."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mezzotint.catalog.manifest.decoded import decoded
from mezzotint.catalog.manifest.problem import Problem
from mezzotint.catalog.sheet import plain
from mezzotint.errors import InputError, UsageError, unknown
from mezzotint.files import read_bytes, sha256, user_path

MAX_BYTES, MAX_ROWS = 1 << 30, 1_000_000
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """address: where it came from.  sha256: of its bytes.  columns: in their order.

    rows: (number, cells by column) each; what is not there is "".   problems: of cells and rows that cannot be read.
    """

    address: str
    sha256: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    problems: tuple[Problem, ...] = ()


Parsed = tuple[tuple[str, ...], list[tuple[int, Mapping[str, str]]], list[Problem]]


def is_remote(address: str) -> bool:
    """Whether an address is fsspec's and no path."""
    return "://" in address


def read_data(address: str) -> bytes:
    """All of it.  Raises InputError, UsageError where fsspec is not installed."""
    if not is_remote(address):
        return read_bytes(user_path(address), MAX_BYTES)
    try:
        import fsspec
    except ImportError as error:
        raise UsageError("addresses are opened by fsspec; pip install 'mezzotint[catalog]'") from error
    try:
        with fsspec.open(address, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"cannot read {address}: {error}; expected a manifest") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{address} is larger than {MAX_BYTES} bytes; split it")
    return data


def read_table(address: str) -> Table:
    """Raises InputError (unreadable, empty, too many rows), UsageError (a suffix that is none of them)."""
    return parse(address, read_data(address))


def parse(address: str, data: bytes) -> Table:
    """The same of bytes that were read; the address's suffix says the format."""
    suffix = PurePosixPath(address).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise unknown("manifest format", suffix or address, FORMATS)
    columns, rows, problems = FORMATS[suffix](data, address)
    if not rows and not problems:
        raise InputError(f"{address} has no rows; expected a header and a row for each product")
    if len(rows) > MAX_ROWS:
        raise InputError(f"{address} has {len(rows):,} rows; at most {MAX_ROWS:,} are taken, split it")
    return Table(address, sha256(data), columns, tuple(rows), tuple(problems))


def _csv(data: bytes, address: str) -> Parsed:
    text, problems = decoded(data)
    if "\0" in text:
        raise InputError(f"{address} holds NUL bytes and is no CSV; expected text in UTF-8")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InputError(f"{address}, line {reader.line_num}: {error}; expected CSV") from error
    header = tuple(map(_cell, lines[0])) if lines else ()
    found, rows = [*problems, *_header(header)], list[tuple[int, Mapping[str, str]]]()
    for number, cells in enumerate(lines[1:], 2):
        if not any(map(str.strip, cells)):
            continue
        if len(cells) != len(header):
            found.append(Problem(number, "", "", f"has {len(cells)} cells; the header has {len(header)}"))
        else:
            rows.append((number, dict(zip(header, map(_cell, cells), strict=True))))
    return header, rows, found


def _cell(text: str) -> str:
    """Without the apostrophe that our own sheets have before what a spreadsheet would run."""
    return plain(text).strip()


def _header(names: tuple[str, ...]) -> list[Problem]:
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    return [
        *(Problem(1, name, "", "is a column twice; expected each once") for name in twice if name),
        *(Problem(1, "", "", f"column {k} has no name") for k, name in enumerate(names, 1) if not name),
    ]


def _jsonl(data: bytes, address: str) -> Parsed:
    text, problems = decoded(data)
    found, rows = [*problems], list[tuple[int, Mapping[str, str]]]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            found.append(Problem(number, "", line, f"is not JSON ({error}); expected an object a line"))
            continue
        if not isinstance(value, dict):
            found.append(Problem(number, "", line, "is no object; expected one a line"))
            continue
        rows.append((number, _texts(value, number, found)))
    return _filled(rows, found)


def _parquet(data: bytes, address: str) -> Parsed:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("Parquet is read by pyarrow; pip install 'mezzotint[catalog]'") from error
    try:
        values = parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{address} is no sound Parquet ({str(error).splitlines()[0]}); use an intact copy") from error
    found = list[Problem]()
    return _filled([(number, _texts(value, number, found)) for number, value in enumerate(values, 2)], found)


def _texts(value: Mapping[str, Any], number: int, found: list[Problem]) -> Mapping[str, str]:
    """An object's values as texts; what is no plain value is noted."""
    cells = {}
    for name, one in value.items():
        if isinstance(one, dict | list):
            found.append(Problem(number, name, str(one), "is a list or an object; expected a plain value"))
        cells[name.strip()] = _text(one)
    return cells


def _text(value: object) -> str:
    """As CSV would have it: nothing for null, yes and no, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _filled(rows: Iterable[tuple[int, Mapping[str, str]]], found: list[Problem]) -> Parsed:
    """All rows with all columns."""
    listed = list(rows)
    columns = tuple(dict.fromkeys(name for _, cells in listed for name in cells))
    empty = dict.fromkeys(columns, "")
    return columns, [(number, {**empty, **cells}) for number, cells in listed], found


FORMATS: Mapping[str, Callable[[bytes, str], Parsed]] = {
    "csv": _csv,
    "tsv": _csv,
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "parquet": _parquet,
}
