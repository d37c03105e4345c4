"""``mezzotint verify FILE``: what speaks for a picture, and what each of it proves."""

from __future__ import annotations

from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.output import printable
from mezzotint.cli.paths import PATH

EXIT = {"proves": 0, "silent": 3, "fails": 4}


@click.command("verify")
@click.argument("file", type=PATH)
@json_option
def command(file: Path, as_json: bool) -> int:
    """Say what is known of FILE: its signed credential, the receipt beside it, its entry in the ledger, its marks,
    and which registered pictures it is like.

    Nothing in it makes this command open a socket. Exit code 0: something proves where it comes from and nothing
    speaks against it. 3: nothing proves anything. 4: something does not hold.
    """
    from mezzotint.governance.provenance.verify import verify

    found = verify(file)
    if as_json:
        print_json(found.document)
    else:
        click.echo(
            "\n".join(
                [f"{printable(str(found.path))}: {found.verdict}"]
                + [f"  {f.kind}: {printable(f.text)}" for f in found.findings]
            )
        )
    return EXIT[found.verdict]
