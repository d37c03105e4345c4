"""Frontiers on disk, and what they recommend.

``<home>/frontiers/<weights' hash>/<scale>.json``, or ``frontiers/<scale>.json`` in a model's own folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mezzotint.config import home
from mezzotint.errors import ModelError
from mezzotint.files import pretty_json, read_bytes, write_atomic
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.learned import Asked, unlike
from mezzotint.pretrained.plan import preset
from mezzotint.pretrained.spec import Spec

SCHEMA = "mezzotint/frontier/1"
FOLDER, MAX_BYTES = "frontiers", 1 << 22


@dataclass(frozen=True)
class Words:
    """Solver, grid ("" is the model's own) and steps that were measured to be as good as a preset."""

    solver: str
    grid: str
    steps: int


def frontier_path(weights_sha256: str, scale: float) -> Path:
    """Where the user's of a model at a guidance scale is kept."""
    return home() / FOLDER / weights_sha256[:32] / f"{scale:g}.json"


def found_frontier(described: Described, scale: float) -> Path | None:
    """That of a model at a guidance scale; the user's hides what came with it.  None where there is none."""
    users = frontier_path(described.weights_sha256, scale)
    return next((path for path in (users, described.own / FOLDER / users.name) if path.is_file()), None)


def write_frontier(path: Path, document: Mapping[str, Any]) -> Path:
    """document: has ``schema``, ``weights_sha256``, ``shape`` and ``recommended``.   Raises StorageError."""
    return write_atomic(path, pretty_json(document))


def words_of(path: Path, described: Described, spec: Spec, asked: Asked) -> Words | None:
    """What a frontier recommends, None where it was measured otherwise (``unlike``), on states of another shape, or
    says nothing of this quality.

    Raises ModelError: damaged, of another schema, or of other weights.
    """
    try:
        value = _of(path, described)
        if unlike(asked, _classifier_scale(value)) or tuple(value["shape"]) != spec.shape:
            return None
        if asked.quality not in value["recommended"]:
            return None
        said = value["recommended"][asked.quality]
        found = Words(str(said["solver"]), str(said["grid"]), int(said["steps"]))
    except DAMAGED as error:
        raise _none(path, error) from error
    if found.steps < 1:
        raise ModelError(f"{path} recommends {found.steps} steps; delete it, or measure again with frontier")
    return found


def seconds_of(
    path: Path, described: Described, spec: Spec, dtype: str, calls: int, classifier_scale: float
) -> float | None:
    """Processor seconds of one network call for one picture, of the setting whose calls are nearest; None where it is
    of another state's shape, number format or guidance by a ranker.   Raises ModelError as ``words_of``."""
    try:
        value = _of(path, described)
        alike = tuple(value["shape"]) == spec.shape and value["dtype"] == dtype
        if not alike or _classifier_scale(value) != classifier_scale:
            return None
        points = [(float(one["calls"]), float(one["seconds"])) for one in value["points"]]
        several, seconds = min(points, key=lambda one: abs(one[0] - calls))
        return seconds / several
    except (*DAMAGED, ZeroDivisionError) as error:
        raise _none(path, error) from error


DAMAGED = (KeyError, TypeError, ValueError, RecursionError)


def _of(path: Path, described: Described) -> Any:
    value = json.loads(read_bytes(path, MAX_BYTES))
    if value["schema"] != SCHEMA or value["weights_sha256"] != described.weights_sha256:
        raise ValueError("of another schema, or of another model")
    return value


def _classifier_scale(value: Any) -> float:
    return float(value.get("classifier_scale", 0.0))


def _none(path: Path, error: BaseException) -> ModelError:
    return ModelError(f"{path} is no frontier ({error}); delete it, or measure again with frontier")


def measured(described: Described, spec: Spec, asked: Asked) -> tuple[Asked, str]:
    """(the words of a run, with what a frontier recommends where they leave solver, grid and steps to the quality; a
    note or "").  A run that is ``unlike`` what was measured takes nothing from it."""
    if asked.solver is not None or asked.grid is not None or asked.steps is not None:
        return asked, ""
    scale = float(preset(spec, asked.quality).scale if asked.scale is None else asked.scale)
    path = found_frontier(described, scale)
    found = None if path is None else words_of(path, described, spec, asked)
    if found is None:
        return asked, ""
    taken = replace(asked, solver=found.solver or None, grid=found.grid or None, steps=found.steps)
    return taken, f"{asked.quality} quality, as measured: {found.solver or 'own solver'}, {found.steps} steps"
