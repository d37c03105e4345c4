"""diffusers' pipelines run as a job of ours would run: its words, steps and size, and our noise wherever one is drawn.

Everything is read off the job; a test chooses a pipeline's scheduler beforehand.  ``tests/weights/check.py`` makes the
same comparisons with published weights.
"""

from __future__ import annotations

import inspect
import json
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.pipelines.deprecated import unclip
from PIL import Image

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import FIRST_DRAW, start
from mezzotint.pretrained.ruled import Contrast, Ruled
from mezzotint.stage import LINK_DRAW

Made = tuple[torch.Tensor, np.ndarray]
"""(final latents (1, C, h, w), pixels (H, W, 3) uint8)."""

NO_CHECKS: dict[str, Any] = {
    "safety_checker": None, "requires_safety_checker": False, "watermarker": None, "add_watermarker": False,
}  # fmt: skip
"""Parts that change finished pictures, of pipelines that take them."""


@contextmanager
def quiet() -> Iterator[pytest.MonkeyPatch]:
    """Without warnings; what is patched inside is put back."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        yield patch


def opened(folder: Path, kind: Any = None, **parts: Any) -> Any:
    """The pipeline of a folder, or as the class ``kind``, in float32; nothing is fetched, no picture is checked or
    marked."""
    made = kind or _class_of(folder)
    weights = [path.name for path in folder.glob("*/*.safetensors")]
    variant = "fp16" if weights and all(".fp16" in name for name in weights) else None
    with quiet() as patch:
        patch.setattr(diffusers.pipelines, "unclip", unclip, raising=False)  # where published indices say it is
        pipe = made.from_pretrained(
            folder, local_files_only=True, torch_dtype=torch.float32, variant=variant,
            **{**_left_out(made, folder), **parts},
        )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def read(file: Path, folder: Path) -> Any:
    """The pipeline of a checkpoint in one file, by diffusers' own conversion and a folder's configurations."""
    made = _class_of(folder)
    with quiet():
        pipe = made.from_single_file(
            str(file), config=str(folder), local_files_only=True, torch_dtype=torch.float32, **_left_out(made, folder)
        )
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()  # diffusers leaves T5 of a file with its dropout on
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _class_of(folder: Path) -> Any:
    return getattr(diffusers, json.loads((folder / "model_index.json").read_text())["_class_name"])


def _left_out(made: Any, folder: Path) -> dict[str, Any]:
    """What a pipeline is given in place of parts that the folder lacks and of those that change pictures."""
    taken = inspect.signature(made.__init__).parameters
    absent = [name for name in ("text_encoder_3", "tokenizer_3") if name in taken and not (folder / name).is_dir()]
    return {**dict.fromkeys(absent), **{name: value for name, value in NO_CHECKS.items() if name in taken}}


def its_own(scheduler: Any) -> Any:
    """A scheduler without the adapter around it."""
    return getattr(scheduler, "scheduler", scheduler)


def begin_of(pipe: Any, job: mz.Job) -> torch.Tensor:
    """The state that our trajectory starts at, as the pipeline takes it: before it scales it by its scheduler's."""
    noise, shape, scheduler = Noise(job.seeds[:1]), job.main.model.spec.shape, its_own(pipe.scheduler)
    if "FlowMatch" in type(scheduler).__name__ or scheduler.config.get("use_flow_sigmas"):
        return start(noise, shape, job.main.plan.levels).float()
    unit = noise(0, (1, *shape)).float()
    with quiet():
        scheduler.set_timesteps(job.main.plan.steps)
    own = float(scheduler.init_noise_sigma)
    if own == 1:
        return unit
    top = float(scheduler.sigmas[0])
    return unit * (math.sqrt(1 + top * top) / own)  # some of theirs start at sigma, ours at sqrt(1 + sigma^2)


def said_by(pipe: Any, job: mz.Job) -> dict[str, Any]:
    """The job's words, of those that the pipeline takes."""
    width, height = job.size
    words: dict[str, Any] = {
        "prompt": job.pictures[0].prompt, "height": height, "width": width,
        **({"negative_prompt": job.said.negative_prompt} if job.said.negative_prompt else {}),
        "num_inference_steps": job.main.plan.steps, "guidance_scale": job.main.plan.scale,
        "use_resolution_binning": False, "clean_caption": False,
    }  # fmt: skip
    by = job.main.plan.guidance
    if isinstance(by, Ruled) and isinstance(by.by, Contrast):
        words["guidance_rescale"] = by.by.phi
    taken = inspect.signature(pipe.__call__).parameters
    return {name: value for name, value in words.items() if name in taken}


def both(pipe: Any, job: mz.Job, **words: Any) -> Made:
    """Latents and pixels of a run of the pipeline; what its scheduler adds in each step is our noise."""
    noise, shape = Noise(job.seeds[:1]), (1, *job.main.model.spec.shape)
    module = sys.modules[type(its_own(pipe.scheduler)).__module__]
    packs = "Flux" in type(pipe).__name__

    draws = iter(range(FIRST_DRAW, FIRST_DRAW + job.main.plan.steps))
    with quiet() as patch:
        patch.setattr(module, "randn_tensor", lambda *_, **__: noise(next(draws), shape).float(), raising=False)
        latents, pixels = made_by(pipe, **{**said_by(pipe, job), **words})
    if packs:
        latents = pipe._unpack_latents(latents, job.size[1], job.size[0], pipe.vae_scale_factor)
    return latents, pixels


def made_by(pipe: Any, *prompt: str, **words: Any) -> Made:
    """One run: the latents after its last step, and the picture that it makes of them."""
    last: list[torch.Tensor] = []

    def seen(_pipe: Any, _step: int, _time: Any, now: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        last[:] = [now["latents"].clone()]
        return {}

    def older(_step: int, _time: Any, latents: torch.Tensor) -> None:
        last[:] = [latents.clone()]

    taken = inspect.signature(pipe.__call__).parameters
    told = {"callback_on_step_end": seen} if "callback_on_step_end" in taken else {"callback": older}
    pixels = pipe(*prompt, **words, **told, output_type="np").images
    return last[0], np.round(pixels[0] * 255).astype(np.uint8)


def from_words(pipe: Any, job: mz.Job) -> Made:
    """From noise alone."""
    return both(pipe, job, latents=packed(pipe, begin_of(pipe, job)))


def packed(pipe: Any, begin: torch.Tensor) -> torch.Tensor:
    """A state as the pipeline takes it: FLUX's in squares."""
    given: torch.Tensor = pipe._pack_latents(begin, *begin.shape) if "Flux" in type(pipe).__name__ else begin
    return given


def from_picture(pipe: Any, job: mz.Job, image: Path, mask: Path | None = None, **words: Any) -> Made:
    """From a picture, inside a mask where there is one; the autoencoder's mean in place of a draw."""
    begin, module = begin_of(pipe, job), sys.modules[type(pipe).__module__]
    given = {"image": Image.open(image), **({} if mask is None else {"mask_image": Image.open(mask)})}
    latents = {"latents": packed(pipe, begin)} if "Flux" in type(pipe).__name__ else {}
    with quiet() as patch:
        patch.setattr(module, "retrieve_latents", lambda found, **_: found.latent_dist.mode())
        patch.setattr(module, "randn_tensor", lambda *_, **__: begin)
        return both(pipe, job, **given, **latents, **words)


def enlarged(pipe: Any, job: mz.Job, small: Path, level: int) -> Made:
    """A small picture, told with noise of that level, 4 times as large."""
    with quiet() as patch, Image.open(small) as picture:
        noise = Noise(job.seeds[:1])(LINK_DRAW, (1, 3, picture.height, picture.width)).float()
        patch.setattr(sys.modules[type(pipe).__module__], "randn_tensor", lambda *_, **__: noise)
        return both(pipe, job, image=picture, noise_level=level, latents=begin_of(pipe, job))
