"""TOML tables read field by field: each checker gives the value in its type, or an InputError in one line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, unknown
from mezzotint.files import read_bytes

MAX_BYTES = 1 << 18
Checker = Callable[[Any, str], Any]
Table = Mapping[str, Any]


def toml(path: Path) -> dict[str, Any]:
    """A file's table.  Raises InputError for what cannot be read or is no TOML."""
    return parsed(read_bytes(path, MAX_BYTES), str(path))


def parsed(data: bytes, where: str) -> dict[str, Any]:
    """The same of bytes."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no TOML: {error}; correct it, or leave it out") from error


def wrong(where: str, what: str, expected: str) -> InputError:
    """One line: where, what is wrong, what was expected."""
    return InputError(f"{where}: {what}; expected {expected}")


def fields(table: Any, checkers: Mapping[str, Checker], needed: Collection[str], where: str) -> dict[str, Any]:
    """The fields of a table in their types.  Raises InputError for one that is missing, unknown or wrong."""
    if not isinstance(table, dict):
        raise wrong(where, f"{type(table).__name__} where a table belongs", "a table")
    for name in table:
        if name not in checkers:
            raise InputError(f"{where}: {unknown('key', name, checkers)}")
    for name in needed:
        if name not in table:
            raise wrong(where, f"{name} is missing", f"it among {', '.join(needed)}")
    return {name: checkers[name](value, f"{where}: {name}") for name, value in table.items()}


def text(value: Any, where: str) -> str:
    """A text, "" too."""
    if not isinstance(value, str):
        raise wrong(where, f"{value!r} is no text", "a text")
    return value


def said(value: Any, where: str) -> str:
    """A text that says something."""
    if not text(value, where).strip():
        raise wrong(where, "it is empty", "a text")
    return str(value)


def choice(*known: str) -> Checker:
    """One of a closed set."""

    def check(value: Any, where: str) -> str:
        if value not in known or not isinstance(value, str):
            raise wrong(where, f"{value!r}", f"one of {', '.join(known)}")
        return value

    return check


def several(of: Checker) -> Checker:
    """A list, as a tuple."""

    def check(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise wrong(where, f"{value!r} is no list", "a list")
        return tuple(of(one, where) for one in value)

    return check


def whole(value: Any, where: str) -> int:
    """A whole number, 0 or more."""
    if type(value) is not int or value < 0:
        raise wrong(where, f"{value!r}", "a whole number, 0 or more")
    return value


def number(value: Any, where: str) -> Decimal:
    """A finite number above 0."""
    if type(value) not in (int, float) or not 0 < value < 1e18:
        raise wrong(where, f"{value!r}", "a number above 0")
    return Decimal(str(value))


def yes(value: Any, where: str) -> bool:
    """true or false."""
    if type(value) is not bool:
        raise wrong(where, f"{value!r}", "true or false")
    return value


def day(value: Any, where: str) -> date:
    """A date of TOML."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong(where, f"{value!r} is no date", "a date such as 2026-11-27, without quotes")
    return value


def digest(value: Any, where: str) -> str:
    """A SHA-256 in small hexadecimal digits."""
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise wrong(where, f"{value!r} is no SHA-256", "64 hexadecimal digits")
    return value
