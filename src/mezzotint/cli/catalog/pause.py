"""``mezzotint catalog pause OUT``."""

from __future__ import annotations

import click

from mezzotint.cli.catalog.steering import steered
from mezzotint.cli.catalog.words import place_options


@click.command("pause")
@place_options
def command(out: str, ledger: str | None) -> None:
    """Pause the last run in OUT: its workers finish the batch that they have, and wait."""
    click.echo(steered(out, ledger, "pause"))
