"""``guide``: classifier-free guidance learnt into a small change of the weights, kept where it holds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mezzotint import __version__
from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.errors import UsageError
from mezzotint.fewstep.course import Course
from mezzotint.fewstep.fit import Report, Watch
from mezzotint.fewstep.guide import EVERYWHERE, Lesson, Recipe, Student, fit
from mezzotint.fewstep.problem import Problem
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.files import canonical_json, sha256
from mezzotint.making.calibrated.calibrate import check_model
from mezzotint.making.calibrated.rows import Rows, job_of, problem_of, prompts_for
from mezzotint.making.guided.checked import Checked, checked, measured
from mezzotint.making.job import Job
from mezzotint.making.licensed import licensed_to
from mezzotint.making.opened import opened
from mezzotint.making.request import Request
from mezzotint.nets.adapters import scaled
from mezzotint.nets.build import parameter_count
from mezzotint.pretrained.distilled import About, home_of, write
from mezzotint.pretrained.plan import preset
from mezzotint.pretrained.stage_model import StageModel, frozen, parametrisation_of
from mezzotint.pretrained.system import System
from mezzotint.pretrained.tunable import weight_of

SCALES = 4
"""How many of a range are learnt from: what is between follows from the form of the change."""

STORED = torch.float16
"""Of the tensors in the file."""

Progressed = Callable[[str, int, int, str], None]
"""(what, done, of how many, a note)."""


@dataclass(frozen=True)
class Settings:
    """How it is made.   learnt, held: rows.  batch: rows of the held-out check computed together."""

    learnt: int = 4096
    held: int = 64
    recipe: Recipe = field(default_factory=Recipe)
    batch: int = 32
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Guide:
    """What came of it.

    scales: the lowest and the highest.  interval: of sigma/alpha, None for everywhere.  share: how many numbers it has,
    of the network's.  checked: at each scale that was learnt from; () where it was stopped.  file: None where it was
    refused, or stopped.  seconds: of processor time.
    """

    model: str
    scales: tuple[float, float]
    interval: tuple[float, float] | None
    share: float
    checked: tuple[Checked, ...]
    file: Path | None
    seconds: float
    stopped: bool = False


def check_scales(system: System, said: tuple[float, float] | None) -> tuple[float, float]:
    """(lowest, highest); None is the model's preset.  Raises UsageError where there is nothing to learn."""
    usual = float(preset(system.members[system.main].described.spec, "standard").scale)
    low, high = (usual, usual) if said is None else said
    if said is None and usual == 1:
        raise UsageError(f"{system.name} is not guided by its preset; say for which scale, such as --scale 2")
    if not 1 <= low <= high or not 1 < high < math.inf:
        raise UsageError(f"scale {low:g} to {high:g}: expected 1 <= LOW <= HIGH, and HIGH above 1: 1 is off")
    return low, high


def learnt_at(low: float, high: float) -> tuple[float, ...]:
    """The scales of a range that are learnt from; 1 teaches nothing."""
    if low == high:
        return (high,)
    even = torch.linspace(low, high, SCALES, dtype=torch.float64).tolist()
    return tuple(s for s in even if s > 1)


def guided(
    model: str | Path,
    scales: tuple[float, float] | None,
    settings: Settings,
    asked: Request,
    prompts: Sequence[str],
    progressed: Progressed,
    stop: Callable[[], bool],
) -> Guide:
    """Fits the change and keeps it where it holds; what is done is kept, the same call goes on.

    asked: guidance_interval, device, dtype, threads.   Raises UsageError, InputError, ModelError, NonFiniteError,
    StorageError.
    """
    system = opened(model)
    licensed_to(system, "fine_tune")
    check_model(system)
    low, high = check_scales(system, scales)
    each = learnt_at(low, high)
    rows = Rows(settings.learnt, settings.held, prompts_for(system, prompts), settings.batch, settings.seed)
    jobs = [job_of(replace(asked, model=model, sampling=replace(asked.sampling, scale=s)), rows) for s in each]
    problems = [problem_of(job, rows) for job in jobs]
    student, interval = _student(jobs[-1], settings.recipe.rank), jobs[-1].main.plan.interval
    share = scaled.count(student.known(), student.rank) / parameter_count(student.net)
    made = Guide(system.name, (low, high), interval, share, (), None, 0.0)
    began = time.process_time()
    try:
        theta = _fitted(student, jobs, problems, settings, rows, progressed, stop)
    except HaltedError:
        return replace(made, seconds=time.process_time() - began, stopped=True)
    base = Preconditioned(student.net, student.parametrisation)
    pairs = zip(jobs, problems, each, strict=True)
    with torch.no_grad():
        found = tuple(checked(p, job.main.plan, base, student.denoiser(theta, s)) for job, p, s in pairs)
    made = replace(made, checked=found, seconds=time.process_time() - began)
    if not all(one.holds for one in found):
        return made
    about = _about(jobs[-1], made, settings)
    return replace(made, file=write(about, student.changes(theta), STORED))


def _student(job: Job, rank: int) -> Student:
    stage = job.main.model
    if not isinstance(stage, StageModel):
        raise UsageError(f"{stage.name} is not of this package's own kind of folder; guide takes those alone")
    net = frozen(stage.network, job.device, job.dtype)
    bounds = job.main.plan.interval or EVERYWHERE
    return Student(net, parametrisation_of(stage.spec), rank, job.main.plan.scale, bounds)


def _fitted(
    student: Student, jobs: Sequence[Job], problems: Sequence[Problem], settings: Settings, rows: Rows,
    progressed: Progressed, stop: Callable[[], bool],
) -> Tensor:  # fmt: skip
    """The vector, as the file will have it."""
    recipe, n = replace(settings.recipe, seed=settings.seed), len(jobs)
    courses = [Course(p, job.main.plan.levels, k, n) for k, (p, job) in enumerate(zip(problems, jobs, strict=True))]
    lesson = Lesson([job.main.plan.scale for job in jobs], courses, weight_of(jobs[-1].main.model.spec))
    folder = home_of(jobs[-1].main.model.described.weights_sha256) / "work" / _key(jobs, rows, recipe)

    def report(r: Report) -> None:
        progressed("guidance", r.step, r.steps, f"loss {r.loss:.4f}")

    return fit(student, lesson, recipe, folder, Watch(report, stop)).to(STORED).float()


def _about(job: Job, made: Guide, settings: Settings) -> About:
    stage = job.main.model
    how = {"rows": [settings.learnt, settings.held], **asdict(settings.recipe), "share": made.share}
    return About(
        model=made.model,
        weights_sha256=stage.described.weights_sha256,
        scales=made.scales,
        interval=made.interval,
        shape=tuple(stage.spec.shape),
        dtype=str(job.dtype).removeprefix("torch."),
        measured={"held_out": measured(made.checked), "fit": how, "mezzotint": __version__},
    )


def _key(jobs: Sequence[Job], rows: Rows, recipe: Recipe) -> str:
    """Of all that the fit depends on."""
    one, plan = jobs[-1], jobs[-1].main.plan
    bounds = None if plan.interval is None else [str(b) for b in plan.interval]
    said: list[Any] = [
        asdict(rows),
        asdict(recipe),
        [job.main.plan.scale for job in jobs],
        bounds,
        str(one.dtype),
        one.device,
    ]
    said += [one.main.model.config_sha256, plan.steps, dict(plan.grid_choice), one.threads]
    return sha256(canonical_json(said))[:16]
