"""Which stages of a job begin from a picture, at which step, and what they are told then.

The main one does, by the words; of another a family says so in ``net``: ``strength``, the share of its steps that is
run on a picture, and ``masked_level``, the noise of the smaller picture that it is told where there is a mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mezzotint.making.edit import Edit
from mezzotint.making.job import Job, Planned


def begun(stages: tuple[Planned, ...], edit: Edit | None) -> tuple[Planned, ...]:
    """The stages, those beside the main one that begin from the picture with the steps that are theirs."""
    if edit is None:
        return stages
    return tuple(_begun(stage, edit) if "strength" in stage.model.spec.net else stage for stage in stages)


def _begun(stage: Planned, edit: Edit) -> Planned:
    net, steps = stage.model.spec.net, stage.plan.steps
    first = replace(edit, strength=float(net["strength"])).first(steps)
    link = stage.link if edit.mask is None else {**stage.link, "level": net["masked_level"]}
    return replace(stage, part=range(first, steps), link=link)


def first_steps(job: Job) -> Mapping[int, int]:
    """The number of each stage that begins from the job's picture -> its first step that is run."""
    main = job.model.system.main
    if job.edit is None:
        return {}
    others = {k: s.run.start for k, s in enumerate(job.stages) if "strength" in s.model.spec.net}
    return {main: job.edit.first(job.main.plan.steps), **others}
