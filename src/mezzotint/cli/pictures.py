"""The folder of a run that makes pictures: what is there already, what is made, and what says that it is whole."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzotint.cli.options import print_json
from mezzotint.cli.output import Bar, StoppedError, printable, refuse_picture_name, run_folder, say, slug
from mezzotint.errors import BudgetError, BudgetSpentError, StorageError, UsageError
from mezzotint.files import pretty_json, sha256, write_atomic, write_once
from mezzotint.keeping import keeping

if TYPE_CHECKING:
    from mezzotint.costs.purse import Purse
    from mezzotint.exported.job import ExportedJob
    from mezzotint.exported.run import Done
    from mezzotint.governance.provenance.release import Release
    from mezzotint.making.image import Image, Progress
    from mezzotint.making.job import Job, Wanted
    from mezzotint.making.reel import Reel
    from mezzotint.making.released import Withheld
    from mezzotint.pictures.film import Moment
    from mezzotint.pictures.png import Pixels

    AnyJob = Job | ExportedJob

SCHEMA = "mezzotint/run/2"
SHEET_TILES = 1024
PARTLY = 3
"""The exit code of a run some of whose pictures a gate withheld."""


def place(out: Path | None) -> Path | None:
    """What ``--out`` says, looked at before anything is loaded.

    Raises UsageError for a file or a picture's name, StorageError where a run is finished.
    """
    if out is not None and out.is_file():
        raise UsageError(f"--out {out} is a file; expected a folder, or a name for a new one")
    refuse_picture_name(out)
    if out is not None and (out / "run.json").exists():
        raise StorageError(f"{out} holds a finished run; nothing is ever overwritten, choose another --out")
    return out


class Folder:
    """Where a job's files go.  A run stopped halfway goes on in its folder; a finished one is never touched."""

    def __init__(self, path: Path, job: AnyJob, release: Release, *, embed_prompt: bool = False) -> None:
        self.path, self.job, self.release, self.embed_prompt = path, job, release, embed_prompt
        self.names = {self._id(p): self._name(p) for p in job.pictures}
        self.entries: dict[str, dict[str, Any]] = {}
        self.tiles: dict[str, Pixels] = {}
        self.withheld: list[Withheld] = []

    def _id(self, wanted: Wanted) -> str:
        return self.job.made(wanted).asset_id

    def _name(self, wanted: Wanted) -> str:
        return f"{slug(wanted.name, self.job.model.name)}-{wanted.seed}.png"

    def rest(self) -> tuple[Wanted, ...]:
        """The pictures that are not here yet, made exactly as this job would.

        Raises StorageError where a file of that name is another picture.
        """
        from mezzotint.making.again import other

        return tuple(p for p in self.job.pictures if not (self._recall(p) or self._recall(other(p))))

    def _recall(self, wanted: Wanted) -> bool:
        from mezzotint.errors import InputError
        from mezzotint.governance.receipt import beside, read_receipt
        from mezzotint.making.image import Image
        from mezzotint.pictures.png import read_picture, to_pixels

        path = self.path / self._name(wanted)
        if not path.exists():
            return False
        asset = self._id(wanted)
        self.names[asset] = path.name
        its = None if path.is_symlink() else beside(path, asset)
        try:
            if its is None:
                raise InputError("a link, or a picture without its receipt")
            receipt = read_receipt(its)
            image = Image(wanted.prompt, wanted.seed, to_pixels(read_picture(path)), receipt)
        except InputError as error:
            raise StorageError(f"{path} exists and is not of this run; choose another --out") from error
        self._note(image)
        return True

    def _note(self, image: Image) -> None:
        asset = image.receipt.made.asset_id
        self.entries[asset] = {
            "seed": image.seed,
            "prompt": image.prompt,
            "read": list(image.receipt.made.read),
            "file": self.names[asset],
            "asset_id": asset,
            "receipt": f"receipts/{asset}.json",
            "pixels_sha256": image.receipt.pixels_sha256,
            "film": [name for name in self._films(image.seed) if (self.path / name).exists()],
        }
        if len(self.tiles) < SHEET_TILES:
            self.tiles[asset] = image.pixels

    def save(self, image: Image, film: Sequence[Moment] = ()) -> None:
        """Film, receipt and the ledger's entry first: where the picture is, all of it is."""
        from mezzotint.governance.receipt import write_receipt

        if image.receipt.made.asset_id not in self.names:
            self._name_other(image.seed)

        if film:
            self._save_film(image.seed, film)
        receipt = sha256(write_receipt(self.path / "receipts", image.receipt).read_bytes())
        data = image.png(embed_prompt=self.embed_prompt)
        data = self.release.file(data, image.receipt, receipt, embed_prompt=self.embed_prompt)
        write_atomic(self.path / self.names[image.receipt.made.asset_id], data, replace=False)
        self._note(image)

    def withhold(self, one: Withheld) -> None:
        """Notes a picture that is not given out; its sealed box, where there is one, beside the verdict."""
        self.withheld.append(one)
        if one.sealed is None:
            return
        box = self.path / sealed_name(one)
        write_atomic(box.with_suffix(".json"), pretty_json(one.receipt.output_check))
        write_atomic(box, one.sealed)

    def _name_other(self, seed: int) -> None:
        """Of a picture made once more, from the seed of another one that was empty."""
        from mezzotint.making.again import other

        self.names |= {self._id(p): self._name(p) for p in map(other, self.job.pictures) if p.seed == seed}

    def _films(self, seed: int) -> list[str]:
        return [f"film-{seed}.webp", f"film-{seed}.png"]

    def _save_film(self, seed: int, moments: Sequence[Moment]) -> None:
        from mezzotint.pictures.film import rows, webp
        from mezzotint.pictures.png import png
        from mezzotint.pictures.sheet import strip

        animation, still = self._films(seed)
        write_once(self.path / animation, webp(moments))
        write_once(self.path / still, png(strip(*rows(moments)), {}))

    def finish(self, command: str, seconds: float) -> dict[str, Any]:
        """The contact sheet, then ``run.json``, which says that the run is whole.   Returns: what it holds."""
        from mezzotint import __version__
        from mezzotint.making.job import described
        from mezzotint.pictures.png import png
        from mezzotint.pictures.sheet import sheet

        order = [asset for asset in self.names if asset in self.entries]
        tiles = [self.tiles[asset] for asset in order if asset in self.tiles]
        write_once(self.path / "sheet.png", png(sheet(tiles), {}))
        document = {
            "schema": SCHEMA,
            "command": command,
            "mezzotint": __version__,
            **described(self.job),
            "images": [self.entries[asset] for asset in order],
            **({"withheld": [_told(one) for one in self.withheld]} if self.withheld else {}),
            "sheet": "sheet.png",
            "seconds": round(seconds, 3),
        }
        write_atomic(self.path / "run.json", pretty_json(document), replace=False)
        return document


def sealed_name(one: Withheld) -> str:
    """Where the box of a picture that is withheld lies, in the run's folder."""
    from mezzotint.governance.safety.output.sealed import SUFFIX

    return f"quarantine/{one.receipt.made.asset_id}{SUFFIX}"


def _told(one: Withheld) -> dict[str, Any]:
    """What ``run.json`` says of a picture that is not given out."""
    made = one.receipt.made
    said = {"decision": one.decision.word, "codes": list(one.codes)}
    said |= {} if one.sealed is None else {"sealed": sealed_name(one)}
    return {"seed": one.seed, "prompt": one.prompt, "asset_id": made.asset_id, **said}


def make(job: AnyJob, folder: Folder, film: bool, shown: bool, money: Purse | None = None) -> None:
    """Runs what is not done yet; every picture is on disk before the next batch begins.

    Raises OutputBlockedError, OutputReviewError, OutputUncheckedError where the output gate lets none of all pass;
    BudgetError.
    """
    from mezzotint.making.image import Image, Progress
    from mezzotint.making.released import Withheld, refusal

    rest = replace(job, pictures=folder.rest())
    reel = _reel(rest) if film else None
    with Bar(rest.total, "step", shown) as bar:
        for event in _events(rest):
            if isinstance(event, Image):
                folder.save(event, () if reel is None else reel.take(event.seed))
                if money is not None:
                    money.pictures += 1
                continue
            if isinstance(event, Withheld):
                folder.withhold(event)
                _ = None if reel is None else reel.take(event.seed)
                continue
            if money is not None:
                money.heed()
            bar.at(event.done, f"picture {len(folder.entries) + 1} of {len(job.pictures)}")
            if reel is not None and isinstance(event, Progress):
                reel.add(event)
    if folder.withheld and not folder.entries:
        raise refusal(folder.withheld)


def _events(job: AnyJob) -> Iterator[Image | Progress | Done | Withheld]:
    """A job, run by what it is for."""
    from mezzotint.exported.job import ExportedJob

    if isinstance(job, ExportedJob):
        from mezzotint.exported.run import stream as without_torch

        return without_torch(job)
    from mezzotint.making.run import stream

    return stream(job)


def _reel(job: AnyJob) -> Reel:
    from mezzotint.making.job import Job
    from mezzotint.making.reel import Reel

    assert isinstance(job, Job)
    return Reel(job)


@contextmanager
def loading() -> Iterator[None]:
    """While torch and a model are loaded: no garbage collection, for all of it stays, and searching it takes time."""
    # Threads that wait should sleep: spinning, torch's default, burns whole cores beside anything else that runs here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with keeping():
        try:
            yield
        finally:
            gc.freeze()


def run(
    job: AnyJob,
    out: Path | None,
    command: str,
    film: bool,
    as_json: bool,
    quiet: bool,
    began: float,
    *,
    embed_prompt: bool = False,
    photos: Sequence[Path] = (),
) -> int:
    """Makes a job's pictures in their folder and says so.   photos: the files that they are made from.

    Returns: the exit code, 0, or 3 where the output gate withheld some.
    Raises StoppedError at Ctrl-C, StorageError, ProvenanceError.
    """
    for note in () if quiet else job.notes:
        say(note)
    if job.memory is not None and not quiet:
        print(f"mezzotint: this takes {job.memory}", file=sys.stderr)
    where = run_folder(out, command)
    with _released(photos) as release, _purse(command) as money:
        folder = Folder(where, job, release, embed_prompt=embed_prompt)
        document = _made(folder, film, command, began, money, shown=not quiet)
    if as_json:
        print_json({**document, "out": str(folder.path)})
    elif not quiet:
        print(
            f"{len(folder.entries)} pictures in {printable(str(folder.path))} ({document['seconds']:.1f} s)",
            file=sys.stderr,
        )
        for one in folder.withheld:
            print(f"mezzotint: seed {one.seed} is not given out: {', '.join(one.codes)}", file=sys.stderr)
    return PARTLY if folder.withheld else 0


def _released(photos: Sequence[Path]) -> AbstractContextManager[Release]:
    """By settings."""
    from mezzotint.config import settings
    from mezzotint.governance.provenance.ledger import place
    from mezzotint.governance.provenance.release import releasing

    said = settings()
    ledger = said["ledger"].value
    return releasing(str(said["credentials"].value), place(None if ledger is None else str(ledger)), photos)


def _purse(command: str) -> AbstractContextManager[Purse | None]:
    """What may be spent on a command."""
    from mezzotint.costs.purse import purse

    return purse(command)


def _made(
    folder: Folder, film: bool, command: str, began: float, money: Purse | None, *, shown: bool
) -> dict[str, Any]:
    """Makes what is not there yet.   Returns: what ``run.json`` holds."""
    try:
        make(folder.job, folder, film, shown, money)
        return folder.finish(command, time.perf_counter() - began)
    except KeyboardInterrupt:
        whole = f"{len(folder.entries)} of {len(folder.job.pictures)} pictures are whole in {folder.path}"
        raise StoppedError(f"interrupted: {whole}; the same command with --out {folder.path} goes on") from None
    except BudgetError as error:
        if not folder.entries:
            raise
        whole = f"{len(folder.entries)} of {len(folder.job.pictures)} pictures are whole in {folder.path}"
        raise BudgetSpentError(f"{whole}; {error}; the same command with --out {folder.path} goes on") from error
