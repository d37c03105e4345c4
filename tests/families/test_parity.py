"""The same pictures as diffusers' pipelines: same files, same steps, same starting noise."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

import mezzotint as mz
from mezzotint.diffusion.noise import Noise

PROMPT, AWAY = "a red chair on a beige background", "blue"
STEPS, SEED = 6, 11
OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {"steps_offset": 1, "set_alpha_to_one": False},
    "DPMSolverMultistepScheduler": {"use_karras_sigmas": True},
    "EulerDiscreteScheduler": {"timestep_spacing": "leading", "steps_offset": 1},
    "UniPCMultistepScheduler": {},
}
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
        start = Noise((SEED,))(0, (1, 4, side, side)).float()
        latents = pipe(**words, latents=start, num_inference_steps=STEPS, output_type="latent").images
        pixels = pipe(**words, latents=start, num_inference_steps=STEPS, output_type="np").images
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
    assert (mine - latents).abs().max() < 1e-4 * max(1.0, float(latents.abs().max()))
    assert np.abs(made.astype(int) - pixels.astype(int)).max() <= 1
    assert pixels.std() > 5


def test_nothing_to_steer_away_from(sd1: Path, sdxl: Path) -> None:
    """No negative prompt: the empty prompt's states for SD, zeros for SDXL, as the pipelines have it."""
    for folder in (sd1, sdxl):
        latents, _ = theirs(folder, None, prompt=PROMPT, guidance_scale=3.0)
        job = mz.prepare(PROMPT, model=folder, seed=SEED, steps=STEPS, scale=3.0)
        last = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]
        assert (last - latents).abs().max() < 1e-4 * max(1.0, float(latents.abs().max()))
