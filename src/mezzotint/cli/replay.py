"""``mezzotint replay RECEIPT``: the picture made again, compared, and what made it another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, machine_options, print_json
from mezzotint.cli.paths import PATH
from mezzotint.cli.pictures import loading
from mezzotint.errors import UsageError

EXIT = {"exact": 0, "tolerance": 0, "differs": 4}
SAID = {
    "exact": "exact: the same pixels to the bit",
    "tolerance": "within tolerance: at most {most} grey levels apart, {tolerance} are allowed",
    "differs": "differs: by up to {most} grey levels, {tolerance} are allowed",
}
UNKNOWN = "differs: not the same to the bit; by how much is not known without the first picture (--picture)"


@click.command("replay")
@click.argument("receipt", type=PATH)
@click.option("--have", multiple=True, metavar="WORD=PATH", help="A file that it needs (see read); may be given again.")
@click.option("--picture", type=PATH, help="The first picture.  [looked for beside the receipt]")
@machine_options
@click.option("--solver", help="Another solver than the receipt's.")
@click.option("--grid", help="Another grid.")
@json_option
def command(receipt: Path, have: tuple[str, ...], picture: Path | None, as_json: bool, **words: Any) -> int:
    """Make RECEIPT's picture again and compare: exact, within tolerance, or different, and by which factors.

    Nothing is written. Exit code 0: exact or within tolerance. 4: it differs.
    """
    from mezzotint.replayed import replay

    changed = {name: value for name, value in words.items() if value is not None}
    with loading():
        found = replay(receipt, have=dict(map(_pair, have)), picture=picture, changed=changed)
    document = found.document
    if as_json:
        print_json(document)
        return EXIT[found.verdict]
    unknown = found.verdict == "differs" and found.most is None
    click.echo(UNKNOWN if unknown else SAID[found.verdict].format(most=found.most, tolerance=document["tolerance"]))
    for factor in found.factors:
        click.echo(f"  changed: {factor}")
    if not found.factors and found.verdict != "exact":
        click.echo("  nothing that the receipt holds has changed")
    return EXIT[found.verdict]


def _pair(text: str) -> tuple[str, str]:
    word, equals, path = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--have {text!r}: expected WORD=PATH, a word that `mezzotint read` says it needs")
    return word, path
