"""What an hour of this machine costs, its power, and what the same picture costs elsewhere: from ``[cost]`` of
``mezzotint.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from mezzotint.config import section
from mezzotint.errors import UsageError, unknown
from mezzotint.governance.licence.money import Money, money

LISTS = ("elsewhere", "shoot")
NAMES = ("per_hour", "watts", "photograph", *LISTS, "project", "book", "cap_command", "cap_project", "cap_month")


@dataclass(frozen=True)
class Elsewhere:
    """What others ask for a picture.   low, high: of their list.  source, date: who says so, and of when."""

    name: str
    low: Money
    high: Money
    source: str
    date: str


@dataclass(frozen=True)
class Prices:
    """What nobody stated is None.

    per_hour: of the machine.  watts: it draws while it works.  photograph: a finished one by a photographer.
    shoot: what photographers ask, as elsewhere has it.
    """

    per_hour: Money | None = None
    watts: float | None = None
    photograph: Money | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    shoot: tuple[Elsewhere, ...] = ()


def declared() -> Prices:
    """What the settings files say; of others' prices the list that ships, unless they say another.

    Raises UsageError that names the file, InputError.
    """
    said = section("cost")
    for name, (_, where) in said.items():
        if name not in NAMES:
            raise UsageError(f"{where}: {unknown('setting of [cost]', name, NAMES)}")
    per_hour, photograph = (stated(said, name) for name in ("per_hour", "photograph"))
    return Prices(per_hour, _watts(said), photograph, *(_rows(said, name) for name in LISTS))


def _rows(said: Mapping[str, tuple[Any, str]], name: str) -> tuple[Elsewhere, ...]:
    """A list of the settings, else the one that ships."""
    rows, where = said[name] if name in said else (_shipped()[name], "the list that ships")
    if not isinstance(rows, list):
        raise UsageError(f"{where}: {name} is {rows!r}; expected [[cost.{name}]] tables")
    return tuple(_row(row, where, name) for row in rows)


def _shipped() -> Mapping[str, list[Any]]:
    return tomllib.loads((files("mezzotint.costs") / "elsewhere.toml").read_text("utf-8"))


def stated(said: Mapping[str, tuple[Any, str]], name: str) -> Money | None:
    """An amount of [cost], None where nobody states it.  Raises UsageError."""
    if name not in said:
        return None
    value, where = said[name]
    return _amount(value, f"{where}: {name}")


def _amount(value: Any, where: str) -> Money:
    if not isinstance(value, str):
        raise UsageError(f'{where} is {value!r}; expected an amount and a currency in quotes, such as "0.40 USD"')
    return money(value, where)


def _watts(said: Mapping[str, tuple[Any, str]]) -> float | None:
    if "watts" not in said:
        return None
    value, where = said["watts"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise UsageError(f"{where}: watts is {value!r}; expected a number above 0, such as 65")
    return float(value)


def _row(row: Any, where: str, of: str) -> Elsewhere:
    wanted = {"name", "low", "high", "source", "date"}
    if not isinstance(row, dict) or set(row) != wanted:
        raise UsageError(f"{where}: a table of {of} has {', '.join(sorted(wanted))}; got {row!r}")
    texts = {name: str(row[name]) for name in ("name", "source", "date")}
    low, high = (_amount(row[k], f"{where}: {row['name']}: {k}") for k in ("low", "high"))
    if low.currency != high.currency or low.amount > high.amount:
        raise UsageError(f"{where}: {row['name']}: expected low and high of one currency, low first; got {low}, {high}")
    return Elsewhere(low=low, high=high, **texts)
