"""How often the networks of a job are evaluated."""

from __future__ import annotations

from mezzotint.diffusion.guidance.interval import inside
from mezzotint.diffusion.level import Level
from mezzotint.making.job import Job
from mezzotint.pretrained.plan import Plan, guided_calls
from mezzotint.pretrained.spec import Spec


def calls(job: Job) -> int:
    """Network calls a picture, over all stages; guidance makes two of each of the solver's where it is on."""
    return sum(plan_calls(s.plan, s.model.spec, s.run) for s in job.stages)


def run_calls(job: Job) -> int:
    """The same of the stages and steps that are run: not of those before a picture that is given."""
    begins = 0 if job.edit is None else job.edit.first(job.main.plan.steps)
    steps = ((s, range(max(begins, s.run.start), s.run.stop) if s is job.main else s.run) for s in job.running)
    return sum(plan_calls(s.plan, s.model.spec, some) for s, some in steps)


def plan_calls(plan: Plan, spec: Spec, steps: range | None = None) -> int:
    """Of some steps of a plan, None is all, and of its drafts, which begin where it does."""
    some = range(plan.steps) if steps is None else steps
    each = sum(_calls_at(plan, spec, level) for k in some for level in plan.asked[k])
    draft = plan.draft
    return each if draft is None else each + plan.candidates * plan_calls(draft, spec, range(some.start, draft.steps))


def _calls_at(plan: Plan, spec: Spec, level: Level) -> int:
    if plan.interval is not None and not bool(inside(level, *plan.interval).any()):
        return 1
    return guided_calls(spec, plan.scale) if plan.guidance is None else plan.guidance.calls
