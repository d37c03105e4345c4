"""``mezzotint catalog run MANIFEST``: plan, make, gate, save; goes on after anything."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import click

from mezzotint.cli.catalog.status import document, line, money
from mezzotint.cli.catalog.words import asked_of, place_of, plan_options, probing
from mezzotint.cli.options import print_json
from mezzotint.cli.output import Bar, StoppedError, say
from mezzotint.cli.pictures import loading

if TYPE_CHECKING:
    from mezzotint.catalog.ledger.runs import Run
    from mezzotint.catalog.planning import Asked
    from mezzotint.catalog.running import Ended, Place
    from mezzotint.pretrained.model import Model


@click.command("run")
@plan_options
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that make pictures.")
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where they run."
)
@click.option("--gpus", type=float, default=0.0, show_default=True, help="Of each worker on Ray, also a part of one.")
@click.option("--ray-address", metavar="ADDRESS", help="A Ray cluster that is there.  [one begun here]")
def command(
    workers: int,
    engine: Literal["local", "ray"],
    gpus: float,
    ray_address: str | None,
    out: str | None,
    ledger: str | None,
    as_json: bool,
    quiet: bool,
    **words: Any,
) -> int:
    """Make the catalog of MANIFEST: every asset with its receipt, past licence, prompt and output gates, within the
    budget.

    The same command goes on where it was, however it ended; after an edit it makes the rows that were edited. What a
    gate refuses is in quarantine/, what fails for good is parked; neither stops the run. From another terminal:
    mezzotint catalog status, pause, resume, cancel OUT.
    """
    asked = asked_of(words)
    with loading():
        from mezzotint.catalog.ledger.runs import counts
        from mezzotint.catalog.running import Engine, default_out, end, unsaid, work_all
        from mezzotint.pretrained.model import load

        where, model = place_of(out, ledger, asked.manifest), load(asked.words.model)
    by = Engine(engine, workers, gpus, ray_address)
    run, began = _begun(asked, where, model, quiet), time.perf_counter()
    before = counts(where.db, run.id)["done"]
    address = out or default_out(asked.manifest), ledger
    try:
        with Bar(1, "asset", shown=not quiet) as bar:
            watch = partial(_shown, bar, where, run, began, before)
            state = work_all(run, where, model, address, by, watch, unsaid if quiet else say)
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; the same command goes on, what is made is in {where.store.address}") from None
    ended = end(run, where, state)
    _report(where, ended, as_json, quiet)
    return exit_code(ended)


def _begun(asked: Asked, where: Place, model: Model, quiet: bool) -> Run:
    """The run, planned unless it is there."""
    from mezzotint.catalog.running import begin
    from mezzotint.cli.catalog.plan import text

    with probing(asked.probe, shown=not quiet) as told:
        run, priced = begin(asked, where, model, told)
    if priced is not None and not quiet:
        print(text(priced), file=sys.stderr)
    return run


def _report(where: Place, ended: Ended, as_json: bool, quiet: bool) -> None:
    """Writes the page, and says how the run ended."""
    from mezzotint.catalog.report.write import PAGE, write_report

    with Bar(1, "thumbnail", shown=not quiet) as bar:
        write_report(where.db, where.store, ended.run, lambda done, total: bar.at(done, "the report", total))
    print_json(document(where, ended.run, ended)) if as_json else _say(where, ended, PAGE, quiet)


def exit_code(ended: Ended) -> int:
    """0 all is there · 3 some of it · 4 gates or the budget refused all."""
    here = ended.counts
    if sum(here.values()) == here["done"]:
        return 0
    refused = here["done"] == 0 and here["blocked"] + here["unchecked"] > 0 and here["parked"] == 0
    return 4 if refused and here["waiting"] == 0 else 3


def _shown(bar: Bar, where: Place, run: Run, began: float, before: int) -> None:
    """Live: done, left and how long (the bar's own), blocked, failed, pictures a minute, money spent and left."""
    from mezzotint.catalog.ledger.runs import counts

    here, minutes = counts(where.db, run.id), (time.perf_counter() - began) / 60
    note = f"{here['blocked'] + here['unchecked']} blocked, {here['parked']} failed"
    note += f", {(here['done'] - before) / minutes:.1f} a minute" + (f", {money(run)}" if run.per_hour else "")
    bar.at(sum(here.values()) - here["waiting"], note, sum(here.values()))


def _say(where: Place, ended: Ended, page: str, quiet: bool) -> None:
    if quiet:
        return
    print(line(ended.run, ended.counts), file=sys.stderr)
    if ended.refused:
        print(f"mezzotint: {ended.refused}", file=sys.stderr)
    if ended.changed:
        print(
            "mezzotint: the manifest was changed during the run, which kept its own copy; run it again", file=sys.stderr
        )
    print(f"look at {where.store.address}/{page}", file=sys.stderr)
