"""``replay``: a picture made again from its receipt, and which factor made it another, if it is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mezzotint.errors import InputError, MezzotintError, UsageError
from mezzotint.files import sha256_file, user_path
from mezzotint.governance.provenance.factors import Factor, factors
from mezzotint.governance.receipt import Made, Receipt, StageMade, read_receipt
from mezzotint.making.recalled.ours import GUIDANCE, words_of_made
from mezzotint.making.recalled.words import Words
from mezzotint.making.said_again import how_of, placed, request_of
from mezzotint.pictures.kept import place_of

if TYPE_CHECKING:
    from mezzotint.exported.job import ExportedJob
    from mezzotint.governance.provenance.mark.marking import Marking
    from mezzotint.making.image import Image
    from mezzotint.making.job import Job, Wanted
    from mezzotint.pictures.png import Pixels

TOLERANCE = {"float32": 2, "float64": 2, "bfloat16": 8, "float16": 8}
"""Grey levels by which sums in another order may differ, by the coarser number format of both."""


@dataclass(frozen=True)
class Replayed:
    """again: the receipt of the picture that was made; its pixels are compared and not given out, for no gate has seen
    them.   verdict: exact | tolerance | differs.   factors: what determines the picture and is not the same.
    most: the largest difference in grey levels; None where the first picture is not at hand."""

    receipt: Receipt
    again: Receipt
    verdict: str
    factors: tuple[Factor, ...]
    most: int | None

    @property
    def document(self) -> dict[str, Any]:
        """``schemas/replay-1.json``."""
        return {
            "schema": "mezzotint/replay/1",
            "asset_id": self.receipt.made.asset_id,
            "again": self.again.made.asset_id,
            "verdict": self.verdict,
            "largest_difference": self.most,
            "tolerance": _tolerance(self.receipt, self.again),
            "factors": [asdict(factor) for factor in self.factors],
        }


def replay(
    receipt: str | Path,
    *,
    have: Mapping[str, str | Path] | None = None,
    picture: str | Path | None = None,
    changed: Mapping[str, str | int] | None = None,
) -> Replayed:
    """Makes the picture of a receipt again, by what this machine has, and compares both.  Nothing is written.

    Args: have: the files that the receipt's needs stand for (``read`` lists them), by word.
        picture: the first one, to measure differences; None looks for it beside the receipt.
        changed: words to say otherwise than the receipt: threads, dtype, device, solver, grid.
    Raises: InputError (no receipt, or nothing makes it), UsageError (words), and as the command that makes it.
    """
    path = user_path(receipt)
    was = read_receipt(path)
    words = _words(was.made)
    there = {name: user_path(file) for name, file in (have or {}).items()}
    own = {"RECEIPT": path} if any(need.word == "RECEIPT" for need in words.needs) else {}
    own |= {need.word: at for need in words.needs if (at := place_of(need.sha256 or "")).is_file()}
    own |= _guidance(was.made, there)
    fields, pictures = placed(words, {**own, **there})
    _check_all_there(words, was.made, {*own, *there})
    with _where(words, {*own, *there}):
        said = {**fields, **_let_through(was.made, fields), **(changed or {})}
        job, wanted = _one(_job(words, said, pictures), was.made)
    again = next(_images(replace(job, pictures=(wanted,), mark=_named_as(was, job.mark))))
    return _compared(was, again, _first(path, was, None if picture is None else Path(picture)))


def _guidance(made: Made, there: Mapping[str, Path]) -> dict[str, Path]:
    """The file of distilled guidance that the receipt names, where it is under the home or came with the model."""
    by = made.stage.guidance
    if by is None or by["name"] != "distilled":
        return {}
    from mezzotint.making.opened import described
    from mezzotint.pretrained.distilled import files_of

    try:
        system = described(there.get(made.model, made.model))
        found = files_of(system.members[system.main].described)
    except MezzotintError:  # what is wrong with the model is said where it is opened to make the picture
        return {}
    fit = next((path for path in found if sha256_file(path) == by["sha256"]), None)
    return {} if fit is None else {GUIDANCE: fit}


def _let_through(made: Made, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Where an adapter's files are the receipt's to the byte, that they are put on as they are: receipts of earlier
    versions have no word of what was lost in them."""
    from mezzotint.pretrained.adapters import named_sha256

    there = [named_sha256(str(file)) for file in fields.get("lora", ())]
    same = there == [one["sha256"] for one in made.adapters]
    return {"allow_partial": True} if there and same else {}


def _words(made: Made) -> Words:
    """What says it again; where no words come to its solver any more, those of the solver's name."""
    try:
        return words_of_made(made)
    except InputError:
        return words_of_made(replace(made, stages=tuple(map(_named, made.stages))))


def _check_all_there(words: Words, made: Made, there: set[str]) -> None:
    """Raises UsageError for files that stand under no name of their own, and were not given."""
    beside = (*made.adapters, *made.embeddings, *made.attached)
    named = {made.model, *(str(one["name"]) for one in beside)}
    left = {need.word: need.what for need in words.needs if need.word not in named | there}
    if left:
        (word, what), *more = left.items()
        also = f", and {', '.join(other for other, _ in more)} likewise" if more else ""
        raise UsageError(f"the receipt needs {word}: {what}; give it with --have {word}=FILE{also}")


@contextmanager
def _where(words: Words, there: set[str]) -> Iterator[None]:
    """Says how a file is given that was looked for by its name and is not found."""
    try:
        yield
    except (InputError, UsageError) as error:
        text = str(error)
        sought = [
            n.word for n in words.needs if n.word not in there and re.search(rf"(^| |'){re.escape(n.word)}[':]", text)
        ]
        if not sought:
            raise
        raise type(error)(f"{text}; where it is elsewhere, give it with --have {sought[0]}=PATH") from error


def _named(stage: StageMade) -> StageMade:
    """A stage with its solver and its grid as this version has them by name.  Raises InputError."""
    from mezzotint.diffusion.aliases import resolve
    from mezzotint.pretrained.plan import receipt_choices

    try:
        solver, grid = receipt_choices(resolve(str(stage.solver["name"]), {"grid": str(stage.grid["name"])}))
    except (MezzotintError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"no solver of this version is the receipt's, {dict(stage.solver)}: {error}") from error
    return replace(stage, solver=solver, grid=grid)


def _job(words: Words, fields: Mapping[str, Any], pictures: list[Path]) -> Job | ExportedJob:
    """The job of the command that ``read`` gives."""
    if words.verb == "generate":
        from mezzotint.exported import job as exported
        from mezzotint.exported.folder import is_exported
        from mezzotint.making.prepare import prepare

        asked = request_of(words, fields)
        return exported.prepare(asked) if is_exported(asked.model) else prepare(asked)
    how, larger = how_of(fields)
    if words.verb == "upscale":
        from mezzotint.making.upscale import Enlarging, prepare_upscale

        return prepare_upscale(pictures[0], how, Enlarging(**larger))
    from mezzotint.making.vary import prepare_vary

    return prepare_vary(pictures, how)


def _one(job: Job | ExportedJob, made: Made) -> tuple[Job | ExportedJob, Wanted]:
    """The picture of a job that the receipt is of: by its seed and its place on a way between pictures."""
    alike = [p for p in job.pictures if p.seed == made.seed and p.task.get("at") == made.task.get("at")]
    return job, (alike or list(job.pictures))[0]


def _named_as(was: Receipt, mark: Marking | None) -> Marking | None:
    """Marks that hold the first picture's id: with its own, which is another as soon as any factor is, every picture
    would differ by its mark."""
    return None if mark is None else replace(mark, name=was.made.asset_id)


def _images(job: Job | ExportedJob) -> Iterator[Image]:
    from mezzotint.exported.job import ExportedJob
    from mezzotint.making.image import Image

    if isinstance(job, ExportedJob):
        from mezzotint.exported.run import unreleased as without_torch

        yield from (event for event in without_torch(job) if isinstance(event, Image))
        return
    from mezzotint.making.run import unreleased

    yield from (event for event in unreleased(job) if isinstance(event, Image))


def _compared(was: Receipt, again: Image, first: Pixels | None) -> Replayed:
    changes, most = factors(was, again.receipt), None
    if again.receipt.pixels_sha256 == was.pixels_sha256:
        return Replayed(was, again.receipt, "exact", changes, 0)
    if first is not None and first.shape == again.pixels.shape:
        most = int(np.abs(first.astype(np.int16) - again.pixels.astype(np.int16)).max())
    near = most is not None and most <= _tolerance(was, again.receipt)
    return Replayed(was, again.receipt, "tolerance" if near else "differs", changes, most)


def _tolerance(was: Receipt, now: Receipt) -> int:
    return max(TOLERANCE[one.made.dtype] for one in (was, now))


def _first(receipt: Path, was: Receipt, picture: Path | None) -> Pixels | None:
    """The pixels that the receipt is of.  Raises InputError where the picture that is named has others."""
    if picture is not None:
        found = _pixels(picture, was)
        if found is None:
            raise InputError(f"the pixels of {picture} are not those that the receipt is of; give its own picture")
        return found
    for path in sorted(receipt.absolute().parent.parent.glob(f"*-{was.made.seed}.png")):
        with suppress(InputError):  # some other picture, damaged
            if (found := _pixels(path, was)) is not None:
                return found
    return None


def _pixels(path: Path, was: Receipt) -> Pixels | None:
    from mezzotint.files import sha256
    from mezzotint.pictures.png import read_picture, to_pixels

    pixels = to_pixels(read_picture(path))
    return pixels if sha256(pixels.tobytes()) == was.pixels_sha256 else None
