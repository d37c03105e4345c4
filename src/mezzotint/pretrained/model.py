"""A loaded model: a system with the networks of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mezzotint.config import DEFAULT_MODEL
from mezzotint.files import user_path
from mezzotint.pretrained.families.known import family_of
from mezzotint.pretrained.folder import load_described
from mezzotint.pretrained.foreign import ForeignStage
from mezzotint.pretrained.stage_model import StageModel
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import System, describe_system, verify_system

AnyStage = StageModel | ForeignStage


@dataclass(frozen=True, eq=False)
class Model:
    """A system, checked, and its stages in the order they run, their networks on the CPU as stored in float32."""

    system: System
    stages: tuple[AnyStage, ...]

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def main(self) -> AnyStage:
        """The stage that steps, solver, grid and scale are for."""
        return self.stages[self.system.main]


def load(model: str | Path | System = DEFAULT_MODEL, *, parts: Sequence[str | Path] = ()) -> Model:
    """A model by name (``mezzotint models`` lists them), by the path of its folder, or as ``verify_system`` gave it.

    parts: where the parts come from that a checkpoint in one file lacks.
    Raises UsageError (unknown name), InputError (no model there), ModelError (a pickle, damaged, or not what it says).
    """
    places = [user_path(part) for part in parts]
    system = model if isinstance(model, System) else verify_system(describe_system(find(str(model)), places))
    if system.components is not None:
        more = () if system.refiner is None else load(system.refiner).stages
        return Model(system, (*family_of(system.components).stages(system), *more))
    return Model(system, tuple(_stage(system, k) for k in range(len(system.members))))


def wearing(model: Model, system: System) -> Model:
    """A loaded model for its own system with other things put on it: one copy of its weights serves both.

    Raises as ``load``.
    """
    if system is model.system:
        return model
    if system.components is not None or system.members is not model.system.members:
        return load(system)  # what a library's network is made of stays on the shelf
    stages = [replace(s, adapters=()) for s in model.stages if isinstance(s, StageModel)]
    stages[system.main] = replace(stages[system.main], adapters=system.adapters)
    return Model(system, tuple(stages))


def _stage(system: System, k: int) -> StageModel:
    """Stage k of a system of ours; adapters are for the main one."""
    described = system.members[k].described
    worn = system.adapters if k == system.main else ()
    return StageModel(described, load_described(described).network, worn)
