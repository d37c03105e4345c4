"""``mezzotint protect PICTURES``: what the output gate lets nobody have a copy of."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mezzotint.cli.options import json_option, print_json, quiet_option
from mezzotint.cli.output import say
from mezzotint.cli.paths import PATH
from mezzotint.errors import InputError, UsageError, unknown

if TYPE_CHECKING:
    from mezzotint.governance.safety.output.copies import registry

KINDS = ("protected", "training", "output", "mark")


@click.command("protect")
@click.argument("pictures", nargs=-1, type=PATH)
@click.option(
    "--as", "kind", default="protected", show_default=True, metavar="|".join(KINDS), help="What the pictures are."
)
@click.option("--forget", is_flag=True, help="In the place of all pictures of that kind.")
@json_option
@quiet_option
def command(pictures: tuple[Path, ...], kind: str, forget: bool, as_json: bool, quiet: bool) -> int:
    """Register PICTURES, files or folders: the output gate withholds near-copies of them, cut, flipped, turned.

    A mark is looked for inside pictures. Only thumbnails are kept, under the home. Without PICTURES: say what is
    registered. Exit code 3 where some file was no picture.
    """
    from mezzotint.governance.safety.output.copies import registry

    if kind not in KINDS:
        raise unknown("kind of picture", kind, KINDS)
    path, unreadable = registry.place(), list[str]()
    files = list(_files(pictures))
    if forget:
        new, gone = registry.replaced(path, kind, _in_their_place(files, kind, bool(pictures)))
    else:
        new, gone = registry.added(path, _entries(files, kind, unreadable)) if files else 0, 0
    counts = registry.counted(path)
    if as_json:
        print_json(
            {
                "schema": "mezzotint/protect/1",
                "path": str(path),
                "kind": kind,
                "new": new,
                "forgotten": gone,
                "unreadable": unreadable,
                "counts": counts,
            }
        )
    elif not quiet:
        said = ", ".join(f"{n} {name}" for name, n in counts.items())
        print(f"{new} new; registered: {said} ({path})", file=sys.stderr)
    return 3 if unreadable else 0


def _entries(files: Sequence[Path], kind: str, unreadable: list[str]) -> Iterator[registry.Entry]:
    """Of every picture; what is none is said and left out."""
    from mezzotint.governance.safety.output.copies import registry
    from mezzotint.pictures.flat import seen
    from mezzotint.pictures.png import read_picture

    for path in files:
        try:
            yield registry.entry(kind, path.name, seen(read_picture(path)))
        except InputError as error:
            unreadable.append(str(path))
            say(str(error))


def _in_their_place(files: Sequence[Path], kind: str, named: bool) -> Iterator[registry.Entry]:
    """Of every picture that is to stand in the place of others.

    named: whether pictures were.   Raises InputError where one is none, or there are none: what is there stays then.
    """
    from mezzotint.governance.safety.output.copies import registry
    from mezzotint.pictures.flat import seen
    from mezzotint.pictures.png import read_picture

    if named and not files:
        raise InputError(
            "no picture is there, so that nothing is forgotten; leave the paths out to forget all the same"
        )
    for path in files:
        yield registry.entry(kind, path.name, seen(read_picture(path)))


def _files(pictures: tuple[Path, ...]) -> Iterator[Path]:
    """Every file, those of folders in order; hidden ones, and what has no picture's name there, are left out.

    Raises UsageError where a path is not there.
    """
    for path in pictures:
        if not path.exists():
            raise UsageError(f"{path} is not there; expected a picture or a folder of them")
        yield from _inside(path) if path.is_dir() else (path,)


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp") and not path.name.startswith("."):
            yield path
