"""``mezzotint catalog cancel OUT``."""

from __future__ import annotations

import click

from mezzotint.cli.catalog.steering import steered
from mezzotint.cli.catalog.words import place_options


@click.command("cancel")
@place_options
def command(out: str, ledger: str | None) -> None:
    """Cancel the last run in OUT: its workers finish the batch that they have, and end. `catalog run` takes it
    up again."""
    click.echo(steered(out, ledger, "cancel"))
