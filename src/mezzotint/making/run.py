"""``generate``: a prompt to pictures, each with its receipt; the words are those of the command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.conditioning.labels import label_cond
from mezzotint.diffusion.denoiser import Cond, Denoiser
from mezzotint.diffusion.guidance import Guided, together
from mezzotint.diffusion.sample import State
from mezzotint.files import sha256
from mezzotint.governance.receipt import Receipt
from mezzotint.making.image import Image, Progress, Result
from mezzotint.making.job import Job, prepare
from mezzotint.pictures.png import Pixels
from mezzotint.pretrained.model import Model
from mezzotint.stage import Stage
from mezzotint.stage import steps as steps_of


def _conditioned(job: Job) -> tuple[Denoiser, Cond]:
    """The denoiser with guidance where it is on, and cond for a batch."""
    denoiser = job.model.denoiser(job.device, job.dtype)
    if job.label is None or job.negative is None:
        return denoiser, {}
    cond = {k: v.to(job.device) for k, v in label_cond([job.label] * job.rows).items()}
    if job.plan.scale == 1:
        return denoiser, cond
    null = {k: v.to(job.device) for k, v in label_cond([job.negative]).items()}
    return Guided(denoiser, job.plan.scale, null, ask=together), cond


def to_pixels(data: Tensor) -> Pixels:
    """(H, W, C) uint8 of one decoded picture (C, H, W)."""
    pixels: Pixels = data.permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels


def _image(job: Job, seed: int, data: Tensor, seconds: float) -> Image:
    pixels = to_pixels(data)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    receipt = Receipt(job.made(seed), sha256(pixels.tobytes()), now, seconds)
    return Image(job.prompt, seed, pixels, receipt)


def _states(stage: Stage, cond: Cond, seeds: tuple[int, ...], device: str) -> Iterator[State]:
    """A trajectory, every step without gradients; the caller's own mode is left alone between steps."""
    with torch.inference_mode():
        walk = steps_of(stage, 0, cond, seeds, device=device)
    while True:
        with torch.inference_mode():
            state = next(walk, None)
        if state is None:
            return
        yield state


def stream(job: Job) -> Iterator[Progress | Image]:
    """Runs a job, batch by batch: every step as it is done, then the batch's pictures in the order of their seeds."""
    denoiser, cond = _conditioned(job)
    stage = Stage(denoiser, job.model.codec, job.plan.levels, job.plan.solver)
    done = 0
    for seeds in job.batches:
        padded = seeds + seeds[-1:] * (job.rows - len(seeds))
        began = time.perf_counter()
        for state in _states(stage, cond, padded, job.device):
            done += 1
            yield Progress(done, job.total, seeds, state)
        data = stage.codec.decode(state.x)
        seconds = time.perf_counter() - began
        for seed, row in zip(seeds, data, strict=False):
            yield _image(job, seed, row, seconds)


def generate(
    prompt: str,
    *,
    negative_prompt: str = "",
    model: str | Path | Model = "fashion",
    n: int = 1,
    seed: int = 0,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
    size: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    batch: int | None = None,
) -> Result:
    """Makes n pictures of a prompt.

    Picture k depends on seed + k alone: its noise to the bit, its pixels to the bit among runs of the same batch rows.
    Args: prompt: for a class-conditional model, a label or another word for it; "" is no condition.
        negative_prompt: what to steer away from in place of nothing; needs a scale other than 1.
        model: a name, a folder, or what ``load`` gave.  n: 1 … 1,000,000.  seed: 0 … 2^63 - n.
        quality: the model's preset, draft | standard | best, for whatever of the next four is not given.
        steps: intervals of the grid.  scale: guidance, 1 is off.  solver, grid: names, also those of other tools.
        size: "WxH" in pixels.  device: auto | cpu | cuda | mps.  dtype: auto | float32 | bfloat16 | fastest.
        threads: of the processor.  batch: rows computed together; None is n, at most 16.
    Returns: pictures in the order of their seeds, each with its receipt.
    Raises: UsageError (words), InputError, ModelError (the model), NonFiniteError (its arithmetic).
    """
    job = prepare(
        prompt, negative_prompt=negative_prompt, model=model, n=n, seed=seed, quality=quality, steps=steps, scale=scale,
        solver=solver, grid=grid, size=size, device=device, dtype=dtype, threads=threads, batch=batch,
    )  # fmt: skip
    began = time.perf_counter()
    images = tuple(event for event in stream(job) if isinstance(event, Image))
    return Result(images, time.perf_counter() - began)
