"""``mezzotint catalog status OUT``: how a run stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.catalog.words import place_options
from mezzotint.cli.options import json_option, print_json

if TYPE_CHECKING:
    from mezzotint.catalog.ledger.runs import Run
    from mezzotint.catalog.running import Ended, Place

SCHEMA = "mezzotint/catalog-status/1"


@click.command("status")
@place_options
@json_option
def command(out: str, ledger: str | None, as_json: bool) -> None:
    """Say how the last run in OUT stands: done, blocked, failed, left; time and money spent and left."""
    from mezzotint.catalog.ledger.runs import counts, the_run
    from mezzotint.catalog.running import Ended, changed, open_there

    where = open_there(out, ledger)
    run = the_run(where.db)
    ended = Ended(run, run.state, counts(where.db, run.id), changed(run))
    if as_json:
        print_json(document(where, run, ended))
    else:
        click.echo(line(run, ended.counts) + ("; the manifest is another now" if ended.changed else ""))


def line(run: Run, counts: dict[str, int]) -> str:
    """For people."""
    total, done = sum(counts.values()), counts["done"]
    blocked, left = counts["blocked"] + counts["unchecked"], seconds_left(run, counts)
    said = f"run {run.id} {run.state.replace('_', ' ')}: {done:,} of {total:,} done, {blocked:,} blocked"
    said += f", {counts['parked']:,} failed, {counts['waiting']:,} left"
    said += f"; {run.seconds:.0f} s spent" + (f", about {left:.0f} s left" if left else "")
    said += f"; {money(run)}" if run.per_hour else ""
    return said


def seconds_left(run: Run, counts: dict[str, int]) -> float | None:
    """Of one worker, at the pace so far; None where nothing was made to go by."""
    waiting = counts["waiting"]
    made = sum(counts.values()) - waiting
    return run.seconds / made * waiting if made and run.seconds else None if waiting else 0.0


def money(run: Run) -> str:
    """Spent, and left of a budget."""
    from mezzotint.catalog.money import left_of, spent_by

    spent, left = spent_by(run).spent, left_of(run)
    return f"{spent} spent" if left is None else f"{spent} spent, {left} left"


def document(where: Place, run: Run, ended: Ended) -> dict[str, Any]:
    """As JSON."""
    from mezzotint.catalog.money import left_of, spent_by
    from mezzotint.costs.book import money as amount

    priced, paid, left = bool(run.per_hour), spent_by(run), left_of(run)
    seconds = seconds_left(run, ended.counts)
    return {
        "schema": SCHEMA,
        "run": run.id,
        "state": ended.state,
        "out": where.store.address,
        "manifest": run.address,
        "manifest_changed": ended.changed,
        "assets": ended.counts,
        "seconds": {
            "planned": round(run.planned_seconds, 3),
            "spent": round(run.seconds, 3),
            "left": None if seconds is None else round(seconds, 3),
        },
        "money": {
            "spent": str(paid.spent),
            "reserved": str(paid.reserved),
            "budget": None if run.cap is None else str(amount(run.cap, run.currency)),
            "left": None if left is None else str(left),
        }
        if priced
        else None,
        "rungs": list(run.rungs),
    }
