"""``mezzotint ledger check``: whether the record of what was made is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.governance.provenance.chain import Head

SCHEMA = "mezzotint/ledger/1"
BROKEN = 4


@click.command("ledger")
@click.argument("what", type=click.Choice(["check"]))
@click.option("--ledger", type=PATH, help="Its file.  [as settings have it]")
@click.option("--head", metavar="NUMBER:HASH", help="The head of an earlier check, kept elsewhere.")
@json_option
def command(what: str, ledger: Path | None, head: str | None, as_json: bool) -> int:
    """Check the ledger of pictures: every entry, its place, and the end. The first that is wrong is named.

    It prints the head; keep that elsewhere, for --head finds a ledger that was written anew as a whole. Exit code 0:
    whole. 4: an entry was changed, removed or moved.
    """
    from mezzotint.governance.provenance.ledger import check

    found = check(place_of(ledger), None if head is None else head_of(head))
    fault = found.fault
    if as_json:
        said = None if fault is None else {"entry": fault.number, "code": fault.code, "text": fault.text}
        whole = {"whole": fault is None, "entries": found.head.number, "head": str(found.head), "fault": said}
        print_json({"schema": SCHEMA, "path": str(found.path), **whole})
    elif fault is None:
        click.echo(f"{found.path} is whole: {found.head.number} entries\nhead {found.head}")
    else:
        click.echo(f"{found.path} is broken: {fault.text}")
    return 0 if fault is None else BROKEN


def place_of(ledger: Path | None) -> Path:
    """The ledger's file, by settings where the line does not name it.  Raises UsageError where it is off."""
    from mezzotint.config import settings
    from mezzotint.governance.provenance.ledger import place

    value = settings({"ledger": None if ledger is None else str(ledger)})["ledger"].value
    found = place(None if value is None else str(value))
    if found is None:
        raise UsageError("the ledger is off (setting ledger); name one with --ledger")
    return found


def head_of(text: str) -> Head:
    """ "NUMBER:HASH".  Raises UsageError."""
    from mezzotint.governance.provenance.chain import Head

    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise UsageError(f"--head {text!r}: expected NUMBER:HASH, as `mezzotint ledger check` prints it")
    return Head(int(number), digest)
