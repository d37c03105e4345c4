"""A job from words: what can be wrong without any arithmetic (names, labels, hashes, headers) is checked before torch
is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mezzotint.errors import UsageError
from mezzotint.making.checked import checked_request
from mezzotint.making.counts import check_count, rows_for
from mezzotint.making.edit import edit_of
from mezzotint.making.job import GENERATE, Job, Wanted
from mezzotint.making.licensed import licensed_request
from mezzotint.making.opened import described, system_of
from mezzotint.making.planned import planned
from mezzotint.making.prompt import told
from mezzotint.making.request import Request
from mezzotint.making.sizes import size_of
from mezzotint.pretrained.families.known import Reading


def prepare(asked: Request) -> Job:
    """The job of a request, checked before any picture is made.  Errors: as ``generate``."""
    how, prompts = asked.how, asked.prompts
    total = check_count("the number of pictures", check_count("n", asked.n) * len(prompts))
    rows = rows_for(total, asked.batch)
    model = described(asked.model, asked.parts) if isinstance(asked.model, str | Path) else asked.model.system
    heeded, checks = licensed_request(asked, model), checked_request(asked)  # before anything large is read
    system = system_of(asked)
    edit = edit_of(system, asked)
    size = size_of(system, asked.size if edit is None else f"{edit.size[0]}x{edit.size[1]}")
    task = GENERATE if edit is None else edit.task
    said = [told(system, replace(how.said, prompt=text), size) for text in prompts]
    if asked.strict:
        from mezzotint.pretrained.device import use_threads

        use_threads(asked.threads)  # before the first look at what was kept: it goes by them
        check_whole(said)

    from mezzotint.diffusion.philox import seeds_from

    each = [(text, one) for text, one in zip(prompts, said, strict=True) for _ in range(asked.n)]
    seeds = seeds_from(asked.seed, total)
    pictures = tuple(Wanted(s, text, one, task, name=text) for s, (text, one) in zip(seeds, each, strict=True))
    job = planned(how, system, pictures, rows, size, edit=edit)
    return replace(job, remarks=(*heeded.notes, *job.remarks), licence=heeded.record, checks=checks)


def check_whole(said: Sequence[Reading]) -> None:
    """Raises UsageError where any encoder dropped the end of a text."""
    for one in (one for reading in said for one in reading.tokens if one.dropped):
        kind = one.text.replace("_", " ")
        raise UsageError(
            f"strict: {one.encoder} has no room for {one.dropped} tokens at the end of the {kind}: {one.lost[:200]!r};"
            f" it read {one.used}, say it shorter"
        )
