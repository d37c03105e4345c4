"""``mezzotint keys init | mark``: a local authority and the key that signs pictures; the key that marks them."""

from __future__ import annotations

import click

from mezzotint.cli.options import json_option, print_json

SCHEMA, MARK_SCHEMA = "mezzotint/keys/1", "mezzotint/mark-key/1"


@click.command("keys")
@click.argument("what", type=click.Choice(["init", "mark"]))
@click.option("--organisation", default="", metavar="NAME", help="Whose pictures they will be; it is public.")
@click.option("--years", type=int, default=10, show_default=True, help="How long the certificate lasts.")
@json_option
def command(what: str, organisation: str, years: int, as_json: bool) -> None:
    """Make keys under the home. Init: from then on every picture is signed and marked. Mark: the mark's key alone.

    Credentials end with the certificate, so it lasts long. Those who are to trust your pictures need authority.pem;
    nobody else's list has it. Keep signer-key.pem and mark.key to yourself: who has the latter can put your marks in,
    and take them out.
    """
    if what == "mark":
        _mark(as_json)
        return
    from mezzotint.governance.provenance.keys import AUTHORITY, init
    from mezzotint.governance.provenance.mark import keys

    made = init(organisation, years)
    if not keys.place().exists():
        keys.make()
    if as_json:
        about = {"folder": str(made.folder), "certificate_sha256": made.sha256, "until": made.until}
        print_json({"schema": SCHEMA, **about})
        return
    click.echo(f"keys in {made.folder}, until {made.until}; give {AUTHORITY} to those who are to trust your pictures")


def _mark(as_json: bool) -> None:
    from mezzotint.governance.provenance.mark import keys

    path = keys.make()
    key = keys.own()
    assert key is not None
    if as_json:
        print_json({"schema": MARK_SCHEMA, "path": str(path), "key": keys.ident(key)})
    else:
        click.echo(f"a key for invisible marks in {path}, called {keys.ident(key)} in receipts; keep it to yourself")
