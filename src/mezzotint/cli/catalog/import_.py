"""``mezzotint catalog import SOURCE --from SHOP``: a manifest of what a shop exported."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json
from mezzotint.cli.paths import PATH
from mezzotint.errors import InputError, UsageError

SCHEMA = "mezzotint/catalog-import/1"


@click.command("import")
@click.option("--vendure", type=PATH, help="A folder with Vendure's products.csv.")
@click.option("--shopify", type=PATH, help="Shopify's export of products, a CSV.")
@click.option("--google", type=PATH, help="A feed of Google's Merchant Center, tabs or XML.")
@click.option("--pictures", type=PATH, help="The folder of photographs.  [the export's]")
@click.option(
    "--lock", type=click.Choice(["yes", "no"]), default="yes", show_default=True, help="Keep photographed pixels."
)
@click.option("--out", type=PATH, help="The manifest.  [catalog.csv in the folder of photographs]")
@json_option
def command(
    vendure: Path | None,
    shopify: Path | None,
    google: Path | None,
    pictures: Path | None,
    lock: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make a manifest, and a brief beside it, of a shop's export. Photographs are looked for by their names in a folder
    of yours; none is fetched."""
    from mezzotint.catalog.imports import SHOPS, imported
    from mezzotint.files import write_atomic

    given = [(shop, path) for shop, path in (("vendure", vendure), ("shopify", shopify), ("google", google)) if path]
    if len(given) != 1:
        raise UsageError("expected one of --vendure, --shopify, --google")
    ((shop, source),) = given
    if not source.exists():
        raise InputError(f"no {source}; expected what {shop} exported")
    folder = pictures or (source if source.is_dir() else source.parent)
    place = out or folder / "catalog.csv"
    found = imported(SHOPS[shop](source), folder, str(source), lock, place.parent)
    write_atomic(place, found.text, replace=False)
    brief = place.with_suffix(".toml")
    if not brief.exists():
        write_atomic(brief, found.brief, replace=False)
    if as_json:
        counts = {"rows": found.rows, "pictures": found.pictures}
        print_json(
            {"schema": SCHEMA, "manifest": str(place), "brief": str(brief), **counts, "notes": list(found.notes)}
        )
        return
    for note in found.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
    click.echo(f"{place}: {found.rows:,} rows, {found.pictures:,} with a photograph")
