"""``cost plan``: what a request would take here, by a short probe."""

from __future__ import annotations

from dataclasses import dataclass

from mezzotint.costs.plan import Plan, plan
from mezzotint.costs.prices import Prices, declared
from mezzotint.errors import UsageError
from mezzotint.making.calls import calls
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.probed import Told, probe, silent
from mezzotint.making.request import Request

SECONDS = 20.0
"""Of the probe."""


@dataclass(frozen=True)
class Costed:
    """A plan, the model it is for, the prices it was made with, and how many batches were made to see."""

    model: str
    plan: Plan
    prices: Prices
    probed: int


def cost_plan(asked: Request, seconds: float = SECONDS, told: Told = silent) -> Costed:
    """What the pictures of a request will cost on this machine.  Nothing is kept of what is made for it.

    seconds: of the probe.   told: how far it is.
    Raises UsageError (words, prices), InputError, ModelError, NonFiniteError.
    """
    prices, job = declared(), prepare(asked)
    if not isinstance(job, Job):
        raise UsageError("an exported model is not probed; plan with the model that it was exported from")
    found = probe(job, seconds, told)
    made = plan(len(job.pictures), len(job.batches), calls(job), found, prices)
    return Costed(job.model.system.name, made, prices, 1 + len(found.more))
