"""A job's batches made for a while, to see what they take here; the pictures are thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from statistics import fmean

from mezzotint.costs.plan import Probe
from mezzotint.errors import UsageError
from mezzotint.making.image import Progress
from mezzotint.making.job import Job
from mezzotint.making.run import unreleased

LEAST, STEPS = 2, 4
"""Batches, where they fit: the first is like no other.  Steps of one, where not even that does."""

Told = Callable[[float, int], None]
"""(seconds so far, batches so far)."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a batch; of one that was left in the middle, ``usual`` is what it takes without its first step."""

    seconds: float
    usual: float | None = None


def silent(seconds: float, batches: int) -> None:
    """Nobody is told."""


def probe(job: Job, seconds: float, told: Told = silent) -> Probe:
    """What batches take: as many as begin within ``seconds``, around and around, and two at least.

    A batch that is too long for that is left when the time is up, and is worth its steps: all but the first take alike.
    Raises UsageError unless 0 < seconds <= 3600, NonFiniteError.
    """
    if not 0 < seconds <= 3600:
        raise UsageError(f"--probe {seconds:g}: expected seconds above 0, at most 3600")
    began, found = time.perf_counter(), list[Taken]()
    for batch in cycle(job.batches):
        found.append(_batch(replace(job, pictures=batch), began + seconds))
        spent = time.perf_counter() - began
        told(spent, len(found))
        if found[-1].usual is not None or (spent >= seconds and len(found) >= LEAST):
            break
    last = found[-1].usual
    more = [one.seconds for one in found[1:] if one.usual is None]
    return Probe(found[0].seconds, tuple(more if more or last is None else [last]), job.rows)


def _batch(job: Job, until: float) -> Taken:
    """One batch, left after ``STEPS`` steps once the time is up."""
    began, ends = time.perf_counter(), list[float]()
    for event in unreleased(job):
        if isinstance(event, Progress):
            ends.append(time.perf_counter())
            if ends[-1] >= until and STEPS <= len(ends) < job.total:
                each = fmean(b - a for a, b in pairwise(ends))
                return Taken(ends[0] - began + (job.total - 1) * each, job.total * each)
    return Taken(time.perf_counter() - began)
