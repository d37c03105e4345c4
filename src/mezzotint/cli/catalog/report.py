"""``mezzotint catalog report OUT``: one page of a run, and its rows as CSV and JSON."""

from __future__ import annotations

import click

from mezzotint.cli.catalog.words import place_options
from mezzotint.cli.options import json_option, print_json, quiet_option
from mezzotint.cli.output import Bar


@click.command("report")
@place_options
@json_option
@quiet_option
def command(out: str, ledger: str | None, as_json: bool, quiet: bool) -> None:
    """Write report.html, catalog.csv and catalog.json of the last run in OUT; each is made anew.

    The page needs no server and no network: sheets by product and by factor, filters, verdicts, costs, what a person
    should look at.
    """
    from mezzotint.catalog.ledger.runs import the_run
    from mezzotint.catalog.report.write import PAGE, write_report
    from mezzotint.catalog.running import open_there

    where = open_there(out, ledger)
    with Bar(1, "asset", shown=not quiet) as bar:
        document = write_report(
            where.db, where.store, the_run(where.db), lambda done, total: bar.at(done, "thumbnails", total)
        )
    if as_json:
        print_json(document)
    elif not quiet:
        click.echo(f"{where.store.address}/{PAGE}: {len(document['assets']):,} assets")
