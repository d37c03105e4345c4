"""``distill``: a model that makes few calls, of one that makes many; kept where it is better than its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mezzotint import __version__
from mezzotint.errors import UsageError
from mezzotint.evaluation.features import extractor
from mezzotint.fewstep.held import Held, near_data, near_teacher
from mezzotint.fewstep.teacher import HaltedError
from mezzotint.fewstep.walks import Walks, ends
from mezzotint.files import canonical_json, make_folder, pretty_json, sha256, write_atomic
from mezzotint.making.calibrated.calibrate import Progressed, check_model, never, silent
from mezzotint.making.calibrated.rows import Rows, job_of, problem_of, prompts_for
from mezzotint.making.distilled.clock import Clock
from mezzotint.making.distilled.lesson import Lesson, captions_of, consistent, followed, opened_data
from mezzotint.making.distilled.settings import Settings
from mezzotint.making.distilled.write import ADAPTER, MODEL, Kept, finished, kept, write
from mezzotint.making.job import Job
from mezzotint.making.licensed import licensed_to
from mezzotint.making.opened import opened
from mezzotint.making.request import Request
from mezzotint.pretrained.system import System
from mezzotint.training.data.source import Data
from mezzotint.training.run import Outcome, Watch, fit

DOCUMENT, RUN, WALKS, CLOCK = "distill.json", "run", "walks", "processor.jsonl"


@dataclass(frozen=True, eq=False)
class Distillation:
    """What came of it.   file: the model's folder or the adapter's file, None where it was refused or stopped.
    document: as ``distill.json`` has it, {} where it was stopped."""

    folder: Path
    file: Path | None
    held: Held | None
    document: dict[str, Any]
    stopped: bool = False


def distilled(
    model: str | Path,
    settings: Settings,
    asked: Request,
    folder: Path,
    start: Literal["new", "resume"],
    data: Path | None,
    prompts: Sequence[str] = (),
    watch: Watch | None = None,
    progressed: Progressed = silent,
) -> Distillation:
    """Learns in ``folder``, checks, and writes ``model`` or ``adapter.safetensors`` and ``distill.json`` there.

    settings: as ``settings.checked`` gave them.  asked: scale, device, dtype, threads.  watch: of learning; its
    ``stop`` is asked while the teacher walks too.   Raises UsageError, InputError, ModelError, NonFiniteError (the
    teacher diverges, or the loss), StorageError.
    """
    watch = watch or Watch()
    check_folder(folder, start)
    system = opened(model)
    for note in licensed_to(system, "distil"):
        watch.say(note)
    check_model(system)
    pictures = None if data is None else opened_data(data)
    job, rows = _job(model, system, settings, asked, prompts, pictures)
    problem = problem_of(job, rows)
    clock = Clock(make_folder(folder) / CLOCK)
    try:
        lesson = _lesson(job, problem, rows, settings, pictures, folder, progressed, watch.stop)
    except HaltedError:
        clock.note(0)
        return Distillation(folder, None, None, {}, True)
    if not (folder / RUN).is_dir():
        clock.note(0)
    heard = replace(watch, report=clock.on(watch.report))
    outcome = fit(lesson.recipe, folder / RUN, lesson.data, start=start, device=job.device, watch=heard)
    clock.note(outcome.training.step)
    if outcome.reason == "stopped":
        return Distillation(folder, None, None, {}, True)
    return _judged(job, lesson, settings, outcome, folder, clock)


def check_folder(folder: Path, start: Literal["new", "resume"]) -> None:
    """Raises UsageError for a folder with what was distilled, and for one without a run to go on with."""
    for name in (MODEL, ADAPTER):
        if finished(folder / name):
            raise UsageError(f"{folder} holds what was distilled, {name}; choose another --out")
    there = (folder / RUN).is_dir() or (folder / WALKS).is_dir()
    if start == "resume" and not there:
        raise UsageError(f"{folder} holds no run of distill to go on with; leave --resume out to begin one")
    if start == "new" and there:
        raise UsageError(f"{folder} holds a run already; give --resume to go on with it, or another --out")


def _job(
    model: str | Path, system: System, said: Settings, asked: Request, prompts: Sequence[str], data: Data | None
) -> tuple[Job, Rows]:
    """The teacher's pictures: of trajectories all that are walked, else those of the check alone."""
    told = system.text is not None or bool(system.readers)
    captions = captions_of(data.train, said.held) if data is not None and told and not prompts else prompts
    texts = prompts_for(system, captions)
    rows = Rows(said.rows if data is None else 0, said.held, texts, said.together, said.seed)
    scale = asked.sampling.scale if data is None else 1.0
    sampling = replace(asked.sampling, solver="unipc:order=3", steps=said.teacher, scale=scale)
    return job_of(replace(asked, model=model, sampling=sampling), rows), rows


def _lesson(
    job: Job, problem: Any, rows: Rows, said: Settings, data: Data | None, folder: Path, progressed: Progressed,
    stop: Callable[[], bool] = never,
) -> Lesson:  # fmt: skip
    if data is not None:
        return consistent(job, problem, said, data)

    def report(done: int) -> None:
        progressed("teacher", done, rows.total, "walks")

    return followed(job, problem, said, folder / WALKS, report, stop, _key(job, rows, said))


def _key(job: Job, rows: Rows, said: Settings) -> str:
    """Of all that walks depend on."""
    about = [asdict(rows), said.teacher, said.calls, said.last, job.main.plan.scale, str(job.dtype), job.device]
    about += [job.main.model.config_sha256, job.main.model.described.weights_sha256, job.threads]
    return sha256(canonical_json(about))


def _judged(job: Job, lesson: Lesson, said: Settings, outcome: Outcome, folder: Path, clock: Clock) -> Distillation:
    """What was learnt, held against its start, and written where it holds."""
    found = kept(job, lesson, outcome)
    held = _held(job, lesson, found)
    document = _document(job, lesson, said, outcome, held, clock)
    file = write(job, lesson, said, found, folder, document) if held.holds else None
    document = {**document, "kept": file is not None, "file": None if file is None else file.name}
    write_atomic(folder / DOCUMENT, pretty_json(document))
    return Distillation(folder, file, held, document)


def _held(job: Job, lesson: Lesson, found: Kept) -> Held:
    problem, student = lesson.problem, found.stage.denoiser(job.device, job.dtype)
    held_out = lesson.data.held_out
    if isinstance(held_out, Walks):
        return near_teacher(problem, student, lesson.levels, lesson.solver, ends(held_out, problem.shape))
    assert lesson.pictures is not None
    codec = job.main.model.codec(job.device, job.dtype)
    return near_data(problem, student, lesson.levels, lesson.solver, codec, extractor(), lesson.pictures)


def _document(job: Job, lesson: Lesson, said: Settings, outcome: Outcome, held: Held, clock: Clock) -> dict[str, Any]:
    main = job.main
    return {
        "schema": "mezzotint/distill/1",
        "base": job.model.name,
        "base_sha256": main.model.described.weights_sha256,
        "scale": main.plan.scale,
        "calls": said.calls,
        "by": said.by,
        "as": said.form,
        "sampling": asdict(lesson.sampling),
        "settings": {**asdict(said), "rate": lesson.recipe.optimiser.rate},
        "held_out": held.said,
        "updates": outcome.training.step,
        "seconds": {"before": clock.lines[0][1], "all": clock.lines[-1][1]},
        "mezzotint": __version__,
    }
