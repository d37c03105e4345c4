"""``mezzotint catalog check MANIFEST``: every row before any work, all problems at once."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.catalog.words import brief_of, manifest_options
from mezzotint.cli.options import json_option, model_option, print_json, settled

if TYPE_CHECKING:
    from mezzotint.catalog.manifest.check import Checked

SCHEMA = "mezzotint/catalog-check/1"


@click.command("check")
@manifest_options
@model_option
@json_option
def command(manifest: str, brief: Path | None, pictures: Path | None, model: str | None, as_json: bool) -> int:
    """Check every row of MANIFEST: columns, templates, files, sizes, labels. Lists all problems by row and column, each
    with the nearest value that would do; makes nothing."""
    from mezzotint.catalog.manifest.check import check
    from mezzotint.catalog.manifest.fitting import Fitting
    from mezzotint.catalog.manifest.table import read_table
    from mezzotint.making.opened import described

    told = brief_of(manifest, brief)
    said = settled({"model": model or told.model}, "model")
    found = check(read_table(manifest), told, Fitting(described(said["model"])), pictures)
    print_json(document(manifest, found)) if as_json else show(manifest, found)
    return 2 if found.problems else 0


def show(manifest: str, found: Checked) -> None:
    """For people: problems on standard output, one a line."""
    for note in found.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
    for problem in found.problems:
        click.echo(str(problem))
    wrong = len({problem.row for problem in found.problems})
    said = f"problems: {len(found.problems):,}, in rows: {wrong:,}" if found.problems else "no problems"
    sound = "1 row is" if len(found.rows) == 1 else f"{len(found.rows):,} rows are"
    print(f"{manifest}: {sound} sound; {said}", file=sys.stderr)


def document(manifest: str, found: Checked) -> dict[str, Any]:
    """As JSON."""
    return {
        "schema": SCHEMA,
        "manifest": manifest,
        "rows": len(found.rows),
        "problems": [asdict(problem) for problem in found.problems],
        "notes": list(found.notes),
    }
