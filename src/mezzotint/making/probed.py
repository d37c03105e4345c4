"""A job's batches made for a while, to see what they take here; the pictures are thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from statistics import fmean

from mezzotint.costs.plan import Probe
from mezzotint.errors import UsageError
from mezzotint.making.image import Image, Progress
from mezzotint.making.job import Job
from mezzotint.making.leaving import Leaving, lock_of
from mezzotint.making.run import sampled

LEAST, STEPS = 2, 4
"""Batches, where they fit: the first is like no other.  Steps of one, where not even that does."""

Told = Callable[[float, int], None]
"""(seconds so far, batches so far)."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a batch.   ends: when each of its steps was done, from its beginning.   whole: whether it ended."""

    seconds: float
    ends: tuple[float, ...]
    whole: bool


def silent(seconds: float, batches: int) -> None:
    """Nobody is told."""


def probe(job: Job, seconds: float, told: Told = silent) -> Probe:
    """What batches take: as many as begin within ``seconds``, around and around, and two at least.

    A batch that is too long for that is left when the time is up, and one picture is made in its place, twice, for the
    first reads what comes after the steps; each for at most as long again: ``extended``.
    Raises UsageError unless 0 < seconds <= 3600, NonFiniteError, as ``looked_at``.
    """
    if not 0 < seconds <= 3600:
        raise UsageError(f"--probe {seconds:g}: expected seconds above 0, at most 3600")
    began, found, way = time.perf_counter(), list[Taken](), looked_at(job)
    opening = time.perf_counter() - began
    for batch in cycle(job.batches):
        found.append(_batch(replace(job, pictures=batch), way, began + seconds))
        spent = time.perf_counter() - began
        told(spent, len(found))
        if not found[-1].whole or (spent >= seconds and len(found) >= LEAST):
            break
    times = [one.seconds for one in found if one.whole]
    if not found[-1].whole and len(times) < LEAST:
        alone = replace(job, pictures=job.pictures[:1], rows=1)
        once = _batch(alone, way, time.perf_counter() + seconds)
        again = _batch(alone, way, time.perf_counter() + seconds) if once.whole else once
        usual = extended(found[-1].ends, job.total // len(job.batches), again)
        opening += max(0.0, once.seconds - again.seconds) if again.whole else 0.0
        times = [*(times or [usual + overhead(found[0].ends)]), usual]
    return Probe(times[0] + opening, tuple(times[1:]), job.rows)


def overhead(ends: Sequence[float]) -> float:
    """By how much a first step was longer than those after it: networks are read, kernels chosen."""
    return max(0.0, ends[0] - _each(ends))


def extended(ends: Sequence[float], steps: int, alone: Taken) -> float:
    r"""Seconds of a batch that was left in the middle.

    :math:`T = T_1\,\bar s / \bar s_1`: as long as one picture alone took to its end (decoding and later stages, whose
    steps are not like these, are in that), as often as its steps are longer; without an end of that, its steps alone.
    ends: of the steps that were made.   steps: of the whole batch.
    """
    each = _each(ends)
    if not alone.whole:
        return steps * each
    return (alone.seconds - overhead(alone.ends)) * each / _each(alone.ends[: len(ends)])


def _each(ends: Sequence[float]) -> float:
    """Seconds of a step but the first."""
    return fmean(b - a for a, b in pairwise(ends))


def looked_at(job: Job) -> Leaving[Image]:
    """The way of a job's pictures to whoever asked, but that nothing is written down and none is withheld: what the
    output gate takes is part of what a picture takes.   Raises as ``stream`` before its first picture.
    """
    from mezzotint.governance.safety.output.gate import load

    gate = load()

    def look(image: Image) -> Image:
        gate.check(image.pixels, image.receipt.made.size, image.receipt.first_step)
        return image

    return Leaving(job.mark, lock_of(job.edit), look)


def _batch(job: Job, way: Leaving[Image], until: float) -> Taken:
    """One batch, left after ``STEPS`` steps once the time is up."""
    began, ends = time.perf_counter(), list[float]()
    for event in way.each(sampled(job)):
        if isinstance(event, Progress):
            ends.append(time.perf_counter() - began)
            if began + ends[-1] >= until and STEPS <= len(ends) < job.total:
                return Taken(ends[-1], tuple(ends), False)
    return Taken(time.perf_counter() - began, tuple(ends), True)
