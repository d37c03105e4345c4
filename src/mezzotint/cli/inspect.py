"""``mezzotint inspect FILE``: what it is, without trusting it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.output import printable as spelt
from mezzotint.cli.paths import PATH

SCHEMA = "mezzotint/inspect/1"
LONGEST = 100


def lines(facts: Mapping[str, Any], indent: str = "") -> list[str]:
    """Facts as indented lines; long values are cut, control characters shown as escapes."""
    out: list[str] = []
    for key, value in facts.items():
        if isinstance(value, Mapping) and value:
            out += [f"{indent}{printable(key)}", *lines(value, indent + "  ")]
        else:
            out.append(f"{indent}{printable(key)}  {printable(value)}")
    return out


def printable(value: Any) -> str:
    """One line that cannot move a terminal's cursor; a dash for what nobody said."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if value is None or not text:
        return "–"
    safe = spelt(text)
    return safe if len(safe) <= LONGEST else safe[:LONGEST] + "…"


@click.command("inspect")
@click.argument("file", type=PATH)
@json_option
def command(file: Path, as_json: bool) -> None:
    """Say what FILE is: weights, an adapter, a model folder, a receipt, a picture, a run or a checkpoint.

    Nothing in it is run.
    """
    from mezzotint.making.inspection import inspect

    found = inspect(file)
    if as_json:
        print_json({"schema": SCHEMA, "kind": found.kind, "path": str(found.path), "facts": dict(found.facts)})
    else:
        click.echo("\n".join([f"{spelt(str(found.path))}  {found.kind}", *lines(found.facts, "  ")]))
