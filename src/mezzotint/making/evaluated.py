"""The folder of an evaluation: its document, some of its pictures beside real ones, and its page.

What was measured is all pictures; those that people are shown pass the output gate, as any other that is given out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from mezzotint.errors import InputError
from mezzotint.evaluation.page import page
from mezzotint.evaluation.report import Report, report_of
from mezzotint.evaluation.trial import Trial
from mezzotint.files import make_folder, pretty_json, read_bytes, write_atomic
from mezzotint.making.evaluation import forget
from mezzotint.pictures.png import XMP, Pixels, png, read_picture, to_pil, to_pixels
from mezzotint.pictures.withheld import withheld

if TYPE_CHECKING:
    from mezzotint.making.image import Image
    from mezzotint.making.released import Withheld

DOCUMENT, SHOWN, MANY = "evaluation.json", "shown.json", 24
MADE, REAL, WORK = "made", "real", "work"
"""Folders: pictures that were made, real ones, and all that is made while an evaluation goes on."""

WITHHELD = "withheld"
"""Where the report's ``about`` has what the gate withheld of what is shown."""

MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Shown:
    """One picture for people.

    file: a PNG, a plain tile where the gate withholds the picture.  said: what the document has of one that is
    withheld.  box: files of it that only a reviewer's key opens, by their names in the folder.
    """

    file: bytes
    said: Mapping[str, Any] = field(default_factory=dict)
    box: Mapping[str, bytes | str] = field(default_factory=dict)


Passing = Callable[[int, Pixels], Shown]
"""(number, pixels) of a picture that was made -> what people are shown of it."""


@dataclass(frozen=True)
class Evaluated:
    """prompts: of the pictures that are shown.  made, real: PNG files, one a prompt; made ones have passed the output
    gate, or are plain tiles.  boxes: of those, sealed for a reviewer, by their names in the folder.
    """

    report: Report
    prompts: tuple[str, ...]
    made: tuple[bytes, ...]
    real: tuple[bytes, ...]
    boxes: Mapping[str, bytes | str] = field(default_factory=dict)

    @property
    def withheld(self) -> Sequence[Mapping[str, Any]]:
        """What people are not shown: the file that has a tile, decision, codes, and the seed where one is known."""
        found: Sequence[Mapping[str, Any]] = self.report.about.get(WITHHELD, {}).get("pictures", ())
        return found


def _pixels(images: Tensor, row: int) -> Pixels:
    found: Pixels = images[row].permute(1, 2, 0).contiguous().numpy()
    return found


def looked_at() -> Passing:
    """The output gate for pictures without receipts.   Raises as ``gate.load``."""
    from mezzotint.governance.provenance.manifest import MADE as BY_A_MODEL
    from mezzotint.governance.provenance.manifest import xmp
    from mezzotint.governance.safety.output.gate import load as load_gate

    gate = load_gate()

    def passed(row: int, pixels: Pixels) -> Shown:
        verdict = gate.check(pixels)
        if gate.passes(verdict.decision):
            return Shown(png(to_pil(pixels), {XMP: xmp(BY_A_MODEL)}))
        codes = [one.code for one in verdict.findings if one.decision == verdict.decision]
        return _tile(pixels, {"decision": verdict.decision.word, "codes": sorted(set(codes))})

    return passed


def leaving(gate: Callable[[Image], Image | Withheld], image_of_row: Callable[[int, Pixels], Image]) -> Passing:
    """The output gate as ``generate`` has it.   image_of_row: a picture with its receipt."""
    from mezzotint.making.image import Image

    def passed(row: int, pixels: Pixels) -> Shown:
        one = gate(image_of_row(row, pixels))
        if isinstance(one, Image):
            return Shown(one.png())
        said = {"seed": one.seed, "decision": one.decision.word, "codes": list(one.codes)}
        return replace(_tile(pixels, said), box=_box(one))

    return passed


def _tile(pixels: Pixels, said: Mapping[str, Any]) -> Shown:
    height, width = pixels.shape[:2]
    return Shown(png(withheld((width, height), said["codes"]), {}), said)


def _box(one: Withheld) -> dict[str, bytes | str]:
    """The sealed box of a picture and its verdict; none where nothing is kept."""
    from mezzotint.governance.safety.output.sealed import SUFFIX

    if one.sealed is None:
        return {}
    name = f"quarantine/{one.receipt.made.asset_id}"
    return {f"{name}.json": pretty_json(one.receipt.output_check), f"{name}{SUFFIX}": one.sealed}


def _name(k: int) -> str:
    return f"{k:02d}.png"


def _about(report: Report, shown: Sequence[Shown]) -> Report:
    """With what is withheld, of how many."""
    said = [{"file": f"{MADE}/{_name(k)}", **one.said} for k, one in enumerate(shown) if one.said]
    return replace(report, about={**report.about, WITHHELD: {"of": len(shown), "count": len(said), "pictures": said}})


def evaluated(report: Report, images: Tensor, trial: Trial, passing: Passing | None = None) -> Evaluated:
    """An evaluation with MANY of its pictures, spread over the trial.

    passing: the output gate; None is ``looked_at()``.   Raises as it does.
    """
    passed = looked_at() if passing is None else passing
    rows = np.linspace(0, len(images) - 1, min(MANY, len(images))).round().astype(int).tolist()
    shown = [passed(row, _pixels(images, row)) for row in rows]
    real = tuple(png(to_pil(_pixels(trial.reference, row)), {}) for row in rows)
    boxes = {name: data for one in shown for name, data in one.box.items()}
    prompts = tuple(trial.prompts[row] for row in rows)
    return Evaluated(_about(report, shown), prompts, tuple(one.file for one in shown), real, boxes)


def save(folder: Path, found: Evaluated) -> None:
    """Writes the folder, ``evaluation.json`` last; then the pictures of ``work`` go, which none has looked at.

    Raises StorageError.
    """
    for kind, files in ((MADE, found.made), (REAL, found.real)):
        place = make_folder(folder / kind)
        for k, data in enumerate(files):
            write_atomic(place / _name(k), data)
    for name, box in found.boxes.items():
        write_atomic(folder / name, box)
    write_atomic(folder / SHOWN, json.dumps(list(found.prompts), ensure_ascii=False))
    write_page(folder, [found])
    write_atomic(folder / DOCUMENT, found.report.json())
    forget(folder / WORK)


def write_page(folder: Path, found: Sequence[Evaluated]) -> Path:
    """``page.html`` of evaluations of one trial.  Raises UsageError where they do not compare."""
    shown = {one.report.model: one.made for one in found}
    return write_atomic(
        folder / "page.html", page([one.report for one in found], found[0].prompts, shown, found[0].real)
    )


def load(folder: Path, passing: Passing | None = None) -> Evaluated:
    """What ``save`` wrote, its pictures put to the output gate that is in force now: another may have let them pass.

    passing: that gate; None is ``looked_at()``.   Raises InputError where it is not whole; as ``looked_at``.
    """
    try:
        report = report_of(json.loads(read_bytes(folder / DOCUMENT, MAX_BYTES)))
        prompts = tuple(str(p) for p in json.loads(read_bytes(folder / SHOWN, MAX_BYTES)))
        made, real = (
            tuple(read_bytes(folder / kind / _name(k), MAX_BYTES) for k in range(len(prompts))) for kind in (MADE, REAL)
        )
        found = Evaluated(report, prompts, made, real)
        tiles = {str(one["file"]): _said_before(one) for one in found.withheld}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder} holds no whole evaluation ({error}); evaluate the model again") from error
    passed = looked_at() if passing is None else passing
    files = [f"{MADE}/{_name(k)}" for k in range(len(prompts))]
    pixels = [to_pixels(read_picture(folder / file)) for file in files]
    shown = [
        _tile(seen, tiles[file]) if file in tiles else _kept(passed(k, seen), made[k])
        for k, (file, seen) in enumerate(zip(files, pixels, strict=True))
    ]
    return replace(found, report=_about(report, shown), made=tuple(one.file for one in shown))


def _said_before(one: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says of a picture that was withheld, by our own words alone."""
    seed = {"seed": int(one["seed"])} if "seed" in one else {}
    return {**seed, "decision": str(one["decision"]), "codes": [str(code) for code in one["codes"]]}


def _kept(now: Shown, data: bytes) -> Shown:
    """The file as it is, where its picture passes."""
    return now if now.said else Shown(data)


def there(folder: Path) -> Evaluated | None:
    """The evaluation that a folder holds; None where it holds no whole one.   Raises as ``looked_at``."""
    if not (folder / DOCUMENT).is_file():
        return None
    passing = looked_at()  # what is wrong with the policy is no fault of the evaluation's
    try:
        return load(folder, passing)
    except InputError:
        return None
