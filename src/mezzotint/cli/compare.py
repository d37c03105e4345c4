"""``mezzotint compare MODEL MODEL…``: evaluations side by side, where they can be."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.evaluate import evaluation_options, measured, say_withheld
from mezzotint.cli.options import print_json
from mezzotint.cli.output import StoppedError, run_folder, slug
from mezzotint.errors import UsageError
from mezzotint.files import sha256

if TYPE_CHECKING:
    from mezzotint.making.evaluated import Evaluated

SCHEMA = "mezzotint/comparison/1"


@click.command("compare")
@click.argument("model", nargs=-1, required=True)
@evaluation_options
def command(model: tuple[str, ...], out: Path | None, as_json: bool, quiet: bool, **words: Any) -> None:
    """Evaluate each MODEL in the same way and set the numbers and pictures side by side.

    MODEL is a model, or the folder of an evaluation that was made before; models of one name are told apart by their
    folders. Evaluations against different references are refused. Writes a folder for each evaluation, comparison.json
    and page.html.
    """
    from mezzotint.evaluation.report import document, same_trial, text
    from mezzotint.files import pretty_json, write_atomic
    from mezzotint.making.evaluated import write_page

    folder = run_folder(out, "compare")
    kept = [_kept(one, folder, quiet, words) for one in model]
    names = _names(model, kept)  # said before anything is evaluated, which takes hours
    same_trial([replace(one.report, model=name) for one, name in zip(kept, names, strict=True) if one])
    try:
        made = [there or _made(one, folder, quiet=quiet, **words) for one, there in zip(model, kept, strict=True)]
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; the same command with --out {folder} goes on") from None
    found = [replace(one, report=replace(one.report, model=name)) for one, name in zip(made, names, strict=True)]
    reports = [one.report for one in found]
    same_trial(reports)
    shown = {"schema": SCHEMA, "evaluations": [document(report) for report in reports]}
    write_page(folder, found)
    write_atomic(folder / "comparison.json", pretty_json(shown))
    if as_json:
        print_json({**shown, "out": str(folder)})
    else:
        click.echo(text(reports))
    if not quiet and not as_json:
        say_withheld(found)
        print(f"{folder / 'page.html'} shows the pictures", file=sys.stderr)


def _place(folder: Path, said: str) -> Path:
    """Where a model's evaluation is kept.  A path is cut to be a name, so that a hash tells it from another."""
    short = slug(said, "model")
    return folder / (short if short == said else f"{short}-{sha256(str(Path(said).absolute()).encode())[:8]}")


def _kept(said: str, folder: Path, quiet: bool, words: Mapping[str, Any]) -> Evaluated | None:
    """The evaluation that is there: of a folder that is named, or in --out, where it must be this one.

    Raises InputError, UsageError.
    """
    from mezzotint.making.evaluated import DOCUMENT, load, there

    if (Path(said) / DOCUMENT).is_file():
        return load(Path(said))
    place = _place(folder, said)
    found = there(place)
    return None if found is None else measured(said, place, found, quiet=quiet, **words)


def _names(said: Sequence[str], kept: Sequence[Evaluated | None]) -> list[str]:
    """What each is called: as its model is, and where several are called so, by the end of its path.

    Raises UsageError for two that are the same; InputError, ModelError as ``describe_system``.
    """
    from mezzotint.pretrained.store import find
    from mezzotint.pretrained.system import describe_system

    own = [
        describe_system(find(one)).name if there is None else there.report.model
        for one, there in zip(said, kept, strict=True)
    ]
    alike = [one for one, name in zip(said, own, strict=True) if own.count(name) > 1]
    apart = dict(zip(alike, _ends(alike), strict=True))
    names = [apart.get(one, name) for one, name in zip(said, own, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two of these are called {name}; give each once, or copy one to a folder of another name")
    return names


def _ends(paths: Sequence[str]) -> list[str]:
    """The shortest ends of paths that differ; the paths themselves where none do."""
    parts = [Path(path).parts for path in paths]
    for k in range(1, max(map(len, parts), default=0) + 1):
        ends = [str(Path(*each[-k:])) for each in parts]
        if len(set(ends)) == len(ends):
            return ends
    return list(paths)


def _made(said: str, folder: Path, **words: Any) -> Evaluated:
    """An evaluation made now, and kept."""
    from mezzotint.making.evaluated import save

    place = _place(folder, said)
    found = measured(said, place, None, **words)
    save(place, found)
    return found
