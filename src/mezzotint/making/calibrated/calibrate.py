"""``calibrate``: learned solvers for a model, each kept as a side-car where it is better than its start."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mezzotint import __version__
from mezzotint.diffusion.spread import rectified
from mezzotint.errors import UsageError
from mezzotint.fewstep.bases import BOTTOMS, CLEAN, above_data
from mezzotint.fewstep.calibrated import Calibrated, calibrate
from mezzotint.fewstep.fit import Recipe, Report, Watch
from mezzotint.fewstep.gits import costs
from mezzotint.fewstep.gits import path as shortest
from mezzotint.fewstep.memory import frugal
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import HaltedError, Teacher, taught
from mezzotint.files import canonical_json, sha256
from mezzotint.making.calibrated.counts import TEACHER, check_calls
from mezzotint.making.calibrated.losses import LOSSES, loss_for
from mezzotint.making.calibrated.rows import Rows, job_of, problem_of, prompts_for
from mezzotint.making.job import Job
from mezzotint.making.opened import opened
from mezzotint.making.request import Request
from mezzotint.pretrained.plan import preset
from mezzotint.pretrained.sidecar import SideCar, home_of, write
from mezzotint.pretrained.spaced import grid_path, read_grid, write_grid
from mezzotint.pretrained.system import System

BENT = 64
"""Rows whose trajectories are looked at for grids."""

FEW = 4
"""A model that is published for as many steps, or fewer, has been distilled to them."""

Progressed = Callable[[str, int, int, str], None]
"""(what, done, of how many, a note)."""


@dataclass(frozen=True)
class Settings:
    """How solvers are made.

    learnt, held: rows.  teacher: its steps.  recipe: of the fit.  batch: rows computed together.  loss: its name
    (``losses.LOSSES``), None for the one that suits the model.
    """

    learnt: int = 1024
    held: int = 128
    teacher: int = TEACHER
    recipe: Recipe = field(default_factory=Recipe)
    batch: int = 16
    loss: str | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Made:
    """One solver.   file: its side-car, None where it was refused.  seconds: of processor time, less the teacher's."""

    found: Calibrated
    file: Path | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """What came of it.   teacher: its name.  seconds: of processor time for its pictures.  stopped: before the end."""

    model: str
    scale: float
    teacher: str
    seconds: float
    made: tuple[Made, ...]
    stopped: bool = False


def silent(what: str, done: int, total: int, note: str) -> None:
    """Nobody is told."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


def check_undistilled(system: System) -> None:
    """Raises UsageError for a model that says of itself to what it is distilled."""
    one = system.members[system.main].described.spec.distilled
    if one is not None:
        raise UsageError(
            f"{system.name} is already distilled, to {one.calls} calls by {one.by}; use what it was made of, {one.base}"
        )


def check_model(system: System) -> None:
    """Raises UsageError for a model that is distilled already, or whose main stage is not the first."""
    check_undistilled(system)
    usual = preset(system.members[system.main].described.spec, "standard")
    if usual.steps <= FEW or usual.solver.startswith("lcm"):
        raise UsageError(
            f"{system.name} is already distilled: it is sampled in {usual.steps} steps as it is; take the model"
            " that it was made of"
        )
    if system.main != 0 or system.refiner is not None:
        raise UsageError(f"{system.name} makes its pictures from another stage's; a first stage alone can be taken")


def calibrated(
    model: str | Path,
    calls: Sequence[int],
    settings: Settings,
    asked: Request,
    prompts: Sequence[str] = (),
    progressed: Progressed = silent,
    stop: Callable[[], bool] = never,
) -> Calibration:
    """Fits a solver for each number of calls and keeps those that hold; what is done is kept, the same call goes on.

    asked: scale, device, dtype, threads.   Raises UsageError, InputError, ModelError, NonFiniteError (the teacher
    diverges, or the fit), StorageError.
    """
    numbers = check_calls(calls, settings.teacher)
    system = opened(model)
    check_model(system)
    texts = prompts_for(system, prompts)
    rows = Rows(settings.learnt, settings.held, texts, settings.batch, settings.seed)
    taken = replace(
        asked,
        model=model,
        sampling=replace(asked.sampling, solver="unipc:order=3", steps=settings.teacher),
    )
    job = job_of(taken, rows)
    plan = job.main.plan
    problem = problem_of(job, rows)
    settings = replace(settings, loss=loss_for(job.main.model.codec(job.device, job.dtype), settings.loss))
    teacher = Teacher(f"UniPC-3 in {settings.teacher} steps", plan.solver, plan.levels)
    folder = home_of(job.main.model.described.weights_sha256) / "work" / _key(job, rows, settings.teacher)
    made: list[Made] = []
    began = time.process_time()
    try:
        ends = taught(problem, teacher, folder, lambda n, of: progressed("teacher", n, of, "pictures"), stop)
        _keep_grids(job, problem, teacher)
        spent = time.process_time() - began
        made.extend(_one(job, problem, ends, n, settings, folder, teacher, progressed, stop) for n in numbers)
    except HaltedError:
        return Calibration(system.name, plan.scale, teacher.name, time.process_time() - began, tuple(made), True)
    return Calibration(system.name, plan.scale, teacher.name, spent, tuple(made))


def _keep_grids(job: Job, problem: Problem, teacher: Teacher) -> None:
    """GITS grids of every number of steps below the teacher's, for ``--grid auto``; made once."""
    paths = {n: _grid_path(job, n) for n in range(2, len(teacher.levels) - 1)}
    if all(path.is_file() for path in paths.values()):
        return
    found, u = costs(problem, teacher, problem.learnt[:BENT]), rectified(teacher.levels)
    for n, path in paths.items():
        write_grid(path, "gits", tuple(u[shortest(found, n)].tolist()))


def _grid_path(job: Job, n: int) -> Path:
    return grid_path(job.main.model.described.weights_sha256, "gits", n, job.main.plan.scale)


def _one(
    job: Job, problem: Problem, ends: Any, n: int, settings: Settings, folder: Path, teacher: Teacher,
    progressed: Progressed, stop: Callable[[], bool],
) -> Made:  # fmt: skip
    """The solver of n calls, written where it holds."""
    began = time.process_time()

    def report(r: Report) -> None:
        progressed(f"{n} calls", r.step, r.steps, f"loss {r.loss:.4f}")

    recipe, loss = replace(settings.recipe, seed=settings.seed), LOSSES[str(settings.loss)]
    where = folder / f"{n}-{sha256(canonical_json([asdict(recipe), settings.loss]))[:12]}"
    watch = Watch(report, stop)
    u = read_grid(_grid_path(job, n))[1]
    bent = {f"gits to {end:g}": above_data(u, end) for end in (CLEAN, max(BOTTOMS))}
    found = calibrate(problem, ends, n, recipe, loss, where, watch, frugal(problem, n, recipe.batch), bent)
    seconds = time.process_time() - began
    if not found.checked.holds:
        return Made(found, None, seconds)
    return Made(found, write(_side_car(job, found, teacher, recipe, settings)), seconds)


def _side_car(job: Job, found: Calibrated, teacher: Teacher, recipe: Recipe, settings: Settings) -> SideCar:
    stage = job.main
    how = {"teacher": teacher.name, "rows": [settings.learnt, settings.held], "loss": settings.loss, **asdict(recipe)}
    return SideCar(
        model=job.model.name,
        weights_sha256=stage.model.described.weights_sha256,
        scale=stage.plan.scale,
        shape=tuple(stage.model.spec.shape),
        dtype=str(job.dtype).removeprefix("torch."),
        solver=found.solver,
        u=found.u,
        measured={**found.measured, "fit": how, "mezzotint": __version__},
        classifier_scale=stage.plan.classifier_scale,
    )


def _key(job: Job, rows: Rows, teacher: int) -> str:
    """Of all that end points depend on."""
    said = [asdict(rows), teacher, job.main.plan.scale, list(job.main.model.spec.shape), str(job.dtype), job.device]
    said += [job.main.model.config_sha256, dict(job.main.plan.grid_choice), job.threads]
    return sha256(canonical_json(said))[:16]
