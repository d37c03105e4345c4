"""DeepFloyd IF: the pipelines' pictures of stage I, and of both stages."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from cascade_peers import deepfloyd, deepfloyd_edited, third
from cascades import if_first, if_second
from checkpoints import upscaler
from lent import Lent
from parity import agree
from PIL import Image
from pipelines import Made, opened
from thinned import thinned

import mezzotint as mz
from mezzotint.cli.generate import command
from mezzotint.errors import MezzotintError
from mezzotint.making.job import Planned
from mezzotint.pretrained.families.cascade import bounds_of
from mezzotint.pretrained.plan import plan

PROMPT, AWAY, SEED, STEPS, SCALE = "A red CHAIR ", "blue", 7, 6, 5.0
BOUNDS = {"thresholding": True, "dynamic_thresholding_ratio": 0.95, "sample_max_value": 1.5}
TABLE = {"beta_schedule": "squaredcos_cap_v2"}
OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {},
    "DDPMScheduler": {"variance_type": "fixed_small"},
    "DPMSolverMultistepScheduler": {},
    "UniPCMultistepScheduler": {},
}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return if_first(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return if_second(tmp_path_factory.mktemp("second"))


def enlarged(job: mz.Job, first: Path, second: Path | None, scheduler: str | None = None) -> Made:
    """Of the pipelines.   scheduler: of stage I, in its own one's place."""
    one = opened(first)
    if scheduler:
        one.scheduler = Lent(getattr(diffusers, scheduler)(**TABLE, **BOUNDS, **OTHERS[scheduler]))
    two = None if second is None else opened(second, text_encoder=None, tokenizer=None)
    return deepfloyd(one, two, job)


def ours(job: mz.Job) -> tuple[torch.Tensor, mz.Image]:
    events = list(mz.stream(job))
    return [e.state.x for e in events if isinstance(e, mz.Progress)][-1], events[-1]


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("away", "scheduler"), [("", None), (AWAY, None), *((AWAY, name) for name in OTHERS)])
def test_stage_i_s_pictures(away: str, scheduler: str | None, first: Path) -> None:
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    solver = f"{scheduler}:{flags}".rstrip(":") if scheduler else None
    job = mz.prepare(
        request_of(PROMPT, model=first, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=away, solver=solver)
    )
    latents, pixels = enlarged(job, first, None, scheduler)
    mine, image = ours(job)
    assert agree("DeepFloyd IF, stage I", scheduler, mine, latents, image.pixels, pixels) and pixels.std() > 5


def test_both_stages_pictures(first: Path, second: Path) -> None:
    job = mz.prepare(
        request_of(PROMPT, model=first, then=[second], seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=AWAY)
    )
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(STEPS, SCALE), (50, 4.0)]
    job = replace(job, stages=(job.stages[0], in_steps(job.stages[1], STEPS)))
    latents, pixels = enlarged(job, first, second)
    mine, image = ours(job)
    assert agree("DeepFloyd IF, both stages", None, mine, latents, image.pixels, pixels) and pixels.std() > 5
    made = image.receipt.made
    assert image.pixels.shape == (32, 32, 3) and len({stage.weights_sha256 for stage in made.stages}) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", OTHERS)
def test_with_another_scheduler_in_stage_ii(scheduler: str, first: Path, tmp_path: Path) -> None:
    """Its folder says it; ``--solver`` reaches stage I alone.  In fewer steps than its own 50, to be quick."""
    told = getattr(diffusers, scheduler)(**TABLE, **{**BOUNDS, "sample_max_value": 1.2}, **OTHERS[scheduler])
    second = if_second(tmp_path, scheduler=told)
    job = mz.prepare(
        request_of(PROMPT, model=first, then=[second], seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=AWAY)
    )
    job = replace(job, stages=(job.stages[0], in_steps(job.stages[1], STEPS)))
    latents, pixels = enlarged(job, first, second)
    mine, image = ours(job)
    assert agree("DeepFloyd IF, both stages", scheduler, mine, latents, image.pixels, pixels) and pixels.std() > 5


def in_steps(stage: Planned, steps: int) -> Planned:
    """A stage with another number of steps, for which there is no word."""
    made = plan(stage.model.spec, steps=steps)
    return replace(stage, plan=made, model=stage.model.on(made.levels))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of both stages' sizes, and masks of their right parts."""
    folder = tmp_path_factory.mktemp("files")
    for side in (16, 32):
        y, x = np.mgrid[:side, :side] * (32 // side)
        Image.fromarray(np.stack([8 * y, 8 * x, 4 * (x + y)], -1).astype(np.uint8)).save(folder / f"{side}.png")
        Image.fromarray(np.where(x > 13, 255, 0).astype(np.uint8)).save(folder / f"{side}-mask.png")
    return folder


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("scheduler", "masked"), thinned([None, *OTHERS], [False, True]))
def test_stage_i_from_a_picture(scheduler: str | None, masked: bool, first: Path, files: Path) -> None:
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    words = {"mask": files / "16-mask.png"} if masked else {"strength": 0.7}
    job = mz.prepare(request_of(
        PROMPT, model=first, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=AWAY, image=files / "16.png",
        solver=f"{scheduler}:{flags}".rstrip(":") if scheduler else None, **words,
    ))  # fmt: skip
    one = opened(first)
    if scheduler:
        one.scheduler = Lent(getattr(diffusers, scheduler)(**TABLE, **BOUNDS, **OTHERS[scheduler]))
    latents, pixels = deepfloyd_edited(one, None, job)
    mine, image = ours(job)
    what = f"DeepFloyd IF, stage I {'inside a mask' if masked else 'from a picture'}"
    assert agree(what, scheduler, mine, latents, image.pixels, pixels) and pixels.std() > 5


@pytest.mark.parametrize("masked", [pytest.param(False, marks=pytest.mark.slow), True])
def test_both_stages_from_a_picture(masked: bool, first: Path, second: Path, files: Path) -> None:
    """Stage II in its own 40 of 50 steps; told the smaller picture without noise where there is a mask."""
    words = {"mask": files / "32-mask.png"} if masked else {"strength": 0.7}
    job = mz.prepare(request_of(
        PROMPT, model=first, then=[second], seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=AWAY,
        image=files / "32.png", **words,
    ))  # fmt: skip
    assert job.stages[1].run == range(10, 50) and job.stages[1].link["level"] == (0 if masked else 250)
    assert job.total == (STEPS if masked else int(STEPS * 0.7)) + 40
    latents, pixels = deepfloyd_edited(opened(first), opened(second, text_encoder=None, tokenizer=None), job)
    mine, image = ours(job)
    what = f"DeepFloyd IF, both stages {'inside a mask' if masked else 'from a picture'}"
    assert agree(what, None, mine, latents, image.pixels, pixels) and pixels.std() > 5
    own = job.edit.pixels[:, :13]
    assert np.array_equal(image.pixels[:, :13], own) == masked  # known pixels never had noise


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return upscaler(tmp_path_factory.mktemp("last"))


@pytest.mark.parametrize("masked", [pytest.param(False, marks=pytest.mark.slow), True])
def test_three_stages(masked: bool, first: Path, second: Path, last: Path, tmp_path: Path) -> None:
    """The x4 upscaler on stage II's picture as floats, told what its own encoder makes of the prompt."""
    words: dict[str, Any] = {}
    if masked:
        pixels = np.mgrid[:128, :128].sum(0).astype(np.uint8)[..., None].repeat(3, -1)
        Image.fromarray(pixels).save(tmp_path / "in.png")
        Image.fromarray(np.where(pixels[..., 0] > 90, 255, 0).astype(np.uint8)).save(tmp_path / "mask.png")
        words = {"image": tmp_path / "in.png", "mask": tmp_path / "mask.png"}
    job = mz.prepare(
        request_of(
            PROMPT, model=first, then=[second, last], seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=AWAY, **words
        )
    )
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(STEPS, SCALE), (50, 4.0), (75, 9.0)]
    assert job.size == (128, 128) and job.stages[2].link["level"] == 100
    job = replace(job, stages=(*job.stages[:2], in_steps(job.stages[2], STEPS)))
    assert set(job.memory.weights) == {
        "text_encoder", "unet", "then_unet", "last_text_encoder", "last_unet", "last_vae"
    }  # fmt: skip
    one, two = opened(first), opened(second, text_encoder=None, tokenizer=None)
    small, _ = (deepfloyd_edited if masked else deepfloyd)(one, two, job)
    latents, pixels = third(opened(last), job, small)
    mine, image = ours(job)
    what = f"DeepFloyd IF, three stages{' inside a mask' if masked else ''}"
    assert agree(what, None, mine, latents, image.pixels, pixels) and pixels.std() > 5
    made = image.receipt.made
    assert len({stage.weights_sha256 for stage in made.stages}) == 3
    assert {one["encoder"] for one in made.tokens} == {"text_encoder", "last_text_encoder"}


def test_what_is_read(first: Path, second: Path) -> None:
    job = mz.prepare(request_of(PROMPT, model=first, then=[second], offload=True))
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(100, 7.0), (50, 4.0)]
    assert job.pictures[0].told.read == ("a red chair", "")
    assert job.pictures[0].told.conds(torch.float32)[0]["text"].shape == (1, 77, 32)
    assert job.memory is not None and set(job.memory.weights) == {"text_encoder", "unet", "then_unet"}
    one, other = (mz.generate(p, model=first, steps=2, seed=1).images[0].pixels for p in ("red", "chair"))
    assert (one != other).any()


@pytest.mark.slow
def test_typed(first: Path, second: Path, tmp_path: Path) -> None:
    words = ["red", "--model", str(first), "--then", str(second), "--steps", "2", "--quiet"]
    command.main([*words, "--out", str(tmp_path / "made")], standalone_mode=False)
    with Image.open(next((tmp_path / "made").glob("red-*.png"))) as picture:
        assert picture.size == (32, 32)


def test_what_is_wrong_is_said(first: Path, second: Path, last: Path, sd1: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "in.png")
    for words, message in (
        ({"model": second}, "enlarges what stage I makes; give it as --then"),
        ({"model": first, "then": [sd1]}, "is no second stage for IF-I; expected the folder of a IFSuperResolution"),
        ({"model": sd1, "then": [second]}, "takes no second stage; expected a IFPipeline"),
        ({"model": first, "size": "32x32"}, "it makes 16x16"),
        ({"model": first, "then": [second, second]}, "is no third stage for IF-I; expected the folder of a StableDiff"),
        ({"model": first, "then": [second] * 3}, "3 further stages were given; expected at most 2"),
        ({"model": first, "then": [second, last], "size": "64x64"}, "it makes 128x128"),
        ({"model": first, "then": [second], "lora": ["a.safetensors"]}, "runs in stages and takes no LoRA"),
    ):
        with pytest.raises(MezzotintError, match=message):
            mz.prepare(request_of("red", **words))


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("IF-I/unet", {"in_channels": 4}, "in_channels is 4; expected 3"),
        ("IF-I/unet", {"encoder_hid_dim": 20}, "encoder_hid_dim is 20; expected 32"),
        ("IF-I/scheduler", {"prediction_type": "x"}, "prediction_type"),
        ("IF-II/unet", {"in_channels": 3}, "in_channels is 3; expected 6"),
        ("IF-II/unet", {"out_channels": 3}, "out_channels is 3; expected 6"),
        ("IF-II/unet", {"class_embed_type": None}, "it is not told a level of noise"),
        ("IF-II/image_noising_scheduler", {"num_train_timesteps": 250}, "its table ends before 250"),
    ],
)
def test_bad_folders(
    part: str, change: dict[str, Any], message: str, first: Path, second: Path, tmp_path: Path
) -> None:
    for folder in (first, second):
        shutil.copytree(folder, tmp_path / folder.name)
    path = next((tmp_path / part).glob("*config.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(MezzotintError, match=message):
        mz.prepare(request_of("red", model=tmp_path / "IF-I", then=[tmp_path / "IF-II"]))


def test_a_text_encoder_of_stage_ii_s_own_is_not_read(first: Path, second: Path, tmp_path: Path) -> None:
    other = if_second(tmp_path, with_t5=True)
    one, two = (mz.prepare(request_of("red", model=first, then=[each])) for each in (second, other))
    assert one.memory == two.memory and one.model.system.text == two.model.system.text


def test_a_stage_without_text_encoder_is_named(first: Path, tmp_path: Path) -> None:
    index = shutil.copytree(first, tmp_path / "IF-I") / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"text_encoder": [None, None]}))
    with pytest.raises(MezzotintError, match="has no text_encoder; a IFPipeline needs one"):
        mz.prepare(request_of("red", model=tmp_path / "IF-I"))


@pytest.mark.parametrize(
    "name", ["DDPMScheduler", "DDIMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "LCMScheduler"]
)
def test_bounds_that_a_configuration_leaves_out_are_those_of_its_class(name: str) -> None:
    its_own = getattr(diffusers, name)().config.get("clip_sample", False)
    assert bool(bounds_of({"_class_name": name})) == bool(its_own)
