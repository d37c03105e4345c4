"""A job from words: what can be wrong without any arithmetic (names, labels, hashes, headers) is checked before torch
is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.making.attach import Attachments
from mezzotint.making.begun import begun
from mezzotint.making.edit import LARGEST, Edit, edit_of
from mezzotint.making.interval import check_interval, interval_of
from mezzotint.making.job import GENERATE, How, Job, Planned, Wanted
from mezzotint.making.prompt import told
from mezzotint.making.refine import handing_over
from mezzotint.pretrained.adapters import with_adapters
from mezzotint.pretrained.embeddings import with_embeddings
from mezzotint.pretrained.families.known import Reading
from mezzotint.pretrained.joined import with_folders
from mezzotint.pretrained.shelf import MANY, SHELF
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import System, describe_system, verify_system

if TYPE_CHECKING:
    import torch

    from mezzotint.diffusion.level import Level
    from mezzotint.pretrained.memory import Needed
    from mezzotint.pretrained.model import AnyStage, Model
    from mezzotint.pretrained.spec import Spec

MAX_BATCH = 16
MAX_PICTURES = 1_000_000
SMALL_BATCH = 4096
STEP = 8
"""Pixels: what the sizes of a latent model are divisible by."""


def parse_size(size: str) -> tuple[int, int]:
    """(width, height) of "WxH".  Raises UsageError."""
    width, cross, height = size.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise UsageError(f"size {size!r} is not WxH in pixels, such as 28x28")
    return int(width), int(height)


def size_of(system: System, size: str | None) -> tuple[int, int]:
    """(width, height) of a system's pictures: its own, or those asked for where it can.  Raises UsageError."""
    if size is None:
        return system.size
    width, height = parse_size(size)
    if not system.any_size and (width, height) != system.size:
        raise UsageError(f"size {size} is not one that {system.name} makes; it makes {system.size[0]}x{system.size[1]}")
    step = step_of(system)
    most = largest_of(system)
    if system.any_size and (width % step or height % step or max(width, height) > most):
        raise UsageError(f"size {size} cannot be made; expected both divisible by {step} and at most {most}")
    return width, height


def largest_of(system: System) -> int:
    """Pixels: the longest side of its pictures; where a network has a table of positions, as far as that goes."""
    spec = system.members[-1].described.spec
    square = int(spec.codec.get("factor", 1)) * int(spec.net.get("patch", 1))
    return min(LARGEST, square * int(spec.net.get("positions", LARGEST)))


def step_of(system: System) -> int:
    """Pixels: what the sizes of its pictures are divisible by: whole squares of a state that is read in such."""
    spec = system.members[-1].described.spec
    return math.lcm(STEP, int(spec.codec.get("factor", 1)) * int(spec.net.get("patch", 1)))


def _check_single(system: System, files: Sequence[str | Path]) -> None:
    """Raises UsageError where files are given that change one network, and several make the picture."""
    if files and len(system.members) > 1:
        raise UsageError(
            f"{system.name} runs in stages and takes no LoRA files, learned words, controls or pictures in the prompt"
        )


def _check_scale(system: System, scale: float, said: Prompts) -> None:
    """Raises UsageError where guidance or a negative prompt would have no effect."""
    if said.negative and scale == 1:
        raise UsageError(
            "a negative prompt has no effect at scale 1, guidance off; give another scale, or leave it out"
        )
    if said.negative and system.members[system.main].described.spec.net.get("guidance") == "distilled":
        raise UsageError(
            f"a negative prompt has no effect on {system.name}, whose guidance is in its weights; leave it out"
        )
    if not system.labels and system.text is None and scale != 1:
        raise UsageError(f"{system.name} is unconditional: scale has no effect on it; leave it out")


def check_count(name: str, n: int) -> int:
    if not 1 <= n <= MAX_PICTURES:
        raise UsageError(f"{name} is {n}; expected 1 to {MAX_PICTURES}")
    return n


def threads_for(model: str | Path, n: int, batch: int | None, parts: Sequence[str | Path] = ()) -> int | None:
    """The command's number of threads where none is given: 1 for a batch below 4096 values, which more would only
    slow down, else None, torch's own.  Raises as ``find`` and ``describe_system``.
    """
    values = max(math.prod(m.described.spec.shape) for m in _described(model, parts).members)
    return 1 if values * rows_for(n, batch) < SMALL_BATCH else None


def rows_for(n: int, batch: int | None) -> int:
    """Rows of every batch.  Raises UsageError for numbers out of range."""
    return min(check_count("n", n), MAX_BATCH) if batch is None else check_count("batch", batch)


def prepare(
    prompt: str | Sequence[str],
    *,
    negative_prompt: str = "",
    prompt_2: str = "",
    prompt_3: str = "",
    negative_prompt_2: str = "",
    negative_prompt_3: str = "",
    model: str | Path | Model = "fashion",
    parts: Sequence[str | Path] = (),
    n: int = 1,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    guidance_interval: str | None = None,
    solver: str | None = None,
    grid: str | None = None,
    size: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
    image: str | Path | None = None,
    strength: float | None = None,
    mask: str | Path | None = None,
    mask_means: str = "white",
    lock_mask: bool = False,
    outpaint: str | None = None,
    refiner: str | Path | None = None,
    refiner_at: float | None = None,
    prior: str | Path | None = None,
    then: Sequence[str | Path] = (),
    lora: Sequence[str | Path] = (),
    embedding: Sequence[str | Path] = (),
    control: Sequence[str | Path] = (),
    control_image: Sequence[str | Path] = (),
    ip_adapter: Sequence[str | Path] = (),
    ip_image: Sequence[str | Path] = (),
    ip_encoder: str | Path | None = None,
    allow_partial: bool = False,
    offload: bool = False,
    compiled: bool = False,
    strict: bool = False,
) -> Job:
    """The job of ``generate``'s words, checked before any picture is made.  Arguments and errors: as ``generate``."""
    shared = Prompts("", negative_prompt, prompt_2, prompt_3, negative_prompt_2, negative_prompt_3)
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    total = check_count("n", n) * len(prompts)
    rows = rows_for(check_count("the number of pictures", total), batch)
    interval = None if guidance_interval is None else interval_of(guidance_interval)
    system = opened(model, parts)
    system = with_folders(system, None if prior is None else find(str(prior)), [find(str(each)) for each in then])
    _check_single(system, [*lora, *embedding, *control, *ip_adapter])
    if lora:
        system = with_adapters(system, [str(file) for file in lora], partial=allow_partial)
    if compiled and (control or ip_adapter):
        raise UsageError(
            "--compile does not go with controls or pictures in the prompt, which change the blocks; leave one out"
        )
    system = Attachments(control, control_image, ip_adapter, ip_image, ip_encoder).put_on(system)
    system = refined(system, refiner, refiner_at)
    if embedding:
        system = with_embeddings(system, [Path(file) for file in embedding])
    edit = edit_of(
        system, None if size is None else parse_size(size), None if image is None else Path(image), strength=strength,
        mask=None if mask is None else Path(mask), mask_means=mask_means, lock_mask=lock_mask,
        outpaint=outpaint,
    )  # fmt: skip
    wide = size_of(system, size if edit is None else f"{edit.size[0]}x{edit.size[1]}")
    task = GENERATE if edit is None else edit.task
    said = [told(system, replace(shared, prompt=text), wide) for text in prompts]
    if strict:
        from mezzotint.pretrained.device import use_threads

        use_threads(threads)  # before the first look at what was kept: it goes by them
        check_whole(said)

    from mezzotint.diffusion.noise import seeds_from

    seeds = seeds_from(seed, total)
    pictures = tuple(Wanted(s, prompts[i // n], said[i // n], task, name=prompts[i // n]) for i, s in enumerate(seeds))
    how = How(quality, steps, scale, solver, grid, device, dtype, threads, shared, offload, compiled, interval)
    return planned(model, system, pictures, rows, how, wide, edit=edit)


def refined(system: System, refiner: str | Path | None, at: float | None) -> System:
    """With the refiner that the words name.  Raises InputError, ModelError, UsageError."""
    if refiner is None:
        if at is not None:
            raise UsageError("refiner-at is for a refiner; give --refiner")
        return system
    from mezzotint.pretrained.refined import SHARE, with_refiner

    return with_refiner(system, opened(refiner), SHARE if at is None else at)


def check_whole(said: Sequence[Reading]) -> None:
    """Raises UsageError where any encoder dropped the end of a text."""
    for one in (one for reading in said for one in reading.tokens if one.dropped):
        kind = one.text.replace("_", " ")
        raise UsageError(
            f"strict: {one.encoder} has no room for {one.dropped} tokens at the end of the {kind}: {one.lost[:200]!r};"
            f" it read {one.used}, say it shorter"
        )


def opened(model: str | Path | Model, parts: Sequence[str | Path] = ()) -> System:
    """A model's system, its files checked.   parts: where those come from that a checkpoint in one file lacks.
    Raises InputError, ModelError, UsageError."""
    return verify_system(_described(model, parts)) if isinstance(model, str | Path) else model.system


def _described(model: str | Path, parts: Sequence[str | Path]) -> System:
    return describe_system(find(str(model)), [Path(part).expanduser() for part in parts])


def planned(
    model: str | Path | Model,
    system: System,
    pictures: tuple[Wanted, ...],
    rows: int,
    how: How,
    size: tuple[int, int],
    first: int = 0,
    edit: Edit | None = None,
) -> Job:
    """The job of some pictures.

    first: the number of the first stage that is run.  edit: a picture to begin from.  Errors: as ``generate``.
    """
    from mezzotint.pretrained.device import device_for, dtype_for, use_threads
    from mezzotint.pretrained.model import load
    from mezzotint.pretrained.plan import plan

    loaded = load(system) if isinstance(model, str | Path) or system is not model.system else model
    sized = [_steering(stage.at(size), how.said.negative_prompt) for stage in loaded.stages]
    plans = [plan(stage.spec, quality=how.quality) for stage in sized]
    spoken = {system.main} if system.refiner is None else range(len(sized))
    for k in spoken:
        plans[k] = plan(
            sized[k].spec, quality=how.quality, solver=how.solver, grid=how.grid, steps=how.steps, scale=how.scale
        )
    _check_scale(system, plans[system.main].scale, how.said)
    if how.interval is not None:
        check_interval(sized[system.main].spec, system.name, plans[system.main].scale)
        for k in spoken:
            plans[k] = replace(plans[k], interval=how.interval)
    kind = device_for(how.device)
    dtype = dtype_for(how.dtype, kind)
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
        threads=use_threads(how.threads),
        rows=rows,
        size=size,
        first=first,
        edit=edit,
        memory=memory,
        compiled=how.compiled,
        quality=how.quality,
    )


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
