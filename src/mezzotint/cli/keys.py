"""``mezzotint keys init``: a local authority, and the key that signs pictures."""

from __future__ import annotations

import click

from mezzotint.cli.options import json_option, print_json

SCHEMA = "mezzotint/keys/1"


@click.command("keys")
@click.argument("what", type=click.Choice(["init"]))
@click.option("--organisation", required=True, metavar="NAME", help="Whose pictures they will be; it is public.")
@click.option("--years", type=int, default=10, show_default=True, help="How long the certificate lasts.")
@json_option
def command(what: str, organisation: str, years: int, as_json: bool) -> None:
    """Make keys under the home: from then on every picture is signed as it is made.

    Credentials end with the certificate, so it lasts long. Those who are to trust your pictures need authority.pem;
    nobody else's list has it. Keep signer-key.pem to yourself.
    """
    from mezzotint.governance.provenance.keys import AUTHORITY, init

    made = init(organisation, years)
    if as_json:
        about = {"folder": str(made.folder), "certificate_sha256": made.sha256, "until": made.until}
        print_json({"schema": SCHEMA, **about})
        return
    click.echo(f"keys in {made.folder}, until {made.until}; give {AUTHORITY} to those who are to trust your pictures")
