"""Checkpoints that are told the mask, against diffusers' pipelines; and painting around a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
from asking import request_of
from checkpoints import flux, stable_diffusion_inpaint, stable_diffusion_xl
from lent import Lent
from parity import agree
from PIL import Image
from pipelines import Made, from_picture, opened
from thinned import thinned

import mezzotint as mz
from mezzotint.diffusion.schedule import mu_shift
from mezzotint.errors import MezzotintError, ModelError
from mezzotint.making.outpaint import Margins, framed, margins_of

SEED, STEPS, PROMPT = 4, 8, "a red chair"
DDIM = "DDIMScheduler:steps_offset=1,set_alpha_to_one=False"
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
OTHERS: dict[str, tuple[Any, str]] = {
    "ddim": (diffusers.DDIMScheduler(**BETAS, steps_offset=1, set_alpha_to_one=False, clip_sample=False), DDIM),
    "dpm": (
        diffusers.DPMSolverMultistepScheduler(**BETAS, use_karras_sigmas=True),
        "DPMSolverMultistepScheduler:use_karras_sigmas=True",
    ),
    "euler": (
        diffusers.EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1),
        "EulerDiscreteScheduler:timestep_spacing=leading,steps_offset=1",
    ),
}


def drawn(width: int = 32, height: int = 32) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, and a mask of an uneven part of it."""
    folder = tmp_path_factory.mktemp("inpaint")
    Image.fromarray(drawn()).save(folder / "in.png")
    mask = np.zeros((32, 32), np.uint8)
    mask[5:23, 14:] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(drawn(18, 24)).save(folder / "small.png")
    return folder


@pytest.fixture(scope="module")
def sd1_inpaint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stable_diffusion_inpaint(tmp_path_factory.mktemp("sd1"))


@pytest.fixture(scope="module")
def sdxl_inpaint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pipeline = diffusers.StableDiffusionXLInpaintPipeline
    return stable_diffusion_xl(tmp_path_factory.mktemp("sdxl"), pipeline, in_channels=9)


@pytest.fixture(scope="module")
def flux_fill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pipeline = diffusers.FluxFillPipeline
    return flux(tmp_path_factory.mktemp("fill"), distilled=True, pipeline=pipeline, channels=16 + 16 + 16)


def theirs(folder: Path, files: Path, scheduler: Any, job: mz.Job, **words: Any) -> Made:
    """Of the folder's own pipeline."""
    pipe = opened(folder)
    pipe.scheduler = scheduler or pipe.scheduler
    return from_picture(pipe, job, files / "in.png", files / "mask.png", **words)


def prepared(folder: Path, files: Path, **words: Any) -> mz.Job:
    given = {"image": files / "in.png", "mask": files / "mask.png"}
    return mz.prepare(request_of(PROMPT, model=folder, seed=SEED, steps=STEPS, **given, **words))


def ours(job: mz.Job) -> Made:
    events = list(mz.stream(job))
    latents = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    return latents, next(e.pixels for e in events if isinstance(e, mz.Image))


def same(what: str, scheduler: str | None, mine: Made, other: Made) -> None:
    assert agree(what, scheduler, mine[0], other[0], mine[1], other[1]) and other[1].std() > 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strength", "family", "scheduler"), thinned([1.0, 0.6], ["sd1_inpaint", "sdxl_inpaint"], [None, *OTHERS])
)
def test_a_unet_that_is_told_the_mask(
    family: str, strength: float, scheduler: str | None, files: Path, request: pytest.FixtureRequest
) -> None:
    if scheduler is None and strength < 1:
        pytest.skip("diffusers' PNDM begins halfway with the step before that one")
    folder = request.getfixturevalue(family)
    made, solver = OTHERS[scheduler] if scheduler else (None, None)
    job = prepared(folder, files, scale=3.0, solver=solver, strength=strength, negative_prompt="blue")
    same("inpainting models", scheduler, ours(job), theirs(folder, files, made, job, strength=strength))


FLOWS: dict[str, dict[str, Any]] = {
    "DPMSolverMultistepScheduler": {"use_flow_sigmas": True},
    "FlowMatchHeunDiscreteScheduler": {"shift": 3.0},
    "UniPCMultistepScheduler": {"use_flow_sigmas": True},
}
TOLD = {"use_dynamic_shifting": True, "time_shift_type": "exponential", "prediction_type": "flow_prediction"}
"""What those that know more than flows need of FLUX's pipelines."""


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", [None, *FLOWS])
def test_flux_fill(scheduler: str | None, flux_fill: Path, files: Path) -> None:
    made, solver = None, None
    if scheduler:
        flows = "use_flow_sigmas" in FLOWS[scheduler]
        made = Lent(getattr(diffusers, scheduler)(**FLOWS[scheduler], **(TOLD if flows else {})))
        flags = FLOWS[scheduler] | ({"flow_shift": mu_shift(64)} if flows else {})
        solver = f"{scheduler}:" + ",".join(f"{k}={v}" for k, v in flags.items())
    job = prepared(flux_fill, files, solver=solver)
    assert job.main.plan.scale == 30.0
    same("FLUX.1 Fill", scheduler, ours(job), theirs(flux_fill, files, made, job))


@pytest.mark.parametrize("family", ["sd1_inpaint", "sdxl_inpaint", "flux_fill"])
def test_locked_pixels_stay(family: str, files: Path, request: pytest.FixtureRequest) -> None:
    _, locked = ours(prepared(request.getfixturevalue(family), files, lock_mask=True))
    mask = np.asarray(Image.open(files / "mask.png")) > 0
    assert (locked[~mask] == drawn()[~mask]).all() and (locked[mask] != drawn()[mask]).mean() > 0.5


@pytest.mark.parametrize("family", ["sd1_inpaint", "sdxl_inpaint", "flux_fill"])
def test_such_a_model_needs_a_mask(family: str, files: Path, request: pytest.FixtureRequest) -> None:
    for given in ({}, {"image": files / "in.png"}):
        with pytest.raises(MezzotintError, match="paints inside a mask; give --image with --mask, or --outpaint"):
            mz.prepare(request_of(PROMPT, model=request.getfixturevalue(family), **given))


def test_channels_that_fit_nothing_are_named(tmp_path: Path) -> None:
    folder = stable_diffusion_xl(tmp_path, in_channels=7)
    with pytest.raises(ModelError, match="takes 7; expected 4, or 9 with a mask"):
        mz.prepare(request_of(PROMPT, model=folder))


# -- around a picture -------------------------------------------------------------------------------------------------


def test_the_frame_repeats_the_edge_and_is_painted_in_whole_blocks() -> None:
    picture = drawn(18, 24)
    found = framed(picture, Margins(9, 0, 5, 8), 8)
    assert found.pixels.shape == (32, 32, 3) and (found.pixels[:24, 9:27] == picture).all()
    assert (found.pixels[:24, :9] == picture[:, :1]).all() and (found.pixels[24:, 9:27] == picture[-1:]).all()
    assert not found.new[:24, 9:27].any() and found.new.sum() == 32 * 32 - 18 * 24
    assert not found.painted[:24, 16:24].any() and found.painted.sum() == 32 * 32 - 24 * 8


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux_dev", "sd1_inpaint", "sdxl_inpaint", "flux_fill"])
def test_the_picture_in_its_frame_is_kept_to_the_bit(family: str, files: Path, request: pytest.FixtureRequest) -> None:
    words = {"model": request.getfixturevalue(family), "steps": 2, "image": files / "small.png"}
    made = mz.generate(PROMPT, **words, outpaint="9,0,5,8", lock_mask=True).images[0]
    inner = made.pixels[:24, 9:27]
    assert made.pixels.shape == (32, 32, 3) and (inner == drawn(18, 24)).all()
    task = made.receipt.made.task
    assert task["name"] == "outpaint" and task["margins"] == [9, 0, 5, 8] and task["lock"] is True
    free = mz.generate(PROMPT, **words, outpaint="9,0,5,8").images[0].pixels
    assert (free[:24, 9:27] != drawn(18, 24)).any() and (free[24:] == made.pixels[24:]).all()


def test_our_own_models_paint_around_too(tmp_path: Path) -> None:
    Image.fromarray(drawn(20, 28)).save(tmp_path / "in.png")
    words = {"model": "fashion", "steps": 4, "threads": 1, "image": tmp_path / "in.png"}
    made = mz.generate("sneaker", outpaint="4,0,4,0", lock_mask=True, **words).images[0].pixels
    grey = np.asarray(Image.fromarray(drawn(20, 28)).convert("L"))
    assert made.shape == (28, 28, 1) and (made[:, 4:24, 0] == grey).all()
    with pytest.raises(MezzotintError, match="is 24x28 with its frame; fashion makes 28x28"):
        mz.generate("sneaker", outpaint="4,0,0,0", **words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"outpaint": "8,8,8"}, "is not LEFT,TOP,RIGHT,BOTTOM"),
        ({"outpaint": "8,8,8,-8"}, "is not LEFT,TOP,RIGHT,BOTTOM"),
        ({"outpaint": "0,0,0,0"}, "at least one side above 0"),
        ({"outpaint": "0,0,0,9999"}, "none above 4096"),
        ({"outpaint": "0,0,0,999999999999"}, "is not LEFT,TOP,RIGHT,BOTTOM"),
        ({"outpaint": "1,0,0,0"}, "size 33x32 cannot be made"),
        ({"outpaint": "8,0,0,0", "mask": "mask.png"}, "leave --mask and --size out"),
        ({"outpaint": "8,0,0,0", "size": "64x64"}, "leave --mask and --size out"),
        ({"outpaint": "8,0,0,0", "image": None}, "give --image"),
    ],
)
def test_faults(words: dict[str, Any], said: str, sd1: Path, files: Path) -> None:
    given = {"image": "in.png", **words}
    given = {k: files / v if k in ("image", "mask") and v else v for k, v in given.items()}
    with pytest.raises(MezzotintError, match=said) as error:
        mz.prepare(request_of(PROMPT, model=sd1, **given))
    assert "\n" not in str(error.value)


def test_margins_are_read() -> None:
    assert margins_of(" 1, 2,3 ,4", 9) == Margins(left=1, top=2, right=3, bottom=4)
