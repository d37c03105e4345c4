"""A job from words: what can be wrong without any arithmetic (names, labels, hashes, headers) is checked before torch
is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.making.checked import checked_request
from mezzotint.making.counts import check_count, rows_for
from mezzotint.making.edit import Edit, edit_of
from mezzotint.making.heeded import Heeded, Licensed
from mezzotint.making.job import GENERATE, Job, Wanted
from mezzotint.making.licensed import licensed_request
from mezzotint.making.opened import described, system_of
from mezzotint.making.planned import planned
from mezzotint.making.prompt import told
from mezzotint.making.request import How, Request
from mezzotint.making.sizes import size_of
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.spec import Choice
from mezzotint.pretrained.system import System


@dataclass(frozen=True)
class Outline:
    """What a request decides but for prompts and seeds: the licences allow it.   size: (width, height)."""

    how: How
    system: System
    edit: Edit | None
    size: tuple[int, int]
    licence: Licensed

    @property
    def task(self) -> Choice:
        """For receipts."""
        return GENERATE if self.edit is None else self.edit.task

    def told(self, text: str) -> Reading:
        """What the model is told of a prompt.  Raises UsageError."""
        return told(self.system, replace(self.how.said, prompt=text), self.size)

    def job(self, pictures: tuple[Wanted, ...], rows: int) -> Job:
        """The job of some pictures.  Errors: as ``generate``."""
        job = planned(self.how, self.system, pictures, rows, self.size, edit=self.edit)
        return replace(job, heeded=Heeded(self.licence))


def outline(asked: Request) -> Outline:
    """Of a request, whatever its prompts.  Errors: as ``generate``, less those of texts."""
    model = described(asked.model, asked.parts) if isinstance(asked.model, str | Path) else asked.model.system
    licence = licensed_request(asked, model)  # before anything large is read
    system = system_of(asked)
    edit = edit_of(system, asked)
    size = size_of(system, asked.size if edit is None else f"{edit.size[0]}x{edit.size[1]}")
    return Outline(asked.how, system, edit, size, licence)


def prepare(asked: Request) -> Job:
    """The job of a request, checked before any picture is made.  Errors: as ``generate``."""
    prompts = asked.prompts
    total = check_count("the number of pictures", check_count("n", asked.n) * len(prompts))
    rows, checks = rows_for(total, asked.batch), checked_request(asked)
    found = outline(asked)
    said = [found.told(text) for text in prompts]
    if asked.strict:
        from mezzotint.pretrained.device import use_threads

        use_threads(asked.sampling.threads)  # before the first look at what was kept: it goes by them
        check_whole(said)

    from mezzotint.diffusion.philox import seeds_from

    each = [(text, one) for text, one in zip(prompts, said, strict=True) for _ in range(asked.n)]
    seeds = seeds_from(asked.seed, total)
    wanted = zip(seeds, each, strict=True)
    pictures = tuple(Wanted(s, text, one, found.task, name=text) for s, (text, one) in wanted)
    return _asking(replace(found.job(pictures, rows), heeded=Heeded(found.licence, checks)))


def _asking(job: Job) -> Job:
    if job.main.plan.draft is None and job.main.plan.classifier_scale == 0:
        return job
    from mezzotint.making.ranker import worth_asking

    return worth_asking(job)


def check_whole(said: Sequence[Reading]) -> None:
    """Raises UsageError where any encoder dropped the end of a text."""
    for one in (one for reading in said for one in reading.tokens if one.dropped):
        kind = one.text.replace("_", " ")
        raise UsageError(
            f"strict: {one.encoder} has no room for {one.dropped} tokens at the end of the {kind}: {one.lost[:200]!r};"
            f" it read {one.used}, say it shorter"
        )
