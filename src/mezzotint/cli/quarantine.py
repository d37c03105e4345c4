"""``mezzotint quarantine open``: a picture that was withheld and sealed, for its reviewer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.output import printable
from mezzotint.cli.paths import PATH
from mezzotint.errors import InputError, UsageError
from mezzotint.files import read_bytes, write_atomic

SCHEMA = "mezzotint/quarantine/1"


@click.command("quarantine")
@click.argument("what", type=click.Choice(["open"]))
@click.argument("file", type=PATH)
@click.option("--key", type=PATH, required=True, help="The private key, quarantine.key.")
@click.option("--out", type=PATH, help="The picture's file.  [FILE.png]")
@json_option
def command(what: str, file: Path, key: Path, out: Path | None, as_json: bool) -> None:
    """Open FILE, the sealed box of a picture that a gate withheld, and print the verdict on it.

    Where [safety.output] has quarantine = "sealed", boxes lie in quarantine/ of a run's folder. Whoever opens one has
    a picture that nobody was to have: keep it to the review.
    """
    from mezzotint.governance.safety.output.sealed import MAX_BYTES, opened, private_key

    target = file.with_suffix(".png") if out is None else out
    if target.suffix.lower() != ".png":
        raise UsageError(f"--out {target}: expected a name that ends with .png")
    box = opened(read_bytes(file, MAX_BYTES), private_key(key), str(file))
    said = _said(box.head, str(file))
    write_atomic(target, box.png, replace=False)
    if as_json:
        about = {"picture": str(target), "asset_id": box.head["asset_id"], "verdict": box.head["verdict"]}
        print_json({"schema": SCHEMA, "file": str(file), **about})
        return
    click.echo(printable(f"{target}: {said}"))


def _said(head: Mapping[str, Any], where: str) -> str:
    """Decision and codes of a box's verdict.  Anybody who has the public key can seal a box with any.

    Raises InputError: it is no verdict.
    """
    try:
        verdict = head["verdict"]
        said = [head["asset_id"], verdict["decision"], *(one["code"] for one in verdict["findings"])]
    except (KeyError, TypeError, IndexError):
        said = [None]
    if not all(isinstance(one, str) for one in said):
        raise InputError(f"{where} has no verdict of a gate; expected a box as a gate sealed it")
    return f"{said[1]}: {', '.join(sorted(set(said[2:])))}"
