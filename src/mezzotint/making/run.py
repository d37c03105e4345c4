"""``generate``: a prompt to pictures, each with its receipt; the words are those of the command."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mezzotint.codecs.base import Codec
from mezzotint.codecs.kl import KL
from mezzotint.config import DEFAULT_MODEL
from mezzotint.costs.meter import cost_of, started
from mezzotint.costs.prices import declared
from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.guidance import (
    Autoguided,
    Guided,
    Inpainted,
    Interval,
    OwnNull,
    Telling,
    Thresholded,
    linear,
    sharing,
    together,
)
from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.diffusion.guidance.pair import Rule
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.sample import State
from mezzotint.diffusion.solver.held import Held
from mezzotint.making.again import retried
from mezzotint.making.begun import first_steps
from mezzotint.making.calls import run_calls
from mezzotint.making.first_step import heard_of
from mezzotint.making.first_step import said as said_of_first
from mezzotint.making.image import Image, Progress, Result, image_of
from mezzotint.making.job import Job, Planned, Wanted
from mezzotint.making.leaving import Leaving, lock_of, ungated
from mezzotint.making.prepare import prepare
from mezzotint.making.ranked import contest_of
from mezzotint.making.refine import null_of
from mezzotint.making.released import Withheld, output_gate, refusal
from mezzotint.making.request import Request, Sampling
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.distilled import guided
from mezzotint.pretrained.model import Model
from mezzotint.pretrained.recalling import recalling
from mezzotint.pretrained.refined import PREFIX
from mezzotint.pretrained.ruled import Ruled
from mezzotint.pretrained.spec import Choice, Spec
from mezzotint.pretrained.stage_model import SCHEDULES, StageModel, chosen
from mezzotint.pretrained.weak import Weak
from mezzotint.stage import (
    AWAY,
    Begin,
    Beside,
    Embed,
    Enlarge,
    Fed,
    Link,
    Lowres,
    Prefixed,
    Resized,
    Resume,
    Stage,
    keep,
)
from mezzotint.stage import steps as steps_of


def _guided(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> Denoiser:
    """A stage's denoiser, with guidance where it is on, kept in the range of its data where that is bounded."""
    denoiser = _steered(job, planned, null, heard)
    bounds = planned.model.spec.net.get("bounds")
    return denoiser if bounds is None else Thresholded(denoiser, *bounds)


def _steered(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> Denoiser:
    """The same without bounds."""
    model, scale = planned.model, planned.plan.scale
    cache = planned.plan.cache
    denoiser: Denoiser = recalling(model.denoiser(job.device, job.dtype, job.compiled), cache)
    if "guidance" in model.takes:
        return Telling(denoiser, {"guidance": torch.tensor([scale], device=job.device)})
    if scale == 1:
        return denoiser
    interval = planned.plan.interval
    guided = _by(job, planned, denoiser) or _away(job, planned, null, denoiser, heard)
    return guided if interval is None else Interval(guided, denoiser, *interval)


def _by(job: Job, planned: Planned, denoiser: Denoiser) -> Denoiser | None:
    """A denoiser guided by its weights or by a worse model; None where it is guided in the usual way."""
    by, scale = planned.plan.guidance, planned.plan.scale
    if by is None or isinstance(by, Ruled):
        return None
    if isinstance(by, Weak):
        weak = recalling(by.stage.denoiser(job.device, job.dtype, job.compiled), planned.plan.cache)
        return Autoguided(denoiser, weak, scale)
    assert isinstance(planned.model, StageModel)
    return recalling(guided(planned.model, by, scale, job.device, job.dtype, job.compiled), planned.plan.cache)


def _away(job: Job, planned: Planned, null: Cond, denoiser: Denoiser, heard: Heard | None) -> Denoiser:
    """A denoiser guided away from its null; that of an embedding is zero where nobody says another."""
    model, scale, by = planned.model, planned.plan.scale, planned.plan.guidance
    rule: Rule = by.rule(model.spec) if isinstance(by, Ruled) else linear
    if heard is not None and planned is job.main:
        rule = heard.around(rule)
    if "vector" in model.takes and model.spec.net.get("away") == "told" and "vector" not in null:
        return OwnNull(denoiser, scale, "vector", AWAY, together, rule)
    weak = {name: null[name].to(job.device) for name in model.takes if name in null}
    if "vector" in model.takes and "vector" not in weak:
        weak["vector"] = torch.zeros(1, job.stages[0].model.spec.shape[-1], device=job.device)
    return Guided(denoiser, scale, weak, rule, sharing if model.shares and not job.compiled else together)


def link_of(planned: Planned) -> Fed:
    """How a stage is fed; its network is told what it takes."""
    model, said = planned.model, dict(planned.link)
    links: dict[str, Link] = {"keep": keep, "vector": Embed()}
    if said["name"] == "handover":
        return Fed(Prefixed(PREFIX), model.takes)
    if said["name"] == "beside":
        return Fed(Prefixed(str(said.get("prefix", "")), _beside(model.spec, said)), model.takes)
    if said["name"] == "lowres":
        logsnr = torch.tensor(float(said["logsnr"]), dtype=torch.float64)
        level = Level(logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt())
        return Fed(Lowres(Enlarge(model.spec.shape[-2:]), level), model.takes)
    return Fed(links[str(said["name"])], (*model.takes, AWAY))


def _beside(spec: Spec, said: Choice) -> Beside:
    """A picture beside the state: at a level of the noise that the model knows, or as it is; enlarged if told how."""
    index = float(said.get("level", 0))
    level = Level(torch.tensor(1.0), torch.tensor(0.0))
    if "lowres" in spec.net:
        level = chosen("schedule", spec.net["lowres"], SCHEDULES).at(torch.tensor(index, dtype=torch.float64))
    enlarge = Resized(spec.shape[-2:], said["resize"]) if "resize" in said else None
    return Beside(level, index, enlarge)


class _Conds:
    """What the rows of a batch are told; a prompt's is made once for as long as it lasts."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._of: dict[str, tuple[Cond, Cond]] = {}

    def __call__(self, pictures: Sequence[Wanted]) -> tuple[Cond, Cond]:
        """(cond of all rows, null of one row)."""
        self._of = {p.prompt: self._of.get(p.prompt) or p.told.conds(self._dtype) for p in pictures}
        rows = [self._of[p.prompt] for p in pictures]
        return {name: torch.cat([cond[name] for cond, _ in rows]) for name in rows[0][0]}, rows[0][1]


def _networks(job: Job, planned: Planned, null: Cond, heard: Heard | None) -> tuple[Denoiser, Codec]:
    """A stage's denoiser and codec, in tiles where the picture is larger than they see at once."""
    denoiser, codec = _guided(job, planned, null, heard), planned.model.codec(job.device, job.dtype)
    return (denoiser, codec) if job.canvas is None else (job.canvas.denoiser(denoiser), job.canvas.codec(codec))


def stages_of(job: Job, null: Cond, heard: Heard | None = None) -> list[Stage]:
    """The stages of a job, ready to run.   null: what is told in place of a prompt, of one row.   heard: listens to
    guidance of the main one."""
    parts = ((p, _networks(job, p, null_of(p, null), heard)) for p in job.stages)
    return [Stage(*two, p.plan.levels, p.plan.solver, link_of(p)) for p, two in parts]


def _edited(job: Job, stages: list[Stage]) -> tuple[list[Stage], Mapping[int, Begin]]:
    """The stages, those that begin from a picture kept to what is known, and where each of them begins."""
    made, begins = list(stages), dict[int, Begin]()
    for k, first in first_steps(job).items():
        assert job.edit is not None
        codec, clean = stages[k].codec, job.stages[k].model.spec.net.get("held") == "clean"
        known, kept = job.edit.known(codec, job.device), job.edit.kept(codec, job.device)
        if kept is not None:
            last = len(stages) if job.model.system.refiner is not None else k + 1
            made[k:last] = [_held(job, j, made[j], known, kept) for j in range(k, last)]
        if first > 0 or kept is None or clean:
            begins[k] = Begin(known, first)
    return made, begins


def _held(job: Job, k: int, stage: Stage, known: Tensor, kept: Tensor) -> Stage:
    """Stage k kept to what is known: by its network where that is told the mask, by its state where the family has it
    clean there, else by putting it into estimates."""
    model = job.stages[k].model
    if model.spec.net.get("held") == "clean":
        return replace(stage, solver=Held(stage.solver, known, kept))
    if job.edit is not None and isinstance(stage.codec, KL) and "masked" in model.takes:
        seen = job.edit.seen(stage.codec, str(model.spec.net["sees"]), job.device)
        return replace(stage, denoiser=Telling(stage.denoiser, seen))
    return replace(stage, denoiser=Inpainted(stage.denoiser, known, kept))


def to_pixels(data: Tensor) -> Pixels:
    """(H, W, C) uint8 of one decoded picture (C, H, W)."""
    pixels: Pixels = data.permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels


def _image(
    job: Job, picture: Wanted, data: Tensor, seconds: float, cost: Mapping[str, Any], first: Mapping[str, Any] | None
) -> Image:
    pixels = to_pixels(data) if job.canvas is None else job.canvas.cropped(to_pixels(data))
    return image_of(job.made(picture), pixels, seconds, job.heeded, cost, first)


def _states(
    stage: Stage,
    k: int,
    cond: Cond,
    seeds: tuple[int, ...],
    previous: Tensor | None,
    device: str,
    begin: Begin | Resume | None,
    stop: int,
) -> Iterator[State]:
    """A trajectory up to a step, every step without gradients; the caller's own mode is left alone between steps."""
    with torch.inference_mode():
        walk = steps_of(stage, k, cond, seeds, previous, device, begin)
    while True:
        with torch.inference_mode():
            state = next(walk, None)
        if state is None:
            return
        yield state
        if state.i + 1 == stop:
            return


def _given(pictures: Sequence[Wanted], device: str) -> Tensor | None:
    """What the stages before the first put out, (B, *)."""
    given = [p.given for p in pictures if p.given is not None]
    return torch.stack(given).to(device) if given else None


def stream(job: Job) -> Iterator[Progress | Image | Withheld]:
    """Runs a job, batch by batch: every step as it is done, then the batch's pictures in the order of their seeds,
    those that the output gate lets pass.  One that is empty is made once more, from the seed of ``again.other``.

    Raises, before the first picture is made, as ``output_gate``; ProvenanceError as ``Leaving``; as ``retried``.
    """
    way = Leaving(job.mark, lock_of(job.edit), output_gate())
    yield from retried(job, lambda one: way.each(sampled(one)))


def unreleased(job: Job) -> Iterator[Progress | Image]:
    """The same without the gate: for what measures pictures and gives none out."""
    way: Leaving[Image] = Leaving(job.mark, lock_of(job.edit), ungated)
    return way.each(sampled(job))


def sampled(job: Job) -> Iterator[Progress | Image]:
    """The steps of a job, and its pictures as they are sampled: what they still have to pass is ``Leaving``."""
    conds, prices, each = _Conds(job.dtype), declared(), run_calls(job)
    done, width, heard = 0, 0, heard_of(job)
    x: Tensor | None = None
    for pictures in job.batches:
        if pictures[0].told.width != width:
            stages, begins = _edited(job, stages_of(job, conds(pictures[:1])[1], heard))
            width = pictures[0].told.width
        padded = pictures + pictures[-1:] * (job.rows - len(pictures))
        began, previous = started(), _given(padded, job.device)
        cond, seeds = (
            {name: value.to(job.device) for name, value in conds(padded)[0].items()},
            tuple(p.seed for p in padded),
        )
        for k, stage in list(enumerate(stages))[job.first :]:
            planned, here = job.stages[k], begins.get(k)
            run, contest = planned.run, contest_of(job, planned, padded, heard)
            resume = None if x is None or planned.link["name"] != "handover" else Resume(x, run.start)
            walk = partial(
                _states, stage, k, cond, previous=previous, device=job.device, begin=resume or here, stop=run.stop
            )
            for state in contest.of(walk, seeds):
                done += 1
                yield Progress(done, job.total, seeds[: len(pictures)], state, k)
            x = contest.best
            previous = stage.codec.decode(x) if run.stop == planned.plan.steps else None
        assert previous is not None
        used = began.used(each * len(pictures), job.device)
        cost = cost_of(used.share(len(pictures)), prices)
        for k, (picture, row) in enumerate(zip(pictures, previous, strict=False)):
            yield _image(job, picture, row, used.seconds, cost, said_of_first(job, heard, k))


def result_of(job: Job) -> Result:
    """Runs a job to its end.

    Raises GenerationFailedError, GateError; OutputBlockedError, OutputReviewError, OutputUncheckedError where no
    picture passes.
    """
    began = time.perf_counter()
    events = [event for event in stream(job) if not isinstance(event, Progress)]
    images = tuple(event for event in events if isinstance(event, Image))
    withheld = tuple(event for event in events if isinstance(event, Withheld))
    if withheld and not images:
        raise refusal(withheld)
    return Result(images, time.perf_counter() - began, withheld)


def generate(
    prompt: str | Sequence[str],
    *,
    negative_prompt: str = "",
    prompt_2: str = "",
    prompt_3: str = "",
    negative_prompt_2: str = "",
    negative_prompt_3: str = "",
    model: str | Path | Model = DEFAULT_MODEL,
    parts: Sequence[str | Path] = (),
    n: int = 1,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    guidance_interval: str | None = None,
    guidance: str | None = None,
    cache: float | None = None,
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
    use: str | None = None,
    licence_mode: str | None = None,
    mark: str = "off",
    candidates: int = 1,
) -> Result:
    """Makes n pictures of a prompt, or of each of several.

    Picture k of all of them depends on its prompt and on seed + k alone: its noise to the bit, its pixels to the bit
    among runs of the same batch rows.
    Args: as ``Request`` and its ``Sampling`` have them.
    Returns: pictures in the order of their seeds, each with its receipt.
    Raises: UsageError (words), InputError, ModelError (the model), GenerationFailedError (its arithmetic, twice),
        LicenceDeniedError, LicenceUnknownError, LicenceConditionError (the declared use), PromptBlockedError,
        PromptReviewError, PromptUncheckedError, GateError (a text, or the gate that reads it), OutputBlockedError,
        OutputReviewError, OutputUncheckedError (no picture is given out; where some are, ``withheld`` has the others),
        ProvenanceError (marks).
    """
    sampling = Sampling(quality, steps, scale, solver, grid, device, dtype, threads, mark, candidates)
    asked = Request(
        prompt, negative_prompt=negative_prompt, prompt_2=prompt_2, prompt_3=prompt_3,
        negative_prompt_2=negative_prompt_2, negative_prompt_3=negative_prompt_3, model=model, parts=parts, n=n,
        seed=seed, guidance_interval=guidance_interval, guidance=guidance, cache=cache, size=size, batch=batch,
        image=image, strength=strength, mask=mask, mask_means=mask_means, lock_mask=lock_mask, outpaint=outpaint,
        refiner=refiner, refiner_at=refiner_at, prior=prior, then=then, lora=lora, embedding=embedding, control=control,
        control_image=control_image, ip_adapter=ip_adapter, ip_image=ip_image, ip_encoder=ip_encoder,
        allow_partial=allow_partial, offload=offload, compiled=compiled, strict=strict,
        use=use, licence_mode=licence_mode, sampling=sampling,
    )  # fmt: skip
    return result_of(prepare(asked))
