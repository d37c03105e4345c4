"""``mezzotint generate PROMPT``: pictures, a contact sheet, receipts, films, in the run's own folder."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mezzotint.cli.options import (
    json_option,
    machine_options,
    model_option,
    out_option,
    print_json,
    quiet_option,
    sampling_options,
    seed_option,
)
from mezzotint.cli.output import Bar, StoppedError, run_folder, slug
from mezzotint.config import settings
from mezzotint.errors import StorageError, UsageError
from mezzotint.files import pretty_json, write_atomic, write_once

if TYPE_CHECKING:
    from mezzotint.making.image import Image
    from mezzotint.making.job import Job, Wanted
    from mezzotint.pictures.film import Moment
    from mezzotint.pictures.png import Pixels

SCHEMA = "mezzotint/run/2"
SHEET_TILES = 1024


class Folder:
    """Where a job's files go.  A run stopped halfway goes on in its folder; a finished one is never touched."""

    def __init__(self, path: Path, job: Job) -> None:
        self.path, self.job = path, job
        self.names = {p.seed: f"{slug(p.prompt, job.model.name)}-{p.seed}.png" for p in job.pictures}
        self.entries: dict[int, dict[str, Any]] = {}
        self.tiles: dict[int, Pixels] = {}
        if (path / "run.json").exists():
            raise StorageError(f"{path} holds a finished run; nothing is ever overwritten, choose another --out")

    def picture(self, seed: int) -> Path:
        return self.path / self.names[seed]

    def find_done(self) -> set[int]:
        """The seeds whose pictures are here already, made exactly as this job would.

        Raises StorageError where a file of that name is another picture.
        """
        return {p.seed for p in self.job.pictures if self.picture(p.seed).exists() and self._recall(p)}

    def _recall(self, wanted: Wanted) -> bool:
        from mezzotint.errors import InputError
        from mezzotint.governance.receipt import read_receipt
        from mezzotint.making.image import Image
        from mezzotint.pictures.png import read_picture, to_pixels

        path, asset = self.picture(wanted.seed), self.job.made(wanted).asset_id
        try:
            receipt = read_receipt(self.path / "receipts" / f"{asset}.json")
            image = Image(wanted.prompt, wanted.seed, to_pixels(read_picture(path)), receipt)
        except InputError as error:
            raise StorageError(f"{path} exists and is not of this run; choose another --out") from error
        self._note(image)
        return True

    def _note(self, image: Image) -> None:
        asset = image.receipt.made.asset_id
        self.entries[image.seed] = {
            "seed": image.seed,
            "prompt": image.prompt,
            "read": list(image.receipt.made.read),
            "file": self.picture(image.seed).name,
            "asset_id": asset,
            "receipt": f"receipts/{asset}.json",
            "pixels_sha256": image.receipt.pixels_sha256,
            "film": [name for name in self._films(image.seed) if (self.path / name).exists()],
        }
        if len(self.tiles) < SHEET_TILES:
            self.tiles[image.seed] = image.pixels

    def save(self, image: Image, film: Sequence[Moment] = ()) -> None:
        """Film and receipt first: where the picture is, all of it is."""
        from mezzotint.governance.receipt import write_receipt

        if film:
            self._save_film(image.seed, film)
        write_receipt(self.path / "receipts", image.receipt)
        image.save(self.picture(image.seed))
        self._note(image)

    def _films(self, seed: int) -> list[str]:
        return [f"film-{seed}.webp", f"film-{seed}.png"]

    def _save_film(self, seed: int, moments: Sequence[Moment]) -> None:
        from mezzotint.pictures.film import rows, webp
        from mezzotint.pictures.png import png
        from mezzotint.pictures.sheet import strip

        animation, still = self._films(seed)
        write_once(self.path / animation, webp(moments))
        write_once(self.path / still, png(strip(*rows(moments)), {}))

    def finish(self, seconds: float) -> dict[str, Any]:
        """The contact sheet, then ``run.json``, which says that the run is whole.   Returns: what it holds."""
        from mezzotint import __version__
        from mezzotint.making.job import described
        from mezzotint.pictures.png import png
        from mezzotint.pictures.sheet import sheet

        tiles = [self.tiles[seed] for seed in self.job.seeds if seed in self.tiles]
        write_once(self.path / "sheet.png", png(sheet(tiles), {}))
        document = {
            "schema": SCHEMA,
            "command": "generate",
            "mezzotint": __version__,
            **described(self.job),
            "images": [self.entries[seed] for seed in self.job.seeds],
            "sheet": "sheet.png",
            "seconds": round(seconds, 3),
        }
        write_atomic(self.path / "run.json", pretty_json(document), replace=False)
        return document


def make(job: Job, folder: Folder, film: bool, shown: bool) -> None:
    """Runs what is not done yet; every picture is on disk before the next batch begins."""
    from mezzotint.making.image import Progress
    from mezzotint.making.reel import Reel
    from mezzotint.making.run import stream

    done = folder.find_done()
    rest = replace(job, pictures=tuple(p for p in job.pictures if p.seed not in done))
    reel = Reel(rest) if film else None
    with Bar(rest.total, "step", shown) as bar:
        for event in stream(rest):
            if isinstance(event, Progress):
                bar.at(event.done, f"picture {len(folder.entries) + 1} of {len(job.seeds)}")
                if reel is not None:
                    reel.add(event)
            else:
                folder.save(event, () if reel is None else reel.take(event.seed))


@contextmanager
def without_collector() -> Iterator[None]:
    """No garbage collection while torch and a model are loaded: all of it stays, and searching it takes time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.command("generate")
@click.argument("prompt", nargs=-1, required=True)
@click.option("--negative-prompt", default="", help="What to steer away from.")
@model_option
@click.option("-n", "--n", type=int, default=1, show_default=True, help="How many pictures of each prompt.")
@seed_option
@sampling_options
@click.option("--size", metavar="WxH", help="Size in pixels; models say which they can make.")
@machine_options
@click.option("--batch", type=int, help="Rows computed together; pictures are equal to the bit for equal numbers.")
@out_option
@click.option("--film", is_flag=True, help="Also write the denoising film of each picture: a strip and an animation.")
@json_option
@quiet_option
def command(
    prompt: tuple[str, ...],
    out: Path | None,
    film: bool,
    as_json: bool,
    quiet: bool,
    **words: Any,
) -> None:
    """Make pictures of each PROMPT: words for a model of text; a label of a class-conditional one, or another word for
    it, or "" for no condition.

    Writes <name>-<seed>.png each, sheet.png, receipts/<asset-id>.json and run.json.  Ctrl-C keeps finished pictures;
    the same command with the same --out goes on.
    """
    began = time.perf_counter()
    # Threads that wait should sleep: spinning, torch's default, burns whole cores beside anything else that runs here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    said = settings({k: words[k] for k in ("model", "quality", "device", "dtype", "threads", "batch")} | _out(out))
    words |= {k: said[k].value for k in ("model", "quality", "device", "dtype", "threads", "batch")}

    from mezzotint.making.job import prepare, threads_for

    words["threads"] = words["threads"] or threads_for(words["model"], words["n"] * len(prompt), words["batch"])
    with without_collector():
        job = prepare(prompt, **words)
    for note in () if quiet else job.notes:
        print(f"mezzotint: {note}", file=sys.stderr)
    place = said["out"].value
    folder = Folder(run_folder(None if place is None else Path(str(place)), "generate"), job)
    try:
        make(job, folder, film, shown=not quiet)
        document = folder.finish(time.perf_counter() - began)
    except KeyboardInterrupt:
        whole = f"{len(folder.entries)} of {len(job.seeds)} pictures are whole in {folder.path}"
        raise StoppedError(f"interrupted: {whole}; the same command with --out {folder.path} goes on") from None
    if as_json:
        print_json({**document, "out": str(folder.path)})
    elif not quiet:
        print(f"{len(job.seeds)} pictures in {folder.path} ({document['seconds']:.1f} s)", file=sys.stderr)


def _out(out: Path | None) -> dict[str, str | None]:
    if out is not None and out.is_file():
        raise UsageError(f"--out {out} is a file; expected a folder, or a name for a new one")
    return {"out": None if out is None else str(out)}
