"""``mezzotint config``: each setting's value and its source."""

from __future__ import annotations

import json

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.config import SETTINGS, Value, section, settings
from mezzotint.governance.licence.facts import SECTION, declared
from mezzotint.making.table import table

SCHEMA = "mezzotint/config/1"


@click.command("config")
@json_option
def command(as_json: bool) -> None:
    """Show every setting and where its value comes from.

    Command line over environment (MEZZOTINT_<NAME>) over ./mezzotint.toml over your own config.toml over defaults.
    """
    found = {**settings(), **_licence()}
    if as_json:
        listed = {name: {"value": v.value, "source": v.source} for name, v in found.items()}
        print_json({"schema": SCHEMA, "settings": listed})
        return
    rows = [("setting", "value", "source", "what it is")]
    for setting in SETTINGS:
        value = found[setting.name]
        rows.append((setting.name, "-" if value.value is None else str(value.value), value.source, setting.about))
    for name, value in _licence().items():
        rows.append((name, str(value.value), value.source, "a fact that licences are judged by"))
    click.echo(table(rows))


def _licence() -> dict[str, Value]:
    """The facts of [licence], as text.  Raises InputError, UsageError for wrong ones."""
    declared()
    return {f"{SECTION}.{k}": Value(k, text(value), source) for k, (value, source) in section(SECTION).items()}


def text(value: object) -> str:
    """A value of TOML in one line."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
