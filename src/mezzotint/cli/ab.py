"""``mezzotint ab read RESULTS``: what a campaign's numbers say of the factors of a catalog."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mezzotint.cli.catalog.words import ledger_option
from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH
from mezzotint.errors import InputError, StorageError

if TYPE_CHECKING:
    from mezzotint.catalog.ab.lift import Lift
    from mezzotint.catalog.ledger.runs import Run
    from mezzotint.catalog.running import Place

SCHEMA = "mezzotint/ab/1"


@click.command("ab")
@click.argument("what", type=click.Choice(["read"]))
@click.argument("results")
@click.option("--catalog", "out", metavar="OUT", required=True, help="The catalog's folder or address.")
@ledger_option
@click.option(
    "--metric", type=click.Choice(["clicks", "sales"]), default="clicks", show_default=True, help="What counts."
)
@click.option("--next", "following", type=PATH, help="Also write the next round's manifest, a CSV.")
@json_option
def command(
    what: str, results: str, out: str, ledger: str | None, metric: str, following: Path | None, as_json: bool
) -> None:
    """Read: a campaign's numbers, a table with the columns asset, views, clicks, sales. Says for each level of each
    factor how much more it brings than the others, with an interval, and names the winner or says that it is not clear
    yet."""
    from mezzotint.catalog.ab.lift import lifts, winners
    from mezzotint.catalog.ab.results import shown
    from mezzotint.catalog.ledger.runs import the_run
    from mezzotint.catalog.manifest.table import read_table
    from mezzotint.catalog.report.entries import entries
    from mezzotint.catalog.running import open_there

    if following is not None and (following.exists() or following.with_suffix(".toml").exists()):
        raise StorageError(f"--next {following}: it or its brief exists; nothing is overwritten, choose another name")
    where = open_there(out, ledger)
    run = the_run(where.db)
    if not run.factors:
        raise InputError(f"the catalog in {out} varies no factor; there is nothing to compare")
    numbers, notes = shown(read_table(results), entries(where.db, run.id), metric)
    found = lifts(numbers, run.factors)
    won = winners(found)
    if following is not None:
        write_next(where, run, won, following)
    if as_json:
        rows = [{**asdict(one), "rate": one.rate} for one in found]
        print_json(
            {"schema": SCHEMA, "run": run.id, "metric": metric, "levels": rows, "winners": won, "notes": list(notes)}
        )
        return
    for note in notes:
        print(f"mezzotint: {note}", file=sys.stderr)
    click.echo(text(found, won, metric))


def write_next(where: Place, run: Run, won: dict[str, str | None], path: Path) -> None:
    """The next round's manifest and brief, of the copies that the run kept.  Raises StorageError, InputError."""
    from mezzotint.catalog.ab.following import next_brief, next_manifest
    from mezzotint.catalog.running import kept_copies
    from mezzotint.files import write_atomic

    table, brief = kept_copies(where.store, run)
    write_atomic(path, next_manifest(table, won), replace=False)
    write_atomic(path.with_suffix(".toml"), next_brief(brief, won), replace=False)


def text(found: list[Lift], won: dict[str, str | None], metric: str) -> str:
    """For people."""
    lines = []
    for factor, winner in won.items():
        lines.append(f"{factor}: {f'{winner!r} wins' if winner is not None else 'not yet'}")
        lines += [f"  {_row(one, metric)}" for one in found if one.factor == factor]
    return "\n".join(lines)


def _row(one: Lift, metric: str) -> str:
    said = f"{one.level}: {one.successes:,} {metric} of {one.views:,} views, {one.rate:.2%}"
    if one.lift is None:
        return f"{said}; too few to compare"
    if one.low is None or one.high is None:
        return f"{said}; {one.lift:+.1%} over the others; too few products for an interval"
    return f"{said}; {one.lift:+.1%} ({one.low:+.1%} … {one.high:+.1%}) over the others, p {one.holm:.3g}"
