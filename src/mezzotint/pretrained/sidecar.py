"""Side-cars: a learned solver with its grid as a small JSON file beside a model, for that model's weights alone.

``<home>/solvers/<weights' hash>/<calls>-<scale>.json``, or ``solvers/<calls>-<scale>.json`` in a model's own folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from mezzotint.config import home
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.learned import Learned, Rows
from mezzotint.diffusion.spread import ending_in_data
from mezzotint.errors import ModelError, UsageError
from mezzotint.files import pretty_json, read_bytes, write_atomic
from mezzotint.pretrained.few import MAX_CALLS
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.spec import Choice

SCHEMA, RECEIPTS = "mezzotint/solver/1", "mezzotint/receipt/"
FOLDER = "solvers"
MAX_BYTES = 1 << 20
BIG = 1e3
"""No weight or shift of a solver that works is as large."""


@dataclass(frozen=True)
class SideCar:
    """A learned solver, and what it was made for.

    weights_sha256: of the stage's weights.  scale: guidance.  shape: of its state.  dtype: of the network while it was
    fitted.  classifier_scale: of the ranker's guidance, 0 for none.  u: sigma/(alpha+sigma) of the grid, calls + 1,
    falling, the last above 0.  measured: for people.
    """

    model: str
    weights_sha256: str
    scale: float
    shape: tuple[int, ...]
    dtype: str
    solver: Learned
    u: tuple[float, ...]
    measured: Mapping[str, Any] = field(default_factory=dict)
    classifier_scale: float = 0.0

    @property
    def calls(self) -> int:
        """Steps, one call of the denoiser each."""
        return len(self.solver.shifts)

    @property
    def levels(self) -> Level:
        """Its grid."""
        return ending_in_data(torch.tensor(self.u, dtype=torch.float64))

    @property
    def choices(self) -> tuple[Choice, Choice]:
        """(solver, grid) in full, as receipts have them; ``of_choices`` is the inverse."""
        return {"name": "learned", **_weights(self.solver)}, {"name": "learned", "u": list(self.u)}


def _weights(solver: Learned) -> dict[str, Any]:
    rows = {"answers": solver.answers, "states": solver.states}
    return {**{name: [list(row) for row in value] for name, value in rows.items()}, "shifts": list(solver.shifts)}


def to_dict(one: SideCar) -> dict[str, Any]:
    """The JSON value; floats come back to the bit."""
    about = {"model": one.model, "weights_sha256": one.weights_sha256, "scale": one.scale, "shape": list(one.shape)}
    about |= {"classifier_scale": one.classifier_scale}
    return {"schema": SCHEMA, **about, "dtype": one.dtype, "u": list(one.u), **_weights(one.solver),
            "measured": dict(one.measured)}  # fmt: skip


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < BIG:
        raise ValueError(f"{value!r} is no weight of a solver")
    return float(value)


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) > MAX_CALLS + 1:
        raise ValueError("expected a list of numbers")
    return tuple(map(_number, values))


def _rows(values: Any) -> Rows:
    if not isinstance(values, list) or len(values) > MAX_CALLS:
        raise ValueError("expected a list of rows")
    return tuple(map(_numbers, values))


def solver_of(value: Mapping[str, Any], u: Any) -> tuple[Learned, tuple[float, ...]]:
    """Solver and u of their JSON values.  Raises ValueError, KeyError, TypeError, UsageError: they are none."""
    solver = Learned(_rows(value["answers"]), _rows(value["states"]), _numbers(value["shifts"]))
    grid = _numbers(u)
    falls = all(a > b for a, b in pairwise(grid))
    if len(grid) != len(solver.shifts) + 1 or not falls or not (grid[-1] > 0 and grid[0] <= 1):
        raise ValueError("its grid does not fall from at most 1 to above 0, one level more than it has steps")
    return solver, grid


def from_dict(value: Any, where: str) -> SideCar:
    """The side-car of a JSON value, or of a receipt's main stage.  Raises ModelError."""
    try:
        if str(value["schema"]).startswith(RECEIPTS):
            return _of_receipt(value["made"])
        if value["schema"] != SCHEMA:
            raise ModelError(f"{where} has schema {value['schema']!r}; this version reads {SCHEMA!r}")
        solver, u = solver_of(value, value["u"])
        return SideCar(
            str(value["model"]), str(value["weights_sha256"]), float(value["scale"]), tuple(value["shape"]),
            str(value["dtype"]), solver, u, dict(value["measured"]), float(value.get("classifier_scale", 0.0)),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError, UsageError) as error:
        raise ModelError(f"{where} is no side-car of a solver ({error}); make it again with calibrate") from error


def _of_receipt(made: Mapping[str, Any]) -> SideCar:
    stage = made["stages"][made["main"]]
    solver, u = solver_of(stage["solver"], stage["grid"]["u"])
    about = str(stage["model"]), str(stage["weights_sha256"]), float(stage["scale"]), tuple(stage["batch"][1:])
    by_ranker = float(stage.get("classifier", {"scale": 0.0})["scale"])
    return SideCar(*about, str(made["dtype"]), solver, u, classifier_scale=by_ranker)


def read(path: Path, weights_sha256: str) -> SideCar:
    """A side-car, or the solver of a receipt, for a model of these weights.

    Raises InputError (unreadable), ModelError: damaged, of another schema, or made for another model.
    """
    try:
        value = json.loads(read_bytes(path, MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}); make it again with calibrate") from error
    one = from_dict(value, str(path))
    if one.weights_sha256 != weights_sha256:
        raise ModelError(
            f"{path} was made for {one.model} with weights {one.weights_sha256[:12]}…, this model's are"
            f" {weights_sha256[:12]}…; make one for it with `mezzotint calibrate`"
        )
    return one


def name_of(calls: int, scale: float) -> str:
    """Of a side-car's file."""
    return f"{calls}-{scale:g}.json"


def home_of(weights_sha256: str) -> Path:
    """The user's folder of side-cars for a model."""
    return home() / FOLDER / weights_sha256[:32]


def places_of(described: Described) -> tuple[Path, ...]:
    """The user's own first, then what came with the model."""
    return home_of(described.weights_sha256), described.own / FOLDER


def kept(described: Described) -> dict[tuple[int, float], Path]:
    """(calls, scale) -> file, of every side-car at hand for a model; the user's hide what came with it."""
    found: dict[tuple[int, float], Path] = {}
    for place in places_of(described):
        for path in sorted(place.glob("*-*.json")) if place.is_dir() else ():
            calls, _, scale = path.stem.partition("-")
            if calls.isdecimal() and _is_number(scale):
                found.setdefault((int(calls), float(scale)), path)
    return found


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def write(one: SideCar) -> Path:
    """Puts it into the user's home; one that is there gives way.  Raises StorageError."""
    path = home_of(one.weights_sha256) / name_of(one.calls, one.scale)
    return write_atomic(path, pretty_json(to_dict(one)))
