"""``mezzotint render``: photograph a catalog of 3-D products, for training."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from mezzotint.cli.options import json_option, print_json, quiet_option
from mezzotint.cli.output import Bar, StoppedError, run_folder
from mezzotint.cli.paths import PATH

SCHEMA = "mezzotint/render/1"


@click.command("render")
@click.option("--catalog", type=PATH, help="Folder of .sh3f catalogs.  [sweethome3d-furniture's]")
@click.option("--out", type=PATH, required=True, help="Where the pictures go; gone on with.")
@click.option("-n", "--n", type=int, default=24, show_default=True, help="Pictures of each product.")
@click.option("--size", type=int, default=256, show_default=True, help="Their side in pixels.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of angles and colours.")
@click.option("--workers", type=int, default=2, show_default=True, help="Processes at a time.")
@click.option("--only", metavar="ID", multiple=True, help="These products alone; repeatable.")
@json_option
@quiet_option
def command(
    catalog: Path | None, out: Path, n: int, size: int, seed: int, workers: int, only: tuple[str, ...],
    as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """Photograph every 3-D product of a catalog from all sides, half of them painted in named colours.

    Needs `pip install 'mezzotint[render]'`, and without a display the system library libosmesa6. A run that was
    stopped is gone on with by the same command.
    """
    from mezzotint.products.rendering import render

    folder, began = run_folder(out, "render"), time.monotonic()
    with Bar(0, "product", not quiet) as bar:
        try:
            result = render(
                folder, catalog=catalog, n=n, size=size, seed=seed, workers=workers, only=only,
                report=lambda done, total, name: bar.at(done, name, total),
            )  # fmt: skip
        except KeyboardInterrupt as error:
            raise StoppedError("stopped; the same command goes on with the products that are left") from error
    if as_json:
        facts = {"pictures": result.pictures, "products": result.products, "skipped": dict(result.skipped)}
        print_json({"schema": SCHEMA, "out": str(folder), **facts})
    elif not quiet:
        for name, why in result.skipped.items():
            print(f"skipped {name}: {why}", file=sys.stderr)
        print(
            f"{result.pictures} pictures of {result.products} products in {folder}"
            f" ({len(result.skipped)} skipped, {time.monotonic() - began:.0f} s)",
            file=sys.stderr,
        )
    return 3 if result.skipped else 0
