"""``mezzotint keys init | mark | quarantine``: a local authority and the key that signs pictures; the key that marks
them; the pair that those which are withheld are sealed with."""

from __future__ import annotations

from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError

SCHEMA, MARK_SCHEMA, SEAL_SCHEMA = "mezzotint/keys/1", "mezzotint/mark-key/1", "mezzotint/quarantine-key/1"


@click.command("keys")
@click.argument("what", type=click.Choice(["init", "mark", "quarantine"]))
@click.option("--organisation", default="", metavar="NAME", help="Whose pictures they will be; it is public.")
@click.option("--years", type=int, default=10, show_default=True, help="How long the certificate lasts.")
@click.option("--out", type=PATH, help="Of quarantine: the folder.  [safety/ of the home]")
@json_option
def command(what: str, organisation: str, years: int, out: Path | None, as_json: bool) -> None:
    """Make keys under the home. Init: from then on every picture is signed and marked. Mark: the mark's key alone.
    Quarantine: a pair to seal pictures that a gate withholds, where [safety.output] has quarantine = "sealed".

    Credentials end with the certificate, so it lasts long. Those who are to trust your pictures need authority.pem;
    nobody else's list has it. Keep signer-key.pem and mark.key to yourself: who has the latter can put your marks in,
    and take them out. quarantine.key opens what is sealed: move it to where pictures are reviewed; quarantine.pub
    stays.
    """
    if out is not None and what != "quarantine":
        raise UsageError(f"--out is of `keys quarantine`; `keys {what}` makes its keys under the home")
    if what == "quarantine":
        _quarantine(out, as_json)
        return
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


def _quarantine(folder: Path | None, as_json: bool) -> None:
    from mezzotint.governance.safety.output import sealed

    public, private = sealed.make(folder)
    key = sealed.ident(sealed.seal(public).key)
    if as_json:
        print_json({"schema": SEAL_SCHEMA, "public": str(public), "private": str(private), "key": key})
        return
    click.echo(f"{public} seals, called {key}; {private} opens: move it to where pictures are reviewed")


def _mark(as_json: bool) -> None:
    from mezzotint.governance.provenance.mark import keys

    path = keys.make()
    key = keys.own()
    assert key is not None
    if as_json:
        print_json({"schema": MARK_SCHEMA, "path": str(path), "key": keys.ident(key)})
    else:
        click.echo(f"a key for invisible marks in {path}, called {keys.ident(key)} in receipts; keep it to yourself")
