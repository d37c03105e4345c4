"""``mezzotint noise IMAGE``: the forward process as a labelled strip."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mezzotint.cli.options import json_option, out_option, print_json, quiet_option, seed_option
from mezzotint.cli.output import run_folder, slug
from mezzotint.cli.paths import PATH
from mezzotint.files import write_atomic

SCHEMA = "mezzotint/noise/1"


@click.command("noise")
@click.argument("image", type=PATH)
@click.option("--schedule", default="cosine", show_default=True, help="cosine, flow, karras, linear or scaled_linear.")
@click.option("-n", "--n", type=int, default=9, show_default=True, help="How many moments, from clean to noise.")
@seed_option
@out_option
@json_option
@quiet_option
def command(image: Path, schedule: str, n: int, seed: int, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Show on IMAGE (PNG, JPEG or WebP) what noise does to it: what a model has to undo."""
    from mezzotint.making.forward import noise, noise_strip
    from mezzotint.pictures.png import png

    moments = noise(image, schedule=schedule, n=n, seed=seed)
    folder = run_folder(out, "noise")
    path = folder / f"{slug(image.stem, 'picture')}-noise-{seed}.png"
    write_atomic(path, png(noise_strip(moments), {}), replace=False)
    if as_json:
        levels: list[dict[str, Any]] = [
            {"t": m.t, "alpha": m.alpha, "sigma": m.sigma, "logsnr": m.logsnr if abs(m.logsnr) < 1e300 else None}
            for m in moments
        ]
        print_json({"schema": SCHEMA, "file": str(path), "schedule": schedule, "seed": seed, "levels": levels})
    elif not quiet:
        print(path, file=sys.stderr)
