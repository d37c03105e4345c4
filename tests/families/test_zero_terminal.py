"""Stable Diffusion 2 with zero terminal SNR: the pipeline's pictures from alpha = 0, and of classes that stop short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from checkpoints import SD_BETAS, changed
from parity import agree
from PIL import Image
from pipelines import Made, from_picture, from_words, opened
from safetensors.torch import load_file, save_file
from singles import stable_diffusion_xl as one_file_xl

import mezzotint as mz
from mezzotint.diffusion.aliases import resolve
from mezzotint.diffusion.schedule import linear, scaled_linear, zero_terminal_snr
from mezzotint.pretrained.original import original

PROMPT, AWAY, SEED, STEPS = "a red chair on a beige background", "blue", 11, 5
"""Steps that divide the table: diffusers' DDIM steps to T/N below, which otherwise is not where its next step is."""
ZERO = {
    **SD_BETAS, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True,
    "steps_offset": 1,
}  # fmt: skip
FREE = {"clip_sample": False}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "DDPMScheduler": ("DDPMScheduler", {}),
    "DPMSolverMultistepScheduler": ("DPMSolverMultistepScheduler", {}),
    "EulerAncestralDiscreteScheduler": ("EulerAncestralDiscreteScheduler", {}),
    "EulerDiscreteScheduler": ("EulerDiscreteScheduler", {}),
    "UniPCMultistepScheduler": ("UniPCMultistepScheduler", {}),
    "DPM++ 3M": ("DPMSolverMultistepScheduler", {"solver_order": 3}),
    "DPM++ 2M, a ramp": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "Euler, over trailing": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "Euler, linspace": ("EulerDiscreteScheduler", {"timestep_spacing": "linspace"}),
}


@pytest.fixture(scope="module")
def zero(sd2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scheduler = diffusers.DDIMScheduler(**ZERO, **FREE)
    folder = tmp_path_factory.mktemp("zero") / "model"
    return changed(sd2, folder, diffusers.StableDiffusionPipeline, scheduler=scheduler)


def ours(job: mz.Job) -> Made:
    events = list(mz.stream(job))
    states = [e.state.x for e in events if isinstance(e, mz.Progress)]
    return states[-1], next(e.pixels for e in events if isinstance(e, mz.Image))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("name", [None, *OTHERS])
def test_the_pipeline_s_pictures(name: str | None, zero: Path) -> None:
    kind, said = OTHERS[name] if name else ("DDIMScheduler", {})
    said = said if "ramp" in str(name) else {"timestep_spacing": "trailing", **said}
    solver = f"{kind}:{','.join(f'{k}={v}' for k, v in said.items())}" if name else None
    job = mz.prepare(
        request_of(PROMPT, model=zero, seed=SEED, steps=STEPS, scale=5.0, negative_prompt=AWAY, solver=solver)
    )
    pipe = opened(zero)
    free = FREE if "clip_sample" in getattr(diffusers, kind)().config else {}
    pipe.scheduler = getattr(diffusers, kind)(**{**ZERO, **said, **free}) if name else pipe.scheduler
    (mine, made), (latents, pixels) = ours(job), from_words(pipe, job)
    assert agree("Stable Diffusion 2, zero terminal SNR", name or kind, mine, latents, made, pixels)
    assert pixels.std() > 5


def test_a_whole_trajectory_from_a_picture_owes_it_nothing(zero: Path, tmp_path: Path) -> None:
    Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)).save(tmp_path / "in.png")
    words = {"model": zero, "seed": SEED, "steps": STEPS, "scale": 5.0, "negative_prompt": AWAY}
    job = mz.prepare(request_of(PROMPT, **words, image=tmp_path / "in.png", strength=1.0))
    pipe = opened(zero, diffusers.StableDiffusionImg2ImgPipeline)
    (mine, _), (latents, _) = ours(job), from_picture(pipe, job, tmp_path / "in.png", strength=1.0)
    assert agree("the same, from a picture", None, mine, latents)
    assert torch.equal(mine, ours(mz.prepare(request_of(PROMPT, **words)))[0])


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("DDIMScheduler", 0.0),
        ("DDPMScheduler", 0.0),
        ("EulerDiscreteScheduler", 2**-12),
        ("EulerAncestralDiscreteScheduler", 2**-12),
        ("DPMSolverMultistepScheduler", 2**-12),
        ("UniPCMultistepScheduler", 2**-12),
    ],
)
def test_where_each_class_begins(name: str, first: float) -> None:
    """Those that count in sigma/alpha begin at 4096; on a table whose other entries are nearer to 0 at infinity."""
    place = resolve(name, {"timestep_spacing": "trailing"}).grid
    alpha = [float(place(zero_terminal_snr(table()), 4).alpha[0]) for table in (scaled_linear, linear)]
    assert alpha == [pytest.approx(first, rel=1e-9), 0.0]
    assert float(place(scaled_linear(), 4).alpha[0]) == pytest.approx(0.0682649, rel=1e-4)


def test_a_file_that_says_so_begins_in_noise(tmp_path: Path) -> None:
    """By tensors without content, ``v_pred`` and ``ztsnr``, as ComfyUI reads them."""
    _, file = one_file_xl(tmp_path)
    save_file({**load_file(file), "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, tmp_path / "zero.safetensors")
    assert "rescale_betas_zero_snr" not in original(file)["scheduler"].config
    first = mz.prepare(request_of("red", model=tmp_path / "zero.safetensors", steps=4)).main.plan.levels[0]
    assert (float(first.alpha), float(first.index)) == (pytest.approx(2**-12), 999.0)
