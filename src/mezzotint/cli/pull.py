"""``mezzotint pull ID``: the only command that uses the network."""

from __future__ import annotations

import click

from mezzotint.cli.options import human_bytes, json_option, print_json, quiet_option

SCHEMA = "mezzotint/pull/1"


@click.command("pull")
@click.argument("id")
@click.option("--variant", help="Of the weights, such as fp16.  [the plain ones]")
@click.option("--file", "files", multiple=True, help="Fetch this file alone; may be given again.")
@click.option("--name", help="What it is called here.  [the repository's name]")
@json_option
@quiet_option
def command(id: str, variant: str | None, files: tuple[str, ...], name: str | None, as_json: bool, quiet: bool) -> None:
    """Fetch the model ID (OWNER/NAME or OWNER/NAME@REVISION) from the Hugging Face hub.

    Safetensors files, tables and texts alone, at one commit; every file's SHA-256 is checked and recorded.
    """
    from mezzotint.pretrained.hub import pull, quietly

    quietly(quiet)
    made = pull(id, variant=variant, files=files, name=name)
    if as_json:
        print_json({
            "schema": SCHEMA, "id": made.id, "revision": made.revision, "folder": str(made.folder),
            "bytes": made.bytes, "licence": made.licence, "files": dict(made.files),
        })  # fmt: skip
    elif not quiet:
        click.echo(f"{made.folder}  {human_bytes(made.bytes)} at {made.revision[:12]}, licence: {made.licence}")
