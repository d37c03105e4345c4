"""How often the networks of a job are evaluated."""

from __future__ import annotations

from mezzotint.diffusion.guidance.interval import inside
from mezzotint.diffusion.level import Level
from mezzotint.making.job import Job
from mezzotint.pretrained.plan import Plan, guided_calls
from mezzotint.pretrained.spec import Spec


def calls(job: Job) -> int:
    """Network calls a picture, over all stages; guidance makes two of each of the solver's where it is on."""
    return sum(plan_calls(s.plan, s.model.spec) for s in job.stages)


def run_calls(job: Job) -> int:
    """The same of the stages and steps that are run: not of those before a picture that is given."""
    begins = 0 if job.edit is None else job.edit.first(job.main.plan.steps)
    return sum(plan_calls(s.plan, s.model.spec, begins if s is job.main else 0) for s in job.running)


def plan_calls(plan: Plan, spec: Spec, begins: int = 0) -> int:
    """Of a plan from a step on, its drafts among them."""
    each = sum(_calls_at(plan, spec, level) for step in plan.asked[begins:] for level in step)
    drafts = 0 if plan.draft is None else plan.candidates * plan_calls(plan.draft, spec, begins)
    return each + drafts


def _calls_at(plan: Plan, spec: Spec, level: Level) -> int:
    if plan.interval is not None and not bool(inside(level, *plan.interval).any()):
        return 1
    return guided_calls(spec, plan.scale) if plan.guidance is None else plan.guidance.calls
