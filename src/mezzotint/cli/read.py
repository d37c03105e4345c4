"""``mezzotint read FILE``: the command behind a picture."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH

SCHEMA = "mezzotint/read/2"


@click.command("read")
@click.argument("file", type=PATH)
@json_option
def command(file: Path, as_json: bool) -> None:
    """Print the command that makes FILE's picture again: of a receipt, or of a picture, ours or by another tool.

    AUTOMATIC1111's web UI, ComfyUI and InvokeAI are read; what could not be brought along is said, and which files the
    command needs.
    """
    from mezzotint.making.recalled.read import read

    found = read(file)
    if as_json:
        loras = [{"name": name, "weight": weight} for name, weight in found.loras]
        said = {key: value for key, value in asdict(found).items() if key not in ("more", "pictures")}
        arguments = found.arguments
        print_json({"schema": SCHEMA, **said, "loras": loras, "arguments": arguments, "command": found.command})
        return
    click.echo(found.command)
    for need in found.needs:
        print(f"mezzotint: needs {need.word}, {need.what}: {need.sha256}", file=sys.stderr)
    for note in found.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
