"""``mezzotint upscale PICTURE``: the picture larger, by an upscaler or in tiles by any model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import picture_options, settled
from mezzotint.cli.paths import PATH
from mezzotint.cli.pictures import loading, place, run

LARGER = ("by", "strength", "noise_level", "tile", "overlap")
TEXTS = ("prompt", "negative_prompt")


@click.command("upscale")
@click.argument("picture", type=PATH)
@click.option("--prompt", default="", help="What the picture shows.")
@click.option("--negative-prompt", default="", help="What to steer away from.")
@click.option("--model", metavar="NAME|PATH", required=True, help="An upscaler, or any model in diffusers' layout.")
@click.option("--by", type=int, help="How many times as large along each side.  [2, or what the upscaler does]")
@click.option("--strength", type=float, help="The share of the steps that is run; not with an upscaler.  [0.3]")
@click.option("--noise-level", type=int, help="Noise on the small picture that an upscaler is told.  [20]")
@click.option("--tile", type=int, help="Pixels of a tile's side.  [the model's own size]")
@click.option("--overlap", type=int, help="Pixels by which tiles overlap.  [a quarter of a tile]")
@click.option("-n", "--n", type=int, default=1, show_default=True, help="How many pictures.")
@picture_options
def command(picture: Path, out: Path | None, as_json: bool, quiet: bool, **words: Any) -> int:
    """Make PICTURE larger.

    Works in overlapping tiles that are blended in every step. Writes what generate writes.
    """
    began = time.perf_counter()
    place(out)
    words = settled(words, "quality", "device", "dtype", "threads", "batch", "mark")
    from mezzotint.conditioning.prompts import Prompts
    from mezzotint.making.request import How, of_words
    from mezzotint.making.upscale import Enlarging, prepare_upscale

    larger, said = ({k: words.pop(k) for k in names} for names in (LARGER, TEXTS))
    with loading():
        job = prepare_upscale(picture, of_words(How, {**words, "said": Prompts(**said)}), Enlarging(**larger))
    return run(job, out, "upscale", False, as_json, quiet, began, photos=[picture])
