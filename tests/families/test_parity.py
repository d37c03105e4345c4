"""The same pictures as diffusers' pipelines: same files, same steps, same starting noise."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from lent import Lent
from parity import agree

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import start
from mezzotint.diffusion.schedule import mu_shift

PROMPT, AWAY = "a red chair on a beige background", "blue"
STEPS, SEED = 6, 11
OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {"steps_offset": 1, "set_alpha_to_one": False},
    "DPMSolverMultistepScheduler": {"use_karras_sigmas": True},
    "EulerDiscreteScheduler": {"timestep_spacing": "leading", "steps_offset": 1},
    "UniPCMultistepScheduler": {},
}
NAMES = {
    "sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2, v", "sdxl": "Stable Diffusion XL",
    "sd3": "Stable Diffusion 3", "sd3_without_t5": "Stable Diffusion 3 without T5",
    "flux_dev": "FLUX.1 dev", "flux_schnell": "FLUX.1 schnell",
}  # fmt: skip
CLIPS = {"DDIMScheduler": {"clip_sample": False}}
"""What diffusers does by default and Stable Diffusion's own configurations turn off."""


def theirs(folder: Path, scheduler: str | None, **words: Any) -> tuple[torch.Tensor, np.ndarray]:
    """(final latents, pixels (H, W, 3) uint8) of the pipeline, from our noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        if scheduler:
            base = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_") or k == "prediction_type"}
            made = getattr(diffusers, scheduler)
            pipe.scheduler = made(**base, **OTHERS[scheduler], **CLIPS.get(scheduler, {}))
        side = pipe.unet.config.sample_size
        begin = Noise((SEED,))(0, (1, 4, side, side)).float()
        latents = pipe(**words, latents=begin, num_inference_steps=STEPS, output_type="latent").images
        pixels = pipe(**words, latents=begin, num_inference_steps=STEPS, output_type="np").images
    return latents, np.round(pixels[0] * 255).astype(np.uint8)


def ours(folder: Path, solver: str | None, scale: float) -> tuple[torch.Tensor, np.ndarray]:
    job = mz.prepare(
        PROMPT, model=folder, seed=SEED, negative_prompt=AWAY, steps=STEPS, scale=scale, solver=solver or None
    )
    last = None
    for event in mz.stream(job):
        if isinstance(event, mz.Progress):
            last = event.state.x
        else:
            return last, event.pixels
    raise AssertionError("no picture")


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("scheduler", [None, *OTHERS])
def test_latents_and_pixels(family: str, scheduler: str | None, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    latents, pixels = theirs(folder, scheduler, prompt=PROMPT, negative_prompt=AWAY, guidance_scale=5.0)
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    mine, made = ours(folder, f"{scheduler}:{flags}".rstrip(":") if scheduler else None, 5.0)
    assert agree(NAMES[family], scheduler, mine, latents, made, pixels)
    assert pixels.std() > 5


def test_nothing_to_steer_away_from(sd1: Path, sdxl: Path) -> None:
    """No negative prompt: the empty prompt's states for SD, zeros for SDXL, as the pipelines have it."""
    for folder in (sd1, sdxl):
        latents, _ = theirs(folder, None, prompt=PROMPT, guidance_scale=3.0)
        job = mz.prepare(PROMPT, model=folder, seed=SEED, steps=STEPS, scale=3.0)
        last = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]
        assert agree("without a negative prompt", None, last, latents)


FLOWS: dict[str, dict[str, Any]] = {
    "FlowMatchEulerDiscreteScheduler": {"shift": 2.0},
    "FlowMatchHeunDiscreteScheduler": {"shift": 3.0},
    "UniPCMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 3.0},
    "DPMSolverMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 2.0},
}
NO_T5 = {"text_encoder_3": None, "tokenizer_3": None}
DYNAMIC = {"use_dynamic_shifting": True, "time_shift_type": "exponential"}
"""What FLUX's pipeline needs of a scheduler: it hands the shift over with each run."""

PREDICTS = {"prediction_type": "flow_prediction"}
STAYS: dict[str, dict[str, Any]] = {"DEISMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 2.0}}
MATCHED = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")
"""Made for flows: they need not be told that the network predicts one."""


def flow_theirs(
    folder: Path, scheduler: str | None, scale: float, begin: torch.Tensor
) -> tuple[torch.Tensor, np.ndarray]:
    """The same of the pipelines of flow transformers; latents come back as (1, 4, 16, 16)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = (folder / "text_encoder_3").is_dir() or not (folder / "text_encoder_2/model.safetensors").is_file()
        lacks = {} if whole or "FluxPipeline" in (folder / "model_index.json").read_text() else NO_T5
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder, **lacks)
        pipe.set_progress_bar_config(disable=True)
        packs = isinstance(pipe, diffusers.FluxPipeline)
        if scheduler:
            made = getattr(diffusers, scheduler)
            dynamic = DYNAMIC if packs else {}
            pipe.scheduler = made(
                **{**FLOWS, **STAYS}[scheduler], **({} if scheduler in MATCHED else PREDICTS | dynamic)
            )
            if packs and scheduler in MATCHED:
                pipe.scheduler = Lent(pipe.scheduler)  # with sigmas of its own, not those that the pipeline gives
        given = pipe._pack_latents(begin, 1, 4, 16, 16) if packs else begin
        away = {} if packs else {"negative_prompt": AWAY}
        words = {"prompt": PROMPT, "guidance_scale": scale, "num_inference_steps": STEPS, "height": 32, "width": 32}
        latents = pipe(**words, **away, latents=given, output_type="latent").images
        pixels = pipe(**words, **away, latents=given, output_type="np").images
        if packs:
            latents = pipe._unpack_latents(latents, 32, 32, pipe.vae_scale_factor)
    return latents, np.round(pixels[0] * 255).astype(np.uint8)


@pytest.mark.parametrize("family", ["sd3", "sd3_without_t5", "flux_dev", "flux_schnell"])
@pytest.mark.parametrize("scheduler", [None, *FLOWS])
def test_flow_transformers(family: str, scheduler: str | None, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    scale = {"flux_schnell": 1.0}.get(family, 4.0)
    options = dict(FLOWS[scheduler]) if scheduler else {}
    if "flux" in family:
        options |= {"flow_shift": mu_shift(64)} if scheduler and scheduler not in MATCHED else {}
    flags = ",".join(f"{k}={v}" for k, v in options.items())
    words = {} if "flux" in family else {"negative_prompt": AWAY}
    job = mz.prepare(
        PROMPT, model=folder, seed=SEED, steps=STEPS, scale=scale, size="32x32", **words,
        solver=f"{scheduler}:{flags}" if scheduler else None,
    )  # fmt: skip
    begin = start(Noise((SEED,)), (4, 16, 16), job.stages[0].plan.levels)
    latents, pixels = flow_theirs(folder, scheduler, scale, begin)
    events = list(mz.stream(job))
    mine = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    made = next(e.pixels for e in events if isinstance(e, mz.Image))
    assert agree(NAMES[family], scheduler, mine, latents, made, pixels) and pixels.std() > 5


def test_deis_on_a_flow_ends_clean(sd3: Path) -> None:
    """diffusers' last step goes from its last sigma to the same one: its picture is ours a step before the end."""
    solver = "DEISMultistepScheduler:use_flow_sigmas=True,flow_shift=2.0"
    job = mz.prepare(PROMPT, model=sd3, seed=SEED, steps=STEPS, scale=4.0, negative_prompt=AWAY, solver=solver)
    begin = start(Noise((SEED,)), (4, 16, 16), job.stages[0].plan.levels)
    latents, _ = flow_theirs(sd3, "DEISMultistepScheduler", 4.0, begin)
    states = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)]
    assert (states[-2] - latents).abs().max() < 1e-3 < (states[-1] - latents).abs().max()
