"""``mezzotint convert FILE|FOLDER``: pickled checkpoints to safetensors."""

from __future__ import annotations

from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json

SCHEMA = "mezzotint/convert/1"


@click.command("convert")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File or folder to write.  [beside PATH]")
@json_option
def command(path: Path, out: Path | None, as_json: bool) -> None:
    """Write a pickled checkpoint (.ckpt, .pt, .pth, .bin), or a folder of them, as safetensors.

    It is read by a process of its own that has no network and runs nothing that the file says.
    """
    from mezzotint.pretrained.convert import convert

    made = convert(path, out)
    if as_json:
        files = [{"source": str(m.source), "path": str(m.path), "sha256": m.sha256, "tensors": m.tensors} for m in made]
        print_json({"schema": SCHEMA, "files": files})
        return
    for one in made:
        click.echo(f"{one.path}  {one.tensors} tensors  sha256 {one.sha256}")
