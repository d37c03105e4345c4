"""A testing tool's numbers, by asset id: views, clicks, sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mezzotint.catalog.manifest.problem import nearest
from mezzotint.catalog.manifest.table import Table
from mezzotint.catalog.report.entries import Entry
from mezzotint.errors import InputError

METRICS = ("clicks", "sales")


@dataclass(frozen=True)
class Shown:
    """An asset in the campaign.   successes: clicks or sales, of ``views``."""

    sku: str
    levels: tuple[str, ...]
    views: int
    successes: int


def shown(table: Table, catalog: Sequence[Entry], metric: str) -> tuple[list[Shown], tuple[str, ...]]:
    """The rows of a table whose assets are in a catalog, and notes.   Rows of one asset add up.

    Raises InputError that names the row: no whole numbers, more successes than views, a column that is missing; or no
    asset of the catalog.
    """
    for name in ("asset", "views", metric):
        if name not in table.columns:
            hint = nearest(name, table.columns)
            raise InputError(f"{table.address} has no column {name!r}" + (f"; is it {hint!r}?" if hint else ""))
    if table.problems:
        raise InputError(f"{table.address}: {table.problems[0]}")
    known, found, strange = {one.id: one for one in catalog}, dict[str, tuple[int, int]](), 0
    for number, cells in table.rows:
        views, wins = (_count(table.address, number, name, cells) for name in ("views", metric))
        if wins > views:
            raise InputError(
                f"{table.address}, row {number}: {wins} {metric} of {views} views; expected at most as many"
            )
        name = cells["asset"].removeprefix("'")  # which people type so that an id stays a text
        if name not in known:
            strange += 1
            continue
        before = found.get(name, (0, 0))
        found[name] = before[0] + views, before[1] + wins
    if not found:
        raise InputError(f"{table.address} has no asset of this catalog; expected the ids of catalog.csv")
    notes = [f"{strange:,} rows are of assets that this catalog does not have"] if strange else []
    missing = len(known) - len(found)
    notes += [f"{missing:,} assets of the catalog have no row"] if missing else []
    return [Shown(known[n].sku, known[n].levels, *numbers) for n, numbers in found.items()], tuple(notes)


def _count(address: str, row: int, name: str, cells: Mapping[str, str]) -> int:
    text = cells[name].replace(",", "").replace(" ", "")
    if not text.isdecimal():
        raise InputError(f"{address}, row {row}: {name} is {cells[name]!r}; expected a whole number")
    return int(text)
