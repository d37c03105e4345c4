"""``mezzotint catalog run MANIFEST``: plan, make, gate, save; goes on after anything."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.catalog.status import document, line
from mezzotint.cli.catalog.words import asked_of, place_of, plan_options, probing
from mezzotint.cli.options import print_json
from mezzotint.cli.output import Bar, StoppedError
from mezzotint.cli.pictures import loading

if TYPE_CHECKING:
    from mezzotint.catalog.running import Ended, Place


@click.command("run")
@plan_options
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that make pictures, here.")
def command(workers: int, out: str | None, ledger: str | None, as_json: bool, quiet: bool, **words: Any) -> int:
    """Make the catalog of MANIFEST: every asset with its receipt, past licence, prompt and output gates, within the
    budget.

    The same command goes on where it was, however it ended; after an edit it makes the rows that were edited. What a
    gate refuses is in quarantine/, what fails for good is parked; neither stops the run. From another terminal:
    mezzotint catalog status, pause, resume, cancel OUT.
    """
    from mezzotint.cli.catalog.plan import text

    asked, began = asked_of(words), time.perf_counter()
    with loading():
        from mezzotint.catalog.report.write import PAGE, write_report
        from mezzotint.catalog.running import begin, default_out, end, work_all
        from mezzotint.pretrained.model import load

        where, model = place_of(out, ledger, asked.manifest), load(asked.words.model)
    address = out or default_out(asked.manifest)
    with probing(asked.probe, shown=not quiet) as told:
        run, priced = begin(asked, where, model, told)
    if priced is not None and not quiet:
        print(text(priced), file=sys.stderr)
    try:
        with Bar(1, "asset", shown=not quiet) as bar:
            state = work_all(run, where, model, workers, (address, ledger), lambda: _shown(bar, where, run.id, began))
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; the same command goes on, what is made is in {where.store.address}") from None
    ended = end(run, where, state)
    with Bar(1, "thumbnail", shown=not quiet) as bar:
        write_report(where.db, where.store, ended.run, lambda done, total: bar.at(done, "the report", total))
    print_json(document(where, ended.run, ended)) if as_json else _say(where, ended, PAGE, quiet)
    return exit_code(ended)


def exit_code(ended: Ended) -> int:
    """0 all is there · 3 some of it · 4 gates or the budget refused all."""
    here = ended.counts
    if sum(here.values()) == here["done"]:
        return 0
    refused = here["done"] == 0 and here["blocked"] + here["unchecked"] > 0 and here["parked"] == 0
    return 4 if refused and here["waiting"] == 0 else 3


def _shown(bar: Bar, where: Place, run: str, began: float) -> None:
    """Live: done, blocked, failed, left; pictures a minute."""
    from mezzotint.catalog.ledger.runs import counts

    here = counts(where.db, run)
    minutes = (time.perf_counter() - began) / 60
    note = (
        f"{here['blocked'] + here['unchecked']} blocked, {here['parked']} failed, {here['done'] / minutes:.1f} a minute"
    )
    bar.at(sum(here.values()) - here["waiting"], note, sum(here.values()))


def _say(where: Place, ended: Ended, page: str, quiet: bool) -> None:
    if quiet:
        return
    print(line(ended.run, ended.counts), file=sys.stderr)
    if ended.changed:
        print(
            "mezzotint: the manifest was changed during the run, which kept its own copy; run it again", file=sys.stderr
        )
    print(f"look at {where.store.address}/{page}", file=sys.stderr)
