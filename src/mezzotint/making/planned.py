"""The job of pictures that are decided: how every stage is sampled, and the room that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.making.begun import begun
from mezzotint.making.edit import Edit
from mezzotint.making.interval import check_interval
from mezzotint.making.job import Job, Planned, Wanted
from mezzotint.making.marked import marking_of
from mezzotint.making.refine import handing_over
from mezzotint.making.request import How
from mezzotint.pretrained.ruled import Ruled
from mezzotint.pretrained.shelf import MANY, SHELF
from mezzotint.pretrained.system import System

ABREAST = 8
"""Rows of drafts that are drawn at once: where a batch has fewer, its network is read once for several of them."""

if TYPE_CHECKING:
    import torch

    from mezzotint.diffusion.level import Level
    from mezzotint.pretrained.distilled import Distilled
    from mezzotint.pretrained.memory import Needed
    from mezzotint.pretrained.model import AnyStage, Model
    from mezzotint.pretrained.plan import Plan
    from mezzotint.pretrained.spec import Spec
    from mezzotint.pretrained.weak import Weak


def planned(
    how: How,
    system: System,
    pictures: tuple[Wanted, ...],
    rows: int,
    size: tuple[int, int],
    first: int = 0,
    edit: Edit | None = None,
) -> Job:
    """The job of some pictures.

    first: the number of the first stage that is run.  edit: a picture to begin from.  Errors: as ``generate``.
    """
    from mezzotint.making.classified import classifier_scale
    from mezzotint.making.ranked import competing
    from mezzotint.pretrained.device import device_for, dtype_for, use_threads
    from mezzotint.pretrained.model import load, wearing

    loaded = load(system) if isinstance(how.model, str | Path) else wearing(how.model, system)
    sized = [_steering(stage.at(size), how.said.negative_prompt) for stage in loaded.stages]
    main = system.main
    by_ranker = classifier_scale(system, sized[main].spec, how.sampling, edit)
    plans, remarks = _plans(how, loaded, [stage.spec for stage in sized], by_ranker)
    classed = replace(plans[main], classifier_scale=by_ranker)
    plans[main] = competing(classed, system, sized[main].spec, how.sampling, how.said, edit)
    kind = device_for(how.sampling.device)
    dtype = dtype_for(how.sampling.dtype, kind)
    memory = _memory(system, [stage.spec for stage in sized], rows, dtype, kind, how.offload)
    begins = 0 if edit is None else edit.first(plans[system.main].steps)
    stages = tuple(Planned(*parts) for parts in zip(sized, plans, (m.link for m in system.members), strict=True))
    return Job(
        model=loaded,
        pictures=pictures,
        said=how.said,
        stages=tuple(
            replace(stage, model=stage.model.on(_run_levels(stage, begins if k == system.main else 0)))
            for k, stage in enumerate(begun(handing_over(stages, begins), edit))
        ),
        device=kind,
        dtype=dtype,
        threads=use_threads(how.sampling.threads),
        rows=rows,
        size=size,
        abreast=1 if how.compiled else max(1, ABREAST // rows),
        first=first,
        edit=edit,
        memory=memory,
        compiled=how.compiled,
        quality=how.sampling.quality,
        remarks=remarks,
        mark=marking_of(how.sampling.mark),
    )


def _plans(how: How, model: Model, specs: Sequence[Spec], by_ranker: float) -> tuple[list[Plan], tuple[str, ...]]:
    """How every stage is sampled: the main one and its refiner by the words, the others by their presets; and notes.

    by_ranker: classifier scale of the main one.

    Raises UsageError for words that say nothing, or have no effect.
    """
    from mezzotint.making.guidance import guidance_of, is_weak
    from mezzotint.making.spaced import planned as spoken_plan
    from mezzotint.pretrained.few import worn
    from mezzotint.pretrained.learned import Asked
    from mezzotint.pretrained.plan import plan, preset
    from mezzotint.pretrained.recalling import check_cache

    system = model.system
    specs = [worn(s, [a.adapter.few for a in system.adapters]) if k == system.main else s for k, s in enumerate(specs)]
    plans = [plan(spec, quality=how.sampling.quality) for spec in specs]
    spoken = {system.main} if system.refiner is None else range(len(specs))
    usual = preset(specs[system.main], how.sampling.quality).scale if how.sampling.scale is None else how.sampling.scale
    led = guidance_of(how.guidance, model, specs[system.main], float(usual), how.interval)
    changed = bool(system.adapters or system.attached or is_weak(how.guidance))
    asked = Asked(
        how.sampling.quality,
        how.sampling.solver,
        how.sampling.grid,
        how.sampling.steps,
        how.sampling.scale,
        changed,
        led.interval is not None or isinstance(led.by, Ruled),
        by_ranker,
        how.said.negative,
        how.cache,
    )
    remarks = [led.remark] if led.remark else []
    for k in spoken:
        plans[k], remark = spoken_plan(system.members[k].described, specs[k], asked)
        remarks += [remark] if remark else []
    scale = plans[system.main].scale
    check_scale(system, scale, how.said, led.by)
    if led.interval is not None:
        check_interval(specs[system.main], system.name, scale)
    for k in spoken:
        plans[k] = replace(plans[k], interval=led.interval, guidance=led.by, cache=how.cache)
    if how.cache is not None:
        check_cache(model.main)
    return plans, tuple(remarks)


def check_scale(system: System, scale: float, said: Prompts, by: Distilled | Weak | Ruled | None = None) -> None:
    """Raises UsageError where guidance or a negative prompt would have no effect.   by: None is the usual guidance."""
    if said.negative and not (by is None or isinstance(by, Ruled)):
        raise UsageError(
            f"a negative prompt has no effect on guidance by {by.said['name']!r}; leave it out, or --guidance"
        )
    if said.negative and scale == 1:
        raise UsageError(
            "a negative prompt has no effect at scale 1, guidance off; give another scale, or leave it out"
        )
    if said.negative and system.members[system.main].described.spec.net.get("guidance") == "distilled":
        raise UsageError(
            f"a negative prompt has no effect on {system.name}, whose guidance is in its weights; leave it out"
        )
    if not system.labels and system.text is None and scale != 1 and by is None:
        raise UsageError(f"{system.name} is unconditional: scale has no effect on it; leave it out")


def _steering(stage: AnyStage, negative_prompt: str) -> AnyStage:
    """A prior's stage with a second embedding where it also makes that of what to steer away from."""
    from mezzotint.pretrained.stage_model import StageModel

    if not negative_prompt or stage.spec.net.get("away") != "made" or isinstance(stage, StageModel):
        return stage
    return stage.shaped((2, *stage.spec.shape[1:]))


def _run_levels(stage: Planned, begins: int) -> Level:
    """The levels of the steps of a stage that are run, and the one they end on."""
    return stage.plan.levels[max(begins, stage.run.start) : stage.run.stop + 1]


def _memory(
    system: System, specs: Sequence[Spec], rows: int, dtype: torch.dtype, kind: str, offload: bool
) -> Needed | None:
    """What a run takes, and room for it.  Raises UsageError where it cannot fit, or nothing could be put away."""
    from mezzotint.pretrained.memory import check, needed

    memory = needed(system, specs, rows, dtype, offload=offload)
    if memory is None and offload:
        raise UsageError(f"{system.name} is small and has no parts to put away; leave out --offload")
    if memory is not None:
        check(memory, kind)
        SHELF.resize(1 if offload else MANY)
    return memory
