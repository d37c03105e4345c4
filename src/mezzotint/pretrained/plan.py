"""How a model will be sampled: the words of the command line and the model's presets, resolved to a grid and a solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mezzotint.diffusion.grid import uniform
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.errors import unknown
from mezzotint.files import sha256
from mezzotint.pretrained.model import schedule_of
from mezzotint.pretrained.spec import QUALITIES, Choice, Sampling, Spec


@dataclass(frozen=True)
class Plan:
    """A resolved way to sample.  solver_choice, grid_choice: their names and options, for receipts."""

    solver: Solver[Any]
    levels: Level
    solver_choice: Choice
    grid_choice: Choice
    scale: float

    @property
    def steps(self) -> int:
        return len(self.levels) - 1


def preset(spec: Spec, quality: str) -> Sampling:
    if quality not in QUALITIES:
        raise unknown("quality", quality, QUALITIES)
    return spec.sampling.get(quality, spec.sampling["standard"])


def plan(
    spec: Spec, *, quality: str, solver: str | None, grid: str | None, steps: int | None, scale: float | None
) -> Plan:
    chosen = preset(spec, quality)
    n = chosen.steps if steps is None else steps
    levels = uniform(schedule_of(spec), n)
    return Plan(DDIM(), levels, {"name": "ddim"}, {"name": "uniform"}, chosen.scale if scale is None else scale)


def levels_hash(levels: Level) -> str:
    """SHA-256 of a grid: alpha, sigma and, where there is one, the index, as little-endian float64, one after the other."""
    parts = [levels.alpha, levels.sigma, *([] if levels.index is None else [levels.index])]
    return sha256(b"".join(np.asarray(part, "<f8").tobytes() for part in parts))
