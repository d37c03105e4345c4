"""The next round: winners are settled, what is open is varied again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from mezzotint.catalog.brief import Brief
from mezzotint.catalog.manifest.table import Table
from mezzotint.catalog.sheet import csv_text


def next_manifest(table: Table, won: Mapping[str, str | None]) -> str:
    """The manifest with a column for each factor that is won, as CSV."""
    settled = {factor: level for factor, level in won.items() if level is not None}
    columns = (*table.columns, *(name for name in settled if name not in table.columns))
    return csv_text(columns, ([{**cells, **settled}[name] for name in columns] for _, cells in table.rows))


def next_brief(brief: Brief, won: Mapping[str, str | None]) -> str:
    """The brief without the factors that are won, as TOML; all else as it is."""
    still = [factor for factor in brief.factors if won.get(factor.name) is None]
    lines = ["[factors]", *(f"{_text(one.name)} = [{', '.join(map(_text, one.levels))}]" for one in still)]
    plan = [f"variants = {brief.variants}"] if brief.variants is not None else []
    plan += [
        f'balance = "{brief.balance}"',
        f'seeds = "{brief.seeds}"',
        f"buckets = {brief.buckets}",
        f"distinct = {brief.distinct}",
    ]
    plan += [] if brief.model is None else [f"model = {_text(brief.model)}"]
    plan += [] if brief.candidates is None else [f"candidates = {brief.candidates}"]
    degrade = ["", "[degrade]", f"ladder = [{', '.join(_text(str(rung)) for rung in brief.ladder)}]"]
    trial = {} if brief.test is None else asdict(brief.test)
    test = ["", "[test]", *(f"{name} = {value}" for name, value in trial.items())] if trial else []
    cost = [] if brief.per_hour is None else ["", "[cost]", f'per_hour = "{brief.per_hour}"']
    return "\n".join([*lines, "", "[plan]", *plan, *degrade, *test, *cost]) + "\n"


def _text(value: str) -> str:
    """A TOML string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
