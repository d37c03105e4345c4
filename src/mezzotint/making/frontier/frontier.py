"""``mz.frontier``: a model's frontier, measured and kept, where ``quality`` finds it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mezzotint import __version__
from mezzotint.config import DEFAULT_MODEL, QUALITIES
from mezzotint.diffusion.aliases import resolve
from mezzotint.errors import UsageError
from mezzotint.evaluation.features import extractor
from mezzotint.evaluation.kernel import LEAST
from mezzotint.fewstep.frontier import RULE, Point, Setting, pareto, recommended
from mezzotint.fewstep.teacher import HaltedError, Teacher, taught
from mezzotint.files import canonical_json, sha256
from mezzotint.making.calibrated.calibrate import Progressed, check_undistilled, never, silent
from mezzotint.making.calibrated.rows import Rows, job_of, problem_of, prompts_for
from mezzotint.making.frontier.later import Later, later, with_later
from mezzotint.making.frontier.measure import Bench, all_measured
from mezzotint.making.job import Job
from mezzotint.making.opened import opened
from mezzotint.making.request import Request, Sampling
from mezzotint.making.spaced import planned
from mezzotint.pretrained.frontier import SCHEMA, frontier_path, write_frontier
from mezzotint.pretrained.learned import Asked
from mezzotint.pretrained.plan import Plan, guided_calls, named, preset
from mezzotint.pretrained.sidecar import kept
from mezzotint.pretrained.system import System

SOLVERS = ("ddim", "dpmpp-2m", "dpmpp-3m", "unipc", "unipc:order=3", "deis", "ipndm", "heun")
"""Deterministic ones, whose ends can be held against those of many steps from the same noise."""

STEPS = (4, 5, 6, 8, 10, 15, 20)
EXACT = 100
BATCH = 16


@dataclass(frozen=True, eq=False)
class Frontier:
    """What came of it.   points: all; a setting that cannot run on the model's grid is left out.  kept: where
    ``quality`` finds it.  document: as it is kept there.  stopped: before the end, when there are no points.
    later: what stages after the first take, which every point has in it."""

    model: str
    scale: float
    points: tuple[Point, ...] = ()
    recommended: Mapping[str, Point] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    kept: Path | None = None
    stopped: bool = False
    later: Later = field(default_factory=Later)


def frontier(
    model: str | Path = DEFAULT_MODEL,
    *,
    solvers: Sequence[str] = SOLVERS,
    steps: Sequence[int] = STEPS,
    scale: float | None = None,
    prompts: Sequence[str] = (),
    n: int = 256,
    exact: int = EXACT,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "fastest",
    threads: int | None = None,
    progressed: Progressed = silent,
    stop: Callable[[], bool] = never,
) -> Frontier:
    """Measures what a model's pictures cost and how far they are from those of many steps, for every solver.

    Every setting is given the same n noises; its ends are held against those of ``exact`` steps of UniPC-3 from the
    same noise (root mean squared), and its pictures against ``exact``-step pictures from n other noises (kernel
    distance), both as they are shown.  Calls and seconds are of every stage; candidates are not drawn and a ranker
    does not guide.  The model's own presets, learned solvers and ``--grid auto`` are among the settings.  What is
    measured is kept, so that a call that was stopped goes on; ``quality`` draft | standard | best then takes, for this
    model at this scale, the cheapest setting that is as good as the model's own preset (``fewstep.frontier.RULE``).

    Args: solvers, steps: tried, by the words of ``generate``.  prompts: of a model of text; a class-conditional one
        takes its labels.  progressed: told (what, done, of how many, a note).
    Raises: UsageError (words; fewer pictures than a kernel distance needs), InputError, ModelError, NonFiniteError,
    StorageError.
    """
    if n < LEAST:
        raise UsageError(f"n is {n}; a kernel distance needs {LEAST} pictures or more")
    if not steps or min(steps) < 1 or max(steps) >= exact:
        raise UsageError(
            f"steps are {list(steps)}; expected numbers from 1 to below {exact}, the steps they are held to"
        )
    system = opened(model)
    _check(system)
    rows = Rows(n, n, prompts_for(system, prompts), BATCH, seed)
    sampling = Sampling(steps=exact, scale=scale, solver="unipc:order=3", device=device, dtype=dtype, threads=threads)
    job = job_of(Request("", model=model, sampling=sampling), rows)
    plans, own = settings_of(job, solvers, steps, scale)
    work = frontier_path(_hash(job), job.main.plan.scale).with_suffix("") / _key(job, rows, exact)
    problem = problem_of(job, rows)
    truth = Teacher(f"UniPC-3 in {exact} steps", job.main.plan.solver, job.main.plan.levels)
    stopped = Frontier(system.name, job.main.plan.scale, stopped=True)
    try:
        ends = taught(problem, truth, work, lambda k, of: progressed("many steps", k, of, "pictures"), stop)
    except HaltedError:
        return stopped
    each = guided_calls(job.main.model.spec, job.main.plan.scale)
    bench = Bench(problem, ends, job.main.model.codec(job.device), extractor(), each, work)
    total = len(plans)
    points = all_measured(bench, plans, lambda k, s: progressed("settings", k, total, str(s)), stop)
    if points is None:
        return stopped
    rest = later(job, plans[0][1])
    whole = with_later(points, rest)
    found = Frontier(system.name, stopped.scale, whole, recommended(whole, own), later=rest)
    said = _document(found, job, bench.features.distances[1], n, exact)
    return replace(found, document=said, kept=write_frontier(frontier_path(_hash(job), found.scale), said))


def _check(system: System) -> None:
    """Raises UsageError for a model whose main stage is not its first, or that is distilled."""
    check_undistilled(system)
    if system.main != 0 or system.refiner is not None:
        raise UsageError(f"{system.name} makes its pictures from another stage's; frontier takes a first stage alone")


def _hash(job: Job) -> str:
    return job.main.model.described.weights_sha256


def settings_of(
    job: Job, solvers: Sequence[str], steps: Sequence[int], scale: float | None
) -> tuple[list[tuple[Setting, Plan]], dict[str, Setting]]:
    """(every setting with its plan, quality -> the model's own).  Raises UsageError for a name that is no solver's."""
    for solver in solvers:
        resolve(*named(solver))
    described, spec = job.main.model.described, job.main.model.spec
    own = {quality: Setting("", "", preset(spec, quality).steps) for quality in QUALITIES}
    asked = list(dict.fromkeys(own.values()))
    asked += [Setting(solver, grid, k) for solver in solvers for grid in ("", "auto") for k in steps]
    asked += [Setting("learned", "", calls) for calls, s in sorted(kept(described)) if s == job.main.plan.scale]
    found: list[tuple[Setting, Plan]] = []
    for one in asked:
        words = Asked(solver=one.solver or None, grid=one.grid or None, steps=one.steps, scale=scale)
        try:
            plan, remark = planned(described, spec, words)
        except UsageError:  # a solver that this model's grid has no room for
            continue
        found += [] if remark else [(one, plan)]
    return found, own


def _key(job: Job, rows: Rows, exact: int) -> str:
    """Of all that points depend on beside their words."""
    said = [asdict(rows), exact, job.main.plan.scale, list(job.main.model.spec.shape), str(job.dtype), job.device]
    return sha256(canonical_json([*said, job.main.model.config_sha256]))[:16]


def _document(found: Frontier, job: Job, metric: str, n: int, exact: int) -> dict[str, Any]:
    """What is infinite is None."""
    return {
        "schema": SCHEMA,
        "model": found.model,
        "weights_sha256": _hash(job),
        "scale": found.scale,
        "classifier_scale": job.main.plan.classifier_scale,
        "shape": list(job.main.model.spec.shape),
        "dtype": str(job.dtype).removeprefix("torch."),
        "n": n,
        "exact": exact,
        "metric": metric,
        "rule": RULE,
        "later": asdict(found.later),
        "points": [_point(p) for p in found.points],
        "pareto": [asdict(p.setting) for p in pareto(found.points)],
        "recommended": {quality: asdict(p.setting) for quality, p in found.recommended.items()},
        "mezzotint": __version__,
    }


def _point(p: Point) -> dict[str, Any]:
    def said(value: float) -> float | None:
        return value if math.isfinite(value) else None

    kernel = {name: said(value) for name, value in asdict(p.kernel).items()}
    return {**asdict(p.setting), "calls": p.calls, "seconds": p.seconds, "distance": said(p.distance), "kernel": kernel}
