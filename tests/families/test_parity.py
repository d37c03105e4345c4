"""The same pictures as diffusers' pipelines: same files, same steps, same starting noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import pytest
from asking import request_of
from lent import Lent
from parity import agree
from pipelines import Made, from_words, opened
from thinned import thinned

import mezzotint as mz
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


def theirs(folder: Path, job: mz.Job, scheduler: str | None) -> Made:
    """Of the pipeline, from our noise."""
    pipe = opened(folder)
    if scheduler:
        base = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_") or k == "prediction_type"}
        made = getattr(diffusers, scheduler)
        pipe.scheduler = made(**base, **OTHERS[scheduler], **CLIPS.get(scheduler, {}))
    return from_words(pipe, job)


def ours(job: mz.Job) -> Made:
    last = None
    for event in mz.stream(job):
        if isinstance(event, mz.Progress):
            last = event.state.x
        else:
            return last, event.pixels
    raise AssertionError("no picture")


@pytest.mark.parametrize(("scheduler", "family"), thinned([None, *OTHERS], ["sd1", "sd2", "sdxl"]))
def test_latents_and_pixels(family: str, scheduler: str | None, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    solver = f"{scheduler}:{flags}".rstrip(":") if scheduler else None
    job = mz.prepare(
        request_of(PROMPT, model=folder, seed=SEED, negative_prompt=AWAY, steps=STEPS, scale=5.0, solver=solver)
    )
    (mine, made), (latents, pixels) = ours(job), theirs(folder, job, scheduler)
    assert agree(NAMES[family], scheduler, mine, latents, made, pixels)
    assert pixels.std() > 5


@pytest.mark.slow
def test_nothing_to_steer_away_from(sd1: Path, sdxl: Path) -> None:
    """No negative prompt: the empty prompt's states for SD, zeros for SDXL, as the pipelines have it."""
    for folder in (sd1, sdxl):
        job = mz.prepare(request_of(PROMPT, model=folder, seed=SEED, steps=STEPS, scale=3.0))
        assert agree("without a negative prompt", None, ours(job)[0], theirs(folder, job, None)[0])


FLOWS: dict[str, dict[str, Any]] = {
    "FlowMatchEulerDiscreteScheduler": {"shift": 2.0},
    "FlowMatchHeunDiscreteScheduler": {"shift": 3.0},
    "UniPCMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 3.0},
    "DPMSolverMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 2.0},
}
DYNAMIC = {"use_dynamic_shifting": True, "time_shift_type": "exponential"}
"""What FLUX's pipeline needs of a scheduler: it hands the shift over with each run."""

PREDICTS = {"prediction_type": "flow_prediction"}
STAYS: dict[str, dict[str, Any]] = {"DEISMultistepScheduler": {"use_flow_sigmas": True, "flow_shift": 2.0}}
MATCHED = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")
"""Made for flows: they need not be told that the network predicts one."""


def flow_theirs(folder: Path, job: mz.Job, scheduler: str | None) -> Made:
    """The same of the pipelines of flow transformers."""
    pipe = opened(folder)
    packs = isinstance(pipe, diffusers.FluxPipeline)
    if scheduler:
        made, dynamic = getattr(diffusers, scheduler), DYNAMIC if packs else {}
        pipe.scheduler = made(**{**FLOWS, **STAYS}[scheduler], **({} if scheduler in MATCHED else PREDICTS | dynamic))
        if packs and scheduler in MATCHED:
            pipe.scheduler = Lent(pipe.scheduler)  # with sigmas of its own, not those that the pipeline gives
    return from_words(pipe, job)


@pytest.mark.parametrize(
    ("scheduler", "family"), thinned([None, *FLOWS], ["sd3", "sd3_without_t5", "flux_dev", "flux_schnell"])
)
def test_flow_transformers(family: str, scheduler: str | None, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    scale = {"flux_schnell": 1.0}.get(family, 4.0)
    options = dict(FLOWS[scheduler]) if scheduler else {}
    if "flux" in family:
        options |= {"flow_shift": mu_shift(64)} if scheduler and scheduler not in MATCHED else {}
    flags = ",".join(f"{k}={v}" for k, v in options.items())
    words = {} if "flux" in family else {"negative_prompt": AWAY}
    job = mz.prepare(request_of(
        PROMPT, model=folder, seed=SEED, steps=STEPS, scale=scale, size="32x32", **words,
        solver=f"{scheduler}:{flags}" if scheduler else None,
    ))  # fmt: skip
    (mine, made), (latents, pixels) = ours(job), flow_theirs(folder, job, scheduler)
    assert agree(NAMES[family], scheduler, mine, latents, made, pixels) and pixels.std() > 5


def test_deis_on_a_flow_ends_clean(sd3: Path) -> None:
    """diffusers' last step goes from its last sigma to the same one: its picture is ours a step before the end."""
    solver = "DEISMultistepScheduler:use_flow_sigmas=True,flow_shift=2.0"
    job = mz.prepare(
        request_of(PROMPT, model=sd3, seed=SEED, steps=STEPS, scale=4.0, negative_prompt=AWAY, solver=solver)
    )
    latents, _ = flow_theirs(sd3, job, "DEISMultistepScheduler")
    states = [e.state.x for e in mz.stream(job) if isinstance(e, mz.Progress)]
    assert (states[-2] - latents).abs().max() < 1e-3 < (states[-1] - latents).abs().max()
