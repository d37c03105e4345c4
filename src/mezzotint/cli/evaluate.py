"""``mezzotint evaluate MODEL``: what a model's pictures are worth, in numbers with their intervals."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import (
    chain,
    guidance_options,
    json_option,
    machine_options,
    out_option,
    print_json,
    quiet_option,
    ranker_options,
    sampling_options,
    seed_option,
    settled,
)
from mezzotint.cli.output import Bar, StoppedError, run_folder, say
from mezzotint.cli.paths import PATH
from mezzotint.errors import BudgetError, BudgetSpentError

if TYPE_CHECKING:
    from mezzotint.making.evaluated import Evaluated

evaluation_options = chain(
    click.option("--data", type=PATH, help="Real pictures: a data set, or of mezzotint render."),
    click.option("-n", "--n", type=int, default=1500, show_default=True, help="Pictures to make and to hold against."),
    click.option("--metrics", default="all", show_default=True, help="Comma-separated; see below."),
    click.option(
        "--features",
        default="128",
        show_default=True,
        callback=lambda _, __, said: int(said) if said.isdecimal() else Path(said),
        help="Input side of EfficientNet-Lite0, or the file of your Inception-v3 for FID and KID.",
    ),
    seed_option,
    sampling_options,
    guidance_options,
    ranker_options,
    machine_options,
    click.option("--batch", type=int, default=16, show_default=True, help="Rows computed together."),
    out_option,
    json_option,
    quiet_option,
)


def measured(model: str, folder: Path, done: Evaluated | None, *, quiet: bool, **words: Any) -> Evaluated:
    """One model's evaluation, its pictures kept in ``folder`` while they are made; ``done`` where it is this one."""
    from mezzotint.costs.purse import purse
    from mezzotint.making.evaluate import evaluate
    from mezzotint.making.evaluated import WORK

    words = settled(words, "quality", "device", "dtype", "threads")
    with Bar(words["n"], "picture", not quiet) as bar, purse("evaluate") as money:

        def report(done: int, total: int) -> None:
            bar.at(done, model, total, "picture" if total == words["n"] else "photograph")
            if money is not None:
                money.heed()

        try:
            return evaluate(model, work=folder / WORK, done=done, report=report, **words)
        except BudgetError as error:
            raise BudgetSpentError(f"stopped: {error}; the same command with --out {folder} goes on") from error


@click.command("evaluate")
@click.argument("model")
@evaluation_options
def command(model: str, out: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Measure MODEL: distances to real pictures, precision and recall, copies, and whether pictures show what prompts
    say; each with a 95 % interval, beside what real pictures get.

    --metrics: frechet, kernel, fidelity, copies, adherence. A model of products is asked for held-out compositions of
    the photographs in --data; any other model for what --data holds. Writes evaluation.json, page.html and pictures;
    the same command with the same --out goes on. Of the pictures that are shown, what the output gate withholds has a
    plain tile in its place; the numbers are of all that were made.
    """
    from mezzotint.evaluation.report import document, text
    from mezzotint.making.evaluated import save, there

    folder = run_folder(out, "evaluate")
    try:
        found = measured(model, folder, there(folder), quiet=quiet, **words)
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; the same command with --out {folder} goes on") from None
    save(folder, found)
    if as_json:
        print_json({**document(found.report), "out": str(folder)})
    else:
        click.echo(text([found.report]))
    if not quiet and not as_json:
        say_withheld([found])
        print(f"{folder / 'page.html'} shows the pictures", file=sys.stderr)


def say_withheld(several: Sequence[Evaluated]) -> None:
    """On standard error, a line for each picture that people are not shown."""
    for found in several:
        for one in found.withheld:
            which = f"seed {one['seed']}" if "seed" in one else one["file"]
            say(f"{which} of {found.report.model} is not given out: {', '.join(one['codes'])}")
