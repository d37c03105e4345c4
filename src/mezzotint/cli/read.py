"""``mezzotint read FILE``: the command behind a picture."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json

SCHEMA = "mezzotint/read/1"


@click.command("read")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Print the command that makes FILE's picture again: of a receipt, or of a picture by another tool.

    AUTOMATIC1111's web UI, ComfyUI and InvokeAI are read; what could not be brought along is said.
    """
    from mezzotint.making.recalled.read import read

    found = read(file)
    if as_json:
        loras = [{"name": name, "weight": weight} for name, weight in found.loras]
        print_json({"schema": SCHEMA, **asdict(found), "loras": loras, "command": found.command})
        return
    click.echo(found.command)
    for note in found.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
