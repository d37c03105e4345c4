"""Checkpoints distilled to few steps: told their scale, or sampled without any; found by their configuration."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import diffusers
import pytest
from asking import request_of
from checkpoints import SD_BETAS, changed, unet
from lent import CLIPS, Lent
from parity import agree
from pipelines import Made as Run
from pipelines import from_words, opened
from thinned import thinned

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.pretrained.system import describe_system

SEED, PROMPT = 7, "a red chair"
XL = {
    "cross_attention_dim": 56, "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 24 + 6 * 8, "transformer_layers_per_block": (1, 2),
    "use_linear_projection": True,
}  # fmt: skip
TRAILING = {**SD_BETAS, "timestep_spacing": "trailing"}
VELOCITY = {**TRAILING, "prediction_type": "v_prediction"}
ZERO = {**TRAILING, "rescale_betas_zero_snr": True}
Folders = dict[str, Path]


KINDS: dict[str, tuple[str, str, str, dict[str, Any], dict[str, Any]]] = {
    "lcm": ("sd1", "LatentConsistencyModelPipeline", "LCMScheduler", SD_BETAS, {"time_cond_proj_dim": 32}),
    "lcm-xl": ("sdxl", "StableDiffusionXLPipeline", "LCMScheduler", SD_BETAS, {"time_cond_proj_dim": 33, **XL}),
    "lcm-merged": ("sdxl", "StableDiffusionXLPipeline", "LCMScheduler", SD_BETAS, {}),
    "sd-turbo": ("sd1", "StableDiffusionPipeline", "EulerDiscreteScheduler", TRAILING, {}),
    "sdxl-turbo": ("sdxl", "StableDiffusionXLPipeline", "EulerAncestralDiscreteScheduler", TRAILING, {}),
    "lightning": ("sdxl", "StableDiffusionXLPipeline", "EulerDiscreteScheduler", TRAILING, {}),
    "velocity": ("sdxl", "StableDiffusionXLPipeline", "EulerDiscreteScheduler", VELOCITY, {}),
    "zero-terminal": ("sdxl", "StableDiffusionXLPipeline", "EulerDiscreteScheduler", ZERO, {}),
}
"""Name -> base, pipeline, scheduler, its flags, what the U-Net has otherwise."""


@pytest.fixture(scope="module")
def made(sd1: Path, sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folder, bases, found = tmp_path_factory.mktemp("few"), {"sd1": sd1, "sdxl": sdxl}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (base, pipeline, scheduler, flags, net) in KINDS.items():
            parts = {"scheduler": getattr(diffusers, scheduler)(**flags), **({"unet": unet(**net)} if net else {})}
            found[name] = changed(bases[base], folder / name, getattr(diffusers, pipeline), **parts)
    return found


OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {"timestep_spacing": "trailing"},
    "DPMSolverMultistepScheduler": {"timestep_spacing": "trailing"},
    "UniPCMultistepScheduler": {"timestep_spacing": "trailing"},
    "DDPMScheduler": {"timestep_spacing": "trailing"},
}


def theirs(folder: Path, job: mz.Job, scheduler: str | None = None) -> Run:
    """The pipeline's, from our noise at the beginning and in every step."""
    pipe = opened(folder)
    if scheduler:
        free = {"clip_sample": False} if scheduler in CLIPS else {}
        pipe.scheduler = Lent(getattr(diffusers, scheduler)(**SD_BETAS, **OTHERS[scheduler], **free))
    return from_words(pipe, job)


CASES = {"lcm": 8.0, "lcm-xl": 3.0, "lcm-merged": 1.0, "sd-turbo": 1.0, "sdxl-turbo": 1.0, "lightning": 1.0}
"""Kind -> the scale that it is asked at."""


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "kind"), thinned([4, 1], CASES))
def test_the_pipelines_pictures(steps: int, kind: str, made: Folders) -> None:
    # theirs has guidance off from 1 down; a model that is told its scale is told s - 1 in both
    job = mz.prepare(request_of(PROMPT, model=made[kind], seed=SEED, steps=steps, scale=CASES[kind]))
    latents, pixels = theirs(made[kind], job)
    events = list(mz.stream(job))
    mine = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    picture = next(e.pixels for e in events if isinstance(e, mz.Image))
    assert agree(f"few steps: {kind}", None, mine, latents, picture, pixels) and pixels.std() > 5


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("scheduler", "kind"), thinned(OTHERS, CASES))
def test_with_another_scheduler(scheduler: str, kind: str, made: Folders) -> None:
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items())
    job = mz.prepare(
        request_of(PROMPT, model=made[kind], seed=SEED, steps=4, scale=CASES[kind], solver=f"{scheduler}:{flags}")
    )
    latents, pixels = theirs(made[kind], job, scheduler)
    events = list(mz.stream(job))
    mine = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    picture = next(e.pixels for e in events if isinstance(e, mz.Image))
    assert agree(f"few steps: {kind}", scheduler, mine, latents, picture, pixels) and pixels.std() > 5


def test_presets_follow_the_configuration(made: Folders, sd1: Path, sd2: Path, sdxl: Path) -> None:
    def preset(folder: Path) -> tuple[int, float]:
        standard = describe_system(folder).members[0].described.spec.sampling["standard"]
        return standard.steps, standard.scale

    few = {name: preset(folder) for name, folder in made.items()}
    assert few.pop("lcm") == few.pop("lcm-xl") == (4, 8.0)
    assert few.pop("zero-terminal") == few.pop("velocity") == preset(sdxl) == (50, 5.0)
    assert set(few.values()) == {(4, 1.0)}
    assert preset(sd1) == preset(sd2) == (50, 7.5)


def test_a_scale_that_is_told_costs_no_second_call_and_matters(made: Folders) -> None:
    explained = mz.explain(made["lcm"])
    assert explained.calls == 4
    one, other = (
        mz.generate(PROMPT, model=made["lcm"], seed=SEED, scale=s, steps=2).images[0].pixels for s in (1.5, 9.0)
    )
    assert (one != other).any()


@pytest.mark.parametrize("family", ["lcm", "flux_dev"])
def test_a_negative_prompt_without_effect_is_refused(
    family: str, made: Folders, request: pytest.FixtureRequest
) -> None:
    folder = made[family] if family in made else request.getfixturevalue(family)
    with pytest.raises(UsageError, match="whose guidance is in its weights"):
        mz.prepare(request_of(PROMPT, model=folder, negative_prompt="blue"))
    with pytest.raises(UsageError, match="no effect at scale 1"):
        mz.prepare(request_of(PROMPT, model=made["lightning"], negative_prompt="blue"))
