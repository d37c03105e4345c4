"""``mezzotint compare MODEL MODEL…``: evaluations side by side, where they can be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.evaluate import evaluation_options, measured
from mezzotint.cli.options import print_json
from mezzotint.cli.output import StoppedError, run_folder, slug
from mezzotint.errors import UsageError

if TYPE_CHECKING:
    from mezzotint.making.evaluated import Evaluated

SCHEMA = "mezzotint/comparison/1"


@click.command("compare")
@click.argument("model", nargs=-1, required=True)
@evaluation_options
def command(model: tuple[str, ...], out: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Evaluate each MODEL in the same way and set the numbers and pictures side by side.

    MODEL is a model, or the folder of an evaluation that was made before. Evaluations against different references
    are refused. Writes a folder for each evaluation, comparison.json and page.html.
    """
    from mezzotint.evaluation.report import document, same_trial, text
    from mezzotint.files import pretty_json, write_atomic
    from mezzotint.making.evaluated import write_page

    folder = run_folder(out, "compare")
    try:
        found = [_one(name, folder, quiet=quiet, **words) for name in model]
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; the same command with --out {folder} goes on") from None
    reports = [one.report for one in found]
    if len({report.model for report in reports}) < len(reports):
        raise UsageError("two of these are evaluations of models of one name; expected different names")
    same_trial(reports)
    shown = {"schema": SCHEMA, "evaluations": [document(report) for report in reports]}
    write_page(folder, found)
    write_atomic(folder / "comparison.json", pretty_json(shown))
    if as_json:
        print_json({**shown, "out": str(folder)})
    else:
        click.echo(text(reports))
    if not quiet and not as_json:
        print(f"{folder / 'page.html'} shows the pictures", file=sys.stderr)


def _one(name: str, folder: Path, **words: Any) -> Evaluated:
    from mezzotint.making.evaluated import DOCUMENT, load, save

    for place in (Path(name), folder / slug(name, "model")):
        if (place / DOCUMENT).is_file():
            return load(place)
    found = measured(name, folder / slug(name, "model"), **words)
    save(folder / slug(name, "model"), found)
    return found
