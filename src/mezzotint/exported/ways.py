"""The ways to sample that an export holds: the model's presets, and what is asked for beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from mezzotint.diffusion.aliases import ROWS
from mezzotint.errors import UsageError
from mezzotint.exported.plan import Way
from mezzotint.exported.solved import program
from mezzotint.governance.receipt import StageMade
from mezzotint.making.recalled.sampling import sampling_of
from mezzotint.making.spaced import AUTO, planned
from mezzotint.pretrained.learned import INSTEAD, NAME, Asked
from mezzotint.pretrained.model import AnyStage
from mezzotint.pretrained.plan import Plan, levels_hash, plan
from mezzotint.pretrained.spec import QUALITIES, Spec
from mezzotint.pretrained.stage_model import parametrisation_of


def ways_of(
    stage: AnyStage, solvers: Sequence[str] = (), grid: str | None = None, steps: Sequence[int] = ()
) -> tuple[Way, ...]:
    """The presets of a stage, then each solver in each number of steps; None and () are the standard preset's.

    An export has no ranker: learned solvers and optimised grids are those of runs without its guidance.
    Raises UsageError: words that are wrong, a grid without solver or steps, a solver that cannot be exported, or that
    was not made for these steps and the model's own scale.
    """
    spec = stage.spec
    if grid is not None and not (solvers or steps):
        raise UsageError("--grid is for further ways to sample; give --steps or --solver with it")
    made: dict[tuple[str, str], Way] = {}
    for quality in QUALITIES:
        _add(made, spec, plan(spec, quality=quality), None, quality)
    if solvers or steps:
        names: Sequence[str | None] = solvers or (None,)
        counts: Sequence[int | None] = steps or (None,)
        for name, n in product(names, counts):
            _add(made, spec, _spoken(stage, Asked(solver=name, grid=grid, steps=n)), name)
    return tuple(made.values())


def _spoken(stage: AnyStage, asked: Asked) -> Plan:
    """The plan of words, that of ``generate``.  Raises UsageError where that would take another solver than is said."""
    found, remark = planned(stage.described, stage.spec, asked)
    if remark:
        raise UsageError(f"{remark.removesuffix(INSTEAD)}; nothing is exported")
    return found


def _add(made: dict[tuple[str, str], Way], spec: Spec, found: Plan, said: str | None, quality: str = "") -> None:
    """One more way, or one more name of a way that is there."""
    key = (str(found.solver_choice), levels_hash(found.levels))
    way = made.get(key) or _way(spec, found)
    names = () if said is None or said in way.names else (said,)
    made[key] = replace(way, names=(*way.names, *names), qualities=(*way.qualities, *filter(None, (quality,))))


def _way(spec: Spec, found: Plan) -> Way:
    digest = levels_hash(found.levels)
    names, grids = _words(spec, found, digest)
    return Way(
        names=names,
        grids=grids,
        qualities=(),
        steps=found.steps,
        scale=found.scale,
        solver=found.solver_choice,
        grid=found.grid_choice,
        levels_sha256=digest,
        program=program(found.solver, found.levels, parametrisation_of(spec)),
    )


def _words(spec: Spec, found: Plan, digest: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of the solver, names of the grid); of a learned solver and of an optimised grid each has one."""
    if found.solver_choice["name"] == NAME:
        return (NAME,), (NAME,)
    solver, grid = sampling_of(_receipt(found, digest))
    assert solver is not None and grid is not None
    if found.grid_choice["name"] == AUTO and "u" in found.grid_choice:
        return (solver,), (AUTO,)
    names = dict.fromkeys((solver, *_names(spec, found, grid)))
    return tuple(names), tuple(dict.fromkeys((grid, str(found.grid_choice["name"]))))


def _receipt(found: Plan, digest: str) -> StageMade:
    """What a receipt would say of how it is sampled."""
    return StageMade("", "", "", "", {}, found.solver_choice, found.grid_choice, digest, found.steps, 1.0, ())


def _names(spec: Spec, found: Plan, grid: str) -> list[str]:
    """Every name by which the same solver would be asked for, on the model's grid or on this one."""
    return [row.name for row in ROWS if row.tool != "diffusers" and _same(spec, found, row.name, grid)]


def _same(spec: Spec, found: Plan, name: str, grid: str) -> bool:
    for label in (None, grid):
        try:
            other = plan(spec, solver=name, grid=label, steps=found.steps)
        except UsageError:
            continue
        if other.solver == found.solver and levels_hash(other.levels) == levels_hash(found.levels):
            return True
    return False
