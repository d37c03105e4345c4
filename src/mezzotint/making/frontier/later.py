"""What the stages after the first add to every picture, the same whatever way the first is sampled."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mezzotint.fewstep.frontier import Point
from mezzotint.making.calls import plan_calls
from mezzotint.making.image import Progress
from mezzotint.making.job import Job
from mezzotint.making.run import sampled
from mezzotint.pretrained.plan import Plan


@dataclass(frozen=True)
class Later:
    """calls: of their networks a picture, guidance counted.   seconds: of processor time a picture."""

    calls: int = 0
    seconds: float = 0.0


def later(job: Job, short: Plan) -> Later:
    """Of a job's later stages, by its first batch, whose first stage is sampled by a short plan.

    Raises NonFiniteError.
    """
    after = [stage for stage in job.stages if stage is not job.main]
    if not after:
        return Later()
    stages = tuple(replace(stage, plan=short) if stage is job.main else stage for stage in job.stages)
    batch = job.batches[0]
    seconds = _seconds(replace(job, pictures=batch, stages=stages))
    return Later(sum(plan_calls(one.plan, one.model.spec, one.run) for one in after), seconds / len(batch))


def with_later(points: Sequence[Point], rest: Later) -> tuple[Point, ...]:
    """Points of the first stage as what whole pictures take."""
    return tuple(replace(p, calls=p.calls + rest.calls, seconds=p.seconds + rest.seconds) for p in points)


def _seconds(job: Job) -> float:
    """Of processor time from the end of the main stage to the last picture."""
    began = time.process_time()
    for event in sampled(job):
        if isinstance(event, Progress) and event.stage == job.model.system.main:
            began = time.process_time()
    return time.process_time() - began
