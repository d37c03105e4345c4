"""``generate``: a prompt to pictures, each with its receipt; the words are those of the command."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mezzotint.config import DEFAULT_MODEL
from mezzotint.costs.meter import cost_of, started
from mezzotint.costs.prices import declared
from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.guidance.heard import Heard
from mezzotint.diffusion.sample import State
from mezzotint.making.again import retried
from mezzotint.making.calls import run_calls
from mezzotint.making.classified import asks
from mezzotint.making.first_step import heard_of
from mezzotint.making.first_step import said as said_of_first
from mezzotint.making.image import Image, Progress, Result, image_of
from mezzotint.making.job import Job, Wanted
from mezzotint.making.leaving import Leaving, lock_of, ungated
from mezzotint.making.prepare import prepare
from mezzotint.making.ranked import Walk, contest_of, drafted
from mezzotint.making.released import Withheld, output_gate, refusal
from mezzotint.making.request import Request, Sampling
from mezzotint.making.staged import ready
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.model import Model
from mezzotint.stage import Resume


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


def to_pixels(data: Tensor) -> Pixels:
    """(H, W, C) uint8 of one decoded picture (C, H, W)."""
    pixels: Pixels = data.permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels


def _image(
    job: Job, picture: Wanted, data: Tensor, seconds: float, cost: Mapping[str, Any], first: Mapping[str, Any] | None
) -> Image:
    pixels = to_pixels(data) if job.canvas is None else job.canvas.cropped(to_pixels(data))
    return image_of(job.made(picture), pixels, seconds, job.heeded, cost, first)


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


def _walked(
    job: Job, seeds: tuple[int, ...], walk: Walk, drafts: Walk, pictures: Sequence[Wanted], heard: Heard | None
) -> Iterator[tuple[State, bool]]:
    """Every step of the main stage, of its drafts first, and whether it is of one."""
    if job.main.plan.draft is not None:
        contest = contest_of(job, pictures)
        for state in contest.of(drafts):
            yield state, True
        seeds = contest.seeds
    if heard is not None:
        heard.begin()
    for state in walk(seeds):
        yield state, False


def sampled(job: Job) -> Iterator[Progress | Image]:
    """The steps of a job, and its pictures as they are sampled: what they still have to pass is ``Leaving``."""
    conds, prices, each = _Conds(job.dtype), declared(), run_calls(job)
    done, width, heard, drafts = 0, 0, heard_of(job), drafted(job)
    x: Tensor | None = None
    for pictures in job.batches:
        if pictures[0].told.width != width:
            null, width = conds(pictures[:1])[1], pictures[0].told.width
            own = ready(job, null, heard)
            drawn = own if drafts is None else ready(drafts, null)
        padded = pictures + pictures[-1:] * (job.rows - len(pictures))
        began, previous = started(), _given(padded, job.device)
        cond = {name: value.to(job.device) for name, value in conds(padded)[0].items()} | asks(job, padded)
        seeds = tuple(p.seed for p in padded)
        for k, stage in list(enumerate(own.stages))[job.first :]:
            planned = job.stages[k]
            run = planned.run
            resume = None if x is None or planned.link["name"] != "handover" else Resume(x, run.start)
            walk = partial(own.walk, k, cond, previous, resume)
            steps: Iterator[tuple[State, bool]] = ((state, False) for state in walk(seeds))
            if planned is job.main:
                steps = _walked(job, seeds, walk, partial(drawn.walk, k, cond, previous, resume), padded, heard)
            for state, draft in steps:
                done += 1
                yield Progress(done, job.total, seeds[: len(pictures)], state, k, draft)
            x = state.x
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
    candidates: int | None = None,
    classifier_scale: float | None = None,
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
    sampling = Sampling(quality, steps, scale, solver, grid, device, dtype, threads, mark, candidates, classifier_scale)
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
