"""``mezzotint config``: each setting's value and its source."""

from __future__ import annotations

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.config import SETTINGS, settings
from mezzotint.making.table import table

SCHEMA = "mezzotint/config/1"


@click.command("config")
@json_option
def command(as_json: bool) -> None:
    """Show every setting and where its value comes from.

    Command line over environment (MEZZOTINT_<NAME>) over ./mezzotint.toml over your own config.toml over defaults.
    """
    found = settings()
    if as_json:
        listed = {name: {"value": v.value, "source": v.source} for name, v in found.items()}
        print_json({"schema": SCHEMA, "settings": listed})
        return
    rows = [("setting", "value", "source", "what it is")]
    for setting in SETTINGS:
        value = found[setting.name]
        rows.append((setting.name, "-" if value.value is None else str(value.value), value.source, setting.about))
    click.echo(table(rows))
