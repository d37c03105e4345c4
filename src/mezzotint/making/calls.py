"""How often the networks of a job are evaluated."""

from __future__ import annotations

from mezzotint.making.job import Job, Planned
from mezzotint.pretrained.plan import guided_calls


def calls(job: Job) -> int:
    """Network calls a picture, over all stages; guidance makes two of each of the solver's."""
    return sum(sum(s.plan.calls) * _times(s) for s in job.stages)


def run_calls(job: Job) -> int:
    """The same of the stages and steps that are run: not of those before a picture that is given."""
    begins = 0 if job.edit is None else job.edit.first(job.main.plan.steps)
    return sum(sum(s.plan.calls[(begins if s is job.main else 0) :]) * _times(s) for s in job.running)


def _times(stage: Planned) -> int:
    """Network calls for each of the solver's, over all candidates."""
    by = stage.plan.guidance
    each = guided_calls(stage.model.spec, stage.plan.scale) if by is None else by.calls
    return each * stage.plan.candidates
