"""How often the networks of a job are evaluated."""

from __future__ import annotations

from mezzotint.making.job import Job, Planned
from mezzotint.pretrained.plan import Plan, guided_calls


def calls(job: Job) -> int:
    """Network calls a picture, over all stages; guidance makes two of each of the solver's."""
    return sum(_of(s.plan, s) for s in job.stages)


def run_calls(job: Job) -> int:
    """The same of the stages and steps that are run: not of those before a picture that is given."""
    begins = 0 if job.edit is None else job.edit.first(job.main.plan.steps)
    return sum(_of(s.plan, s, begins if s is job.main else 0) for s in job.running)


def _of(plan: Plan, stage: Planned, begins: int = 0) -> int:
    """Of a plan from a step on, its drafts among them."""
    each = guided_calls(stage.model.spec, plan.scale) if plan.guidance is None else plan.guidance.calls
    drafts = 0 if plan.draft is None else plan.candidates * _of(plan.draft, stage, begins)
    return sum(plan.calls[begins:]) * each + drafts
