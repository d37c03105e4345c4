"""``mezzotint catalog resume OUT``."""

from __future__ import annotations

import click

from mezzotint.cli.catalog.steering import steered
from mezzotint.cli.catalog.words import place_options


@click.command("resume")
@place_options
def command(out: str, ledger: str | None) -> None:
    """Let the paused run in OUT go on."""
    click.echo(steered(out, ledger, "resume"))
