"""``mezzotint vary PICTURE [OTHER]``: pictures like a given one, or from one to another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import picture_options, settled
from mezzotint.cli.paths import PATH
from mezzotint.cli.pictures import loading, place, run


@click.command("vary")
@click.argument("picture", type=PATH)
@click.argument("other", type=PATH, required=False)
@click.option("--model", metavar="NAME|PATH", default="products-prior", show_default=True, help="One with a prior.")
@click.option("-n", "--n", type=int, default=4, show_default=True, help="How many pictures.")
@picture_options
def command(picture: Path, other: Path | None, out: Path | None, as_json: bool, quiet: bool, **words: Any) -> int:
    """Make pictures like PICTURE, or a path of pictures from PICTURE to OTHER.

    The picture's embedding stands in for a prompt's. Writes what generate writes.
    """
    began = time.perf_counter()
    place(out)
    words = settled(words, "quality", "device", "dtype", "threads", "batch", "mark")
    from mezzotint.making.request import How, of_words

    photos = [picture] if other is None else [picture, other]
    with loading():
        from mezzotint.making.vary import prepare_vary

        job = prepare_vary(photos, of_words(How, words))
    return run(job, out, "vary", False, as_json, quiet, began, photos=photos)
