"""A model makes a trial's pictures, and they are measured.  Pictures made are kept; a kill loses few."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.errors import StorageError
from mezzotint.evaluation.features import Features
from mezzotint.evaluation.measure import METRICS, check, measure
from mezzotint.evaluation.report import COPIES_AMONG, Cost, Report
from mezzotint.evaluation.trial import Trial
from mezzotint.files import make_folder, sha256, write_atomic
from mezzotint.governance.receipt import StageMade
from mezzotint.making.calls import calls
from mezzotint.making.image import Image
from mezzotint.making.job import Job
from mezzotint.making.ranker import rankers
from mezzotint.making.run import unreleased

PIECE = 4
"""Batches that are kept together where many pictures are made."""

PIECES = re.compile(r"[0-9a-f]{24}\.npz|\.[0-9a-f]{24}\.npz\.[0-9a-f]{12}\.part")
"""Names of pieces, and of those that a killed process left half written (``files.atomic_writer``)."""

Counted = Callable[[int, int], None]
"""(pictures made, of how many); told at every step of them, also where none has become ready.  Then, where copies are
looked for in training pictures that no evaluation has looked at before, (looked at, of how many)."""


@dataclass(frozen=True)
class Made:
    """Pictures (N, C, H, W) uint8, which no gate has looked at.  seconds: of processor time a picture, without loading.
    firsts: what the first step of each said (``Receipt.first_step``).
    """

    images: Tensor
    seconds: float
    firsts: tuple[Mapping[str, Any] | None, ...] = ()


@dataclass(frozen=True)
class _Piece:
    """pictures: (N, C, H, W).   seconds: of all.   firsts: as of ``Made``."""

    pictures: NDArray[np.uint8]
    seconds: float
    firsts: tuple[Mapping[str, Any] | None, ...]


def unheard(done: int, total: int) -> None:
    """Nobody is told."""


def pictures(job: Job, work: Path, report: Counted = unheard, piece: int = PIECE) -> Made:
    """A job's pictures, in its order, from ``work`` where they are there already.

    piece: batches that are kept together; what ``report`` raises loses those that are being made.
    """
    total, each = len(job.pictures), piece * job.rows
    found: list[_Piece] = []
    for begin in range(0, total, each):
        part = replace(job, pictures=job.pictures[begin : begin + each])
        found.append(_piece(part, make_folder(work), partial(_told, report, begin, total)))
        report(begin + len(part.pictures), total)
    seconds = sum(one.seconds for one in found) / len(job.pictures)
    firsts = tuple(first for one in found for first in one.firsts)
    return Made(torch.from_numpy(np.concatenate([one.pictures for one in found])), seconds, firsts)


def _told(report: Counted, before: int, total: int, ready: int) -> None:
    report(before + ready, total)


def assets_sha256(job: Job) -> str:
    """Of all that determines a job's pictures, in their order: where it is the same, they are."""
    return sha256([job.made(p).asset_id.encode() for p in job.pictures])


def _piece(job: Job, work: Path, ready: Callable[[int], None]) -> _Piece:
    """ready: told at every step how many pictures are."""
    path = work / f"{assets_sha256(job)[:24]}.npz"
    kept = _read(path)
    if kept is not None:
        return kept
    began, one_by_one = time.process_time(), list[Image]()
    for event in unreleased(job):
        if isinstance(event, Image):
            one_by_one.append(event)
        ready(len(one_by_one))
    seconds, file = time.process_time() - began, io.BytesIO()
    made = np.stack([one.pixels.transpose(2, 0, 1) for one in one_by_one])
    firsts = tuple(one.receipt.first_step for one in one_by_one)
    np.savez(file, pictures=made, seconds=seconds, firsts=json.dumps(firsts))
    write_atomic(path, file.getvalue())
    return _Piece(made, seconds, firsts)


def _read(path: Path) -> _Piece | None:
    """A piece that is there; None for one of an earlier version, of which the gate would not know the first steps."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if "firsts" not in kept.files:
            return None
        return _Piece(kept["pictures"], float(kept["seconds"]), tuple(json.loads(str(kept["firsts"]))))


def forget(work: Path, kept: re.Pattern[str] = PIECES) -> None:
    """Removes what ``pictures`` kept, which no gate has looked at, and nothing else that may lie there.

    kept: the names of what goes.   Raises StorageError.
    """
    if not work.is_dir():
        return
    try:
        for path in work.iterdir():
            if kept.fullmatch(path.name):
                path.unlink(missing_ok=True)
        if not any(work.iterdir()):
            work.rmdir()
    except OSError as error:
        raise StorageError(
            f"what was made is whole, but {work}, pictures that nobody has looked at, stays ({error}); delete it"
        ) from error


def parameters(job: Job) -> int:
    """Of all networks that make a picture, each once: codecs included, and the ranker where it chooses or guides."""
    modules = {id(net): net for stage in job.stages for net in stage.model.networks.values()}
    networks = [*modules.values(), *rankers(job)]
    return sum(p.numel() for net in networks for p in net.parameters())


def _guided(stage: StageMade) -> dict[str, Any]:
    """What a stage's words had of guidance and of what is not computed anew; None is as without them."""
    interval = None if stage.guidance_interval is None else list(stage.guidance_interval)
    return {"guidance": stage.guidance, "guidance_interval": interval, "cache": stage.cache}


def put_to(
    job: Job,
    trial: Trial,
    extract: Features,
    work: Path,
    metrics: Sequence[str] = METRICS,
    minimum: int | None = None,
    report: Counted = unheard,
) -> tuple[Report, Made]:
    """Puts a job to a trial: makes its pictures and measures them.

    Args: job: of the trial's prompts, one picture each.  work: where pictures are kept while they are made.   metrics,
            minimum: as in ``evaluation.measure``.
    Raises UsageError: as ``measure``, before a picture is made.
    """
    check(metrics, len(job.pictures), extract, minimum)
    made = pictures(job, work, report)
    about = job.made(job.pictures[0])
    cost = Cost(parameters(job), calls(job), round(made.seconds, 4), about.processor, job.model.system.card.compute)
    found = measure(made.images, trial, extract, metrics, minimum, report)
    how = {
        "weights_sha256": job.model.system.weights_sha256,
        "assets_sha256": assets_sha256(job),
        "seed": job.seeds[0],
        "dtype": about.dtype,
        "steps": [s.steps for s in about.stages],
        "scale": [s.scale for s in about.stages],
        "candidates": job.main.plan.candidates,
        "classifier_scale": job.main.plan.classifier_scale,
        "versions": dict(about.versions),
        **{name: value for name, value in _guided(about.stage).items() if value is not None},
        **({COPIES_AMONG: trial.copies_among} if "copies" in metrics else {}),
    }
    return (
        Report(job.model.name, trial.name, trial.sha256, extract.name, len(made.images), cost, found, how),
        made,
    )
