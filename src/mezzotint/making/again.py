"""A picture that is none, of one colour or of numbers that are none, is made once more from another seed.

An empty picture says nothing of what was asked; an answer that names "blocked" for it would send people to look for a
harm.  What is empty twice has failed (TRUST: NaN, constant or black output).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from mezzotint.errors import GenerationFailedError, NonFiniteError
from mezzotint.making.image import Image
from mezzotint.making.job import Wanted
from mezzotint.making.released import Withheld

AnyJob = TypeVar("AnyJob", bound=Any)
"""A frozen dataclass with ``pictures``: ``Job``, or one of an exported model."""

AWAY = 1_000_000
"""To the other seed: beyond those of a run, which has at most as many pictures."""

Run = Callable[[AnyJob], Iterator[Any]]
"""A job's steps, and its pictures as they leave or are withheld, in their order."""


class Kept(Protocol):
    """What is had of a picture that does not leave.   empty: because it is none."""

    @property
    def empty(self) -> bool: ...


def other_seed(seed: int) -> int:
    """Depends on a picture's own seed alone, so that a run that goes on makes the same."""
    from mezzotint.diffusion.philox import MAX_SEED

    return seed + AWAY if seed + AWAY <= MAX_SEED else seed - AWAY


def other(picture: Wanted) -> Wanted:
    """The same wish with its other seed."""
    return replace(picture, seed=other_seed(picture.seed))


def retried(job: AnyJob, run: Run[AnyJob], kept: type[Kept] = Withheld) -> Iterator[Any]:
    """A job's events; where a picture is empty or not finite, those of its other seed are in its place.

    kept: what ``run`` gives for pictures that do not leave.
    Its batch-mates are made alone where the batch as a whole has no numbers: their bits are the same.
    Raises GenerationFailedError where neither seed gives finite numbers; whatever ``run`` raises.
    """
    left = list(job.pictures)
    try:
        for event in run(job):
            if not isinstance(event, (Image, kept)):
                yield event
                continue
            picture = left.pop(0)
            if isinstance(event, kept) and event.empty:
                yield from _once_more(job, picture, run)
            else:
                yield event
    except NonFiniteError:
        yield from _each(job, left, run, kept)


def _each(job: AnyJob, left: Sequence[Wanted], run: Run[AnyJob], kept: type[Kept]) -> Iterator[Any]:
    """Pictures one by one, each from its other seed where its own gives no numbers."""
    for picture in left:
        if len(job.pictures) == 1:
            yield from _once_more(job, picture, run)
        else:
            yield from retried(replace(job, pictures=(picture,)), run, kept)


def _once_more(job: AnyJob, picture: Wanted, run: Run[AnyJob]) -> Iterator[Any]:
    """Its other seed's events, whatever they are."""
    second = other(picture)
    try:
        yield from run(replace(job, pictures=(second,)))
    except NonFiniteError as error:
        raise GenerationFailedError(f"with seeds {picture.seed} and {second.seed}: {error}") from error
