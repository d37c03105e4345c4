"""The folder of an evaluation: its document, some of its pictures beside real ones, and its page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from mezzotint.errors import InputError
from mezzotint.evaluation.page import page
from mezzotint.evaluation.report import Report, report_of
from mezzotint.evaluation.trial import Trial
from mezzotint.files import make_folder, read_bytes, write_atomic
from mezzotint.pictures.png import png, to_pil

DOCUMENT, SHOWN, MANY = "evaluation.json", "shown.json", 24
MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Evaluated:
    """prompts: of the pictures that are shown.  made, real: PNG files, one a prompt."""

    report: Report
    prompts: tuple[str, ...]
    made: tuple[bytes, ...]
    real: tuple[bytes, ...]


def _pngs(images: Tensor, rows: Sequence[int]) -> tuple[bytes, ...]:
    return tuple(png(to_pil(images[i].permute(1, 2, 0).contiguous().numpy()), {}) for i in rows)


def evaluated(report: Report, images: Tensor, trial: Trial) -> Evaluated:
    """An evaluation with MANY of its pictures, spread over the trial."""
    rows = np.linspace(0, len(images) - 1, min(MANY, len(images))).round().astype(int).tolist()
    prompts = tuple(trial.prompts[i] for i in rows)
    return Evaluated(report, prompts, _pngs(images, rows), _pngs(trial.reference, rows))


def save(folder: Path, found: Evaluated) -> None:
    """Writes the folder, ``evaluation.json`` last.  Raises StorageError."""
    for kind, files in (("made", found.made), ("real", found.real)):
        place = make_folder(folder / kind)
        for k, data in enumerate(files):
            write_atomic(place / f"{k:02d}.png", data)
    write_atomic(folder / SHOWN, json.dumps(list(found.prompts), ensure_ascii=False))
    write_page(folder, [found])
    write_atomic(folder / DOCUMENT, found.report.json())


def write_page(folder: Path, found: Sequence[Evaluated]) -> Path:
    """``page.html`` of evaluations of one trial.  Raises UsageError where they do not compare."""
    shown = {one.report.model: one.made for one in found}
    return write_atomic(
        folder / "page.html", page([one.report for one in found], found[0].prompts, shown, found[0].real)
    )


def load(folder: Path) -> Evaluated:
    """What ``save`` wrote.  Raises InputError where it is not whole."""
    try:
        report = report_of(json.loads(read_bytes(folder / DOCUMENT, MAX_BYTES)))
        prompts = tuple(str(p) for p in json.loads(read_bytes(folder / SHOWN, MAX_BYTES)))
        made, real = (
            tuple(read_bytes(folder / kind / f"{k:02d}.png", MAX_BYTES) for k in range(len(prompts)))
            for kind in ("made", "real")
        )
    except ValueError as error:
        raise InputError(f"{folder} holds no whole evaluation ({error}); evaluate the model again") from error
    return Evaluated(report, prompts, made, real)
