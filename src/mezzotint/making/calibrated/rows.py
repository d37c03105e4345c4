"""The rows that a solver is fitted on: seeds, and what the model is told of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.philox import check_seed
from mezzotint.errors import UsageError
from mezzotint.fewstep.problem import Problem, as_it_is, in_range
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.refine import null_of
from mezzotint.making.request import Request
from mezzotint.making.staged import stages_of
from mezzotint.pretrained.stage_model import schedule_of
from mezzotint.pretrained.system import System

SEEDS, APART = 2**62, 2**20
"""The first seed, far from those that people say, so that no picture of theirs was learnt from; and how far the first
ones of two calibrations lie apart."""


@dataclass(frozen=True)
class Rows:
    """How many are learnt from and held out, what prompts they share, and how many are computed together."""

    learnt: int
    held: int
    prompts: tuple[str, ...]
    batch: int
    seed: int

    @property
    def total(self) -> int:
        return self.learnt + self.held


def prompts_for(system: System, said: Sequence[str]) -> tuple[str, ...]:
    """As given; else every label of a class-conditional model, or nothing for one that is told nothing.

    Raises UsageError for a model of text without prompts.
    """
    if said:
        return tuple(dict.fromkeys(said))
    if system.labels:
        return tuple(label.name for label in system.labels)
    if system.text is not None or system.readers:
        raise UsageError(
            f"{system.name} is told texts: give some that you would ask for, one a line, with --prompts FILE"
        )
    return ("",)


def job_of(asked: Request, rows: Rows) -> Job:
    """The job of all rows; its pictures lie prompt by prompt.  Raises as ``prepare``."""
    check_seed(rows.seed)
    each = -(-rows.total // len(rows.prompts))
    job = prepare(Request(
        rows.prompts, model=asked.model, n=each, seed=SEEDS + APART * rows.seed,
        guidance_interval=asked.guidance_interval, batch=rows.batch,
        sampling=replace(asked.sampling, quality="standard", grid=None, mark="off", candidates=1, classifier_scale=0.0),
    ))  # fmt: skip
    if len({p.told.width for p in job.pictures}) > 1:
        raise UsageError("the prompts are of different lengths to the model; leave the longest ones out")
    return job


def problem_of(job: Job, rows: Rows) -> Problem:
    """The main stage of a job; row k has prompt k mod the number of them, so that those held out have all."""
    each = len(job.pictures) // len(rows.prompts)
    order = [job.pictures[k % len(rows.prompts) * each + k // len(rows.prompts)] for k in range(rows.total)]
    told = {p.prompt: p.told.conds(job.dtype) for p in job.pictures[::each]}
    null = next(iter(told.values()))[1]
    stage = stages_of(job, null_of(job.main, null))[job.model.system.main]
    return Problem(
        denoiser=stage.denoiser,
        schedule=schedule_of(job.main.model.spec),
        shape=stage.shape,
        seeds=tuple(p.seed for p in order),
        held=rows.held,
        cond=_conds([p.prompt for p in order], {text: cond for text, (cond, _) in told.items()}, job.device),
        device=job.device,
        batch=rows.batch,
        shown=in_range if isinstance(stage.codec, Pixels) else as_it_is,
    )


def _conds(texts: Sequence[str], told: Mapping[str, Cond], device: str) -> Callable[[Sequence[int]], Cond]:
    """Row numbers -> what they are told."""
    names = tuple(next(iter(told.values())))

    def cond(rows: Sequence[int]) -> Cond:
        return {name: torch.cat([told[texts[k]][name] for k in rows]).to(device) for name in names}

    return cond
