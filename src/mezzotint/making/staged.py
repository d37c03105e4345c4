"""The stages of a job, ready to run: guided as it says, and begun from its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.codecs.base import Codec
from mezzotint.codecs.kl import KL
from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.guidance import (
    Autoguided,
    Guided,
    Inpainted,
    Interval,
    OwnNull,
    Telling,
    Thresholded,
    linear,
    sharing,
    together,
)
from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.diffusion.guidance.pair import Rule
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.sample import State
from mezzotint.diffusion.solver.held import Held
from mezzotint.making.begun import first_steps
from mezzotint.making.classified import classified, names
from mezzotint.making.job import Job, Planned
from mezzotint.making.refine import null_of
from mezzotint.pretrained.distilled import guided
from mezzotint.pretrained.recalling import recalling
from mezzotint.pretrained.refined import PREFIX
from mezzotint.pretrained.ruled import Ruled
from mezzotint.pretrained.spec import Choice, Spec
from mezzotint.pretrained.stage_model import SCHEDULES, StageModel, chosen
from mezzotint.pretrained.weak import Weak
from mezzotint.stage import (
    AWAY,
    Begin,
    Beside,
    Embed,
    Enlarge,
    Fed,
    Link,
    Lowres,
    Prefixed,
    Resized,
    Resume,
    Stage,
    keep,
)
from mezzotint.stage import steps as steps_of


def _guided(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> Denoiser:
    """A stage's denoiser, with guidance where it is on, kept in the range of its data where that is bounded."""
    denoiser = classified(job, planned, _unbounded(job, planned, null, heard))
    bounds = planned.model.spec.net.get("bounds")
    return denoiser if bounds is None else Thresholded(denoiser, *bounds)


def _unbounded(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> Denoiser:
    """The same without bounds, and without the ranker's."""
    model, scale = planned.model, planned.plan.scale
    cache = planned.plan.cache
    denoiser: Denoiser = recalling(model.denoiser(job.device, job.dtype, job.compiled), cache)
    if "guidance" in model.takes:
        return Telling(denoiser, {"guidance": torch.tensor([scale], device=job.device)})
    if scale == 1:
        return denoiser
    interval = planned.plan.interval
    guided = _by(job, planned, denoiser) or _away(job, planned, null, denoiser, heard)
    return guided if interval is None else Interval(guided, denoiser, *interval)


def _by(job: Job, planned: Planned, denoiser: Denoiser) -> Denoiser | None:
    """A denoiser guided by its weights or by a worse model; None where it is guided in the usual way."""
    by, scale = planned.plan.guidance, planned.plan.scale
    if by is None or isinstance(by, Ruled):
        return None
    if isinstance(by, Weak):
        weak = recalling(by.stage.denoiser(job.device, job.dtype, job.compiled), planned.plan.cache)
        return Autoguided(denoiser, weak, scale)
    assert isinstance(planned.model, StageModel)
    return recalling(guided(planned.model, by, scale, job.device, job.dtype, job.compiled), planned.plan.cache)


def _away(job: Job, planned: Planned, null: Cond, denoiser: Denoiser, heard: Heard | None) -> Denoiser:
    """A denoiser guided away from its null; that of an embedding is zero where nobody says another."""
    model, scale, by = planned.model, planned.plan.scale, planned.plan.guidance
    rule: Rule = by.rule(model.spec) if isinstance(by, Ruled) else linear
    if heard is not None and planned is job.main:
        rule = heard.around(rule)
    if "vector" in model.takes and model.spec.net.get("away") == "told" and "vector" not in null:
        return OwnNull(denoiser, scale, "vector", AWAY, together, rule)
    weak = {name: null[name].to(job.device) for name in model.takes if name in null}
    if "vector" in model.takes and "vector" not in weak:
        weak["vector"] = torch.zeros(1, job.stages[0].model.spec.shape[-1], device=job.device)
    return Guided(denoiser, scale, weak, rule, sharing if model.shares and not job.compiled else together)


def link_of(planned: Planned) -> Fed:
    """How a stage is fed; its network is told what it takes."""
    model, said = planned.model, dict(planned.link)
    links: dict[str, Link] = {"keep": keep, "vector": Embed()}
    takes = (*model.takes, *names(planned))
    if said["name"] == "handover":
        return Fed(Prefixed(PREFIX), takes)
    if said["name"] == "beside":
        return Fed(Prefixed(str(said.get("prefix", "")), _beside(model.spec, said)), takes)
    if said["name"] == "lowres":
        logsnr = torch.tensor(float(said["logsnr"]), dtype=torch.float64)
        level = Level(logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt())
        return Fed(Lowres(Enlarge(model.spec.shape[-2:]), level), takes)
    return Fed(links[str(said["name"])], (*takes, AWAY))


def _beside(spec: Spec, said: Choice) -> Beside:
    """A picture beside the state: at a level of the noise that the model knows, or as it is; enlarged if told how."""
    index = float(said.get("level", 0))
    level = Level(torch.tensor(1.0), torch.tensor(0.0))
    if "lowres" in spec.net:
        level = chosen("schedule", spec.net["lowres"], SCHEDULES).at(torch.tensor(index, dtype=torch.float64))
    enlarge = Resized(spec.shape[-2:], said["resize"]) if "resize" in said else None
    return Beside(level, index, enlarge)


def _networks(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> tuple[Denoiser, Codec]:
    """A stage's denoiser and codec, in tiles where the picture is larger than they see at once."""
    denoiser, codec = _guided(job, planned, null, heard), planned.model.codec(job.device, job.dtype)
    return (denoiser, codec) if job.canvas is None else (job.canvas.denoiser(denoiser), job.canvas.codec(codec))


def stages_of(job: Job, null: Cond, heard: Heard | None = None) -> list[Stage]:
    """The stages of a job, ready to run.   null: what is told in place of a prompt, of one row.   heard: listens to
    guidance of the main one."""
    parts = ((p, _networks(job, p, null_of(p, null), heard)) for p in job.stages)
    return [Stage(*two, p.plan.levels, p.plan.solver, link_of(p)) for p, two in parts]


def _edited(job: Job, stages: list[Stage]) -> tuple[list[Stage], Mapping[int, Begin]]:
    """The stages, those that begin from a picture kept to what is known, and where each of them begins."""
    made, begins = list(stages), dict[int, Begin]()
    for k, first in first_steps(job).items():
        assert job.edit is not None
        codec, clean = stages[k].codec, job.stages[k].model.spec.net.get("held") == "clean"
        known, kept = job.edit.known(codec, job.device), job.edit.kept(codec, job.device)
        if kept is not None:
            last = len(stages) if job.model.system.refiner is not None else k + 1
            made[k:last] = [_held(job, j, made[j], known, kept) for j in range(k, last)]
        if first > 0 or kept is None or clean:
            begins[k] = Begin(known, first)
    return made, begins


def _held(job: Job, k: int, stage: Stage, known: Tensor, kept: Tensor) -> Stage:
    """Stage k kept to what is known: by its network where that is told the mask, by its state where the family has it
    clean there, else by putting it into estimates."""
    model = job.stages[k].model
    if model.spec.net.get("held") == "clean":
        return replace(stage, solver=Held(stage.solver, known, kept))
    if job.edit is not None and isinstance(stage.codec, KL) and "masked" in model.takes:
        seen = job.edit.seen(stage.codec, str(model.spec.net["sees"]), job.device)
        return replace(stage, denoiser=Telling(stage.denoiser, seen))
    return replace(stage, denoiser=Inpainted(stage.denoiser, known, kept))


def _states(
    stage: Stage,
    k: int,
    cond: Cond,
    seeds: tuple[int, ...],
    previous: Tensor | None,
    device: str,
    begin: Begin | Resume | None,
    stop: int,
) -> Iterator[State]:
    """A trajectory up to a step, every step without gradients; the caller's own mode is left alone between steps."""
    with torch.inference_mode():
        walk = steps_of(stage, k, cond, seeds, previous, device, begin)
    while True:
        with torch.inference_mode():
            state = next(walk, None)
        if state is None:
            return
        yield state
        if state.i + 1 == stop:
            return


@dataclass(frozen=True)
class Ready:
    """A job's stages for prompts of one width, and where they begin from its picture."""

    job: Job
    stages: list[Stage]
    begins: Mapping[int, Begin]

    def walk(
        self, k: int, cond: Cond, previous: Tensor | None, resume: Resume | None, seeds: tuple[int, ...]
    ) -> Iterator[State]:
        """The steps of stage k that are run.

        cond, previous: of the rows of a batch; of more seeds the first are these rows', and then again and again.
        """
        times = len(seeds) // self.job.rows
        if times > 1:
            cond = {name: torch.cat([value] * times) for name, value in cond.items()}
            previous = None if previous is None else torch.cat([previous] * times)
        begin, stop = resume or self.begins.get(k), self.job.stages[k].run.stop
        return _states(self.stages[k], k, cond, seeds, previous, self.job.device, begin, stop)


def ready(job: Job, null: Cond, heard: Heard | None = None) -> Ready:
    return Ready(job, *_edited(job, stages_of(job, null, heard)))
