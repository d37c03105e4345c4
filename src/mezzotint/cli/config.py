"""``mezzotint config``: each setting's value and its source."""

from __future__ import annotations

import json

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.config import SETTINGS, Value, section, settings
from mezzotint.governance.licence import facts
from mezzotint.governance.safety.prompt import policy
from mezzotint.making.table import table

SCHEMA = "mezzotint/config/1"
ABOUT = {facts.SECTION: "a fact that licences are judged by", policy.SECTION: "what the prompt gate asks"}


@click.command("config")
@json_option
def command(as_json: bool) -> None:
    """Show every setting and where its value comes from.

    Command line over environment (MEZZOTINT_<NAME>) over ./mezzotint.toml over your own config.toml over defaults.
    """
    found = {**settings(), **_sections()}
    if as_json:
        listed = {name: {"value": v.value, "source": v.source} for name, v in found.items()}
        print_json({"schema": SCHEMA, "settings": listed})
        return
    rows = [("setting", "value", "source", "what it is")]
    for setting in SETTINGS:
        value = found[setting.name]
        rows.append((setting.name, "-" if value.value is None else str(value.value), value.source, setting.about))
    for name, value in _sections().items():
        rows.append((name, str(value.value), value.source, ABOUT[name.partition(".")[0]]))
    click.echo(table(rows))


def _sections() -> dict[str, Value]:
    """The facts of [licence] and the policy of [safety], as text.  Raises InputError, UsageError for wrong ones."""
    facts.declared()
    policy.declared()
    return {
        f"{name}.{k}": Value(k, text(value), source) for name in ABOUT for k, (value, source) in section(name).items()
    }


def text(value: object) -> str:
    """A value of TOML in one line."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
