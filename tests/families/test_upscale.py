"""Larger pictures: the x4 upscaler as its pipeline does it, any model in tiles, sizes of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import how_of
from checkpoints import stable_diffusion_inpaint
from checkpoints import upscaler as made_upscaler
from parity import agree
from PIL import Image
from pipelines import enlarged, opened
from thinned import some

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import MezzotintError
from mezzotint.making.upscale import Enlarging, prepare_upscale
from mezzotint.pretrained.component_network import packed_network_of

SEED, STEPS, PROMPT, AWAY = 8, 5, "a red chair", "blue"


def drawn(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)


def saved(folder: Path, width: int, height: int) -> Path:
    path = folder / f"{width}x{height}.png"
    Image.fromarray(drawn(width, height)).save(path)
    return path


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_upscaler(tmp_path_factory.mktemp("upscaler"))


@contextmanager
def what_is_seen(folder: Path) -> Iterator[set[tuple[int, ...]]]:
    """Heights and widths that a folder's U-Net is called with."""
    from mezzotint.pretrained.components import components
    from mezzotint.pretrained.shelf import MANY, SHELF

    for room in (0, MANY):  # what tests before this one left there may hold another making of the network
        SHELF.resize(room)
    net, seen = packed_network_of(components(folder)["unet"], "cpu", torch.float32), set[tuple[int, ...]]()
    hook = net.register_forward_pre_hook(lambda _, given: seen.add(tuple(given[0].shape[-2:])))
    try:
        yield seen
    finally:
        hook.remove()


OTHERS: dict[str, dict[str, Any]] = {
    "EulerDiscreteScheduler": {"timestep_spacing": "leading", "steps_offset": 1},
    "DPMSolverMultistepScheduler": {"use_karras_sigmas": True},
    "UniPCMultistepScheduler": {},
    "DEISMultistepScheduler": {},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(
    ("level", "scheduler"), [(20, None), (140, None), (140, "EulerDiscreteScheduler"), *((20, name) for name in OTHERS)]
)
def test_the_upscaler_s_pictures(level: int, scheduler: str | None, upscaler: Path, tmp_path: Path) -> None:
    small = saved(tmp_path, 16, 24)
    pipe = opened(upscaler)
    if scheduler:
        base = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_") or k == "prediction_type"}
        pipe.scheduler = getattr(diffusers, scheduler)(**base, **OTHERS[scheduler])
    flags = ",".join(f"{k}={v}" for k, v in OTHERS[scheduler].items()) if scheduler else ""
    solver = f"{scheduler}:{flags}".rstrip(":") if scheduler else None
    how = how_of(upscaler, seed=SEED, steps=STEPS, scale=4.0, solver=solver, said=Prompts(PROMPT, AWAY))
    said = Enlarging(noise_level=level, tile=96)
    job = prepare_upscale(small, how, said)
    events = list(mz.stream(job))
    mine = [e.state.x for e in events if isinstance(e, mz.Progress)][-1]
    made = next(e.pixels for e in events if isinstance(e, mz.Image))
    latents, other = enlarged(pipe, job, small, level)
    assert made.shape == (96, 64, 3) and agree("x4 upscaler", scheduler, mine, latents, made, other) and other.std() > 5


def test_the_upscaler_in_tiles_of_any_size(upscaler: Path, tmp_path: Path) -> None:
    small = saved(tmp_path, 37, 21)
    with what_is_seen(upscaler) as seen:
        image = mz.upscale(small, model=upscaler, steps=2, tile=64, overlap=16).images[0]
    assert image.pixels.shape == (84, 148, 3) and seen == {(16, 16)}
    task = image.receipt.made.task
    assert task["name"] == "upscale" and task["by"] == 4 and task["noise_level"] == 20 and task["tile"] == 64
    assert image.receipt.made.size == (148, 84)


@pytest.mark.slow
@pytest.mark.parametrize("family", some(["sd1", "sdxl", "sd3", "flux_schnell"], "sd1", "sd3"))
def test_any_model_in_tiles(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder, small = request.getfixturevalue(family), saved(tmp_path, 29, 13)
    words = {"prompt": PROMPT, "model": folder, "steps": 4, "by": 3, "strength": 0.5, "tile": 32, "overlap": 8}
    one = mz.upscale(small, **words, seed=1).images[0]
    assert one.pixels.shape == (39, 87, 3)
    assert (mz.upscale(small, **words, seed=1).images[0].pixels == one.pixels).all()
    other = mz.upscale(small, **{**words, "tile": 40}, seed=1).images[0]
    assert other.receipt.made.asset_id != one.receipt.made.asset_id


def test_a_picture_no_larger_than_a_tile_is_image_to_image(sd1: Path, tmp_path: Path) -> None:
    small = saved(tmp_path, 16, 16)
    big = tmp_path / "big.png"
    Image.open(small).resize((32, 32), Image.Resampling.LANCZOS).save(big)
    made = mz.upscale(small, prompt=PROMPT, model=sd1, seed=SEED, steps=6, strength=0.5).images[0].pixels
    expected = mz.generate(PROMPT, model=sd1, seed=SEED, steps=6, strength=0.5, image=big).images[0].pixels
    assert np.array_equal(made, expected)


@pytest.mark.slow
def test_no_seams_and_never_more_than_a_tile(sd1: Path, tmp_path: Path) -> None:
    """Across tiles' borders pixels differ as they do anywhere."""
    path = tmp_path / "grey.png"
    Image.fromarray(np.full((64, 64, 3), 140, np.uint8)).save(path)
    words = {"prompt": PROMPT, "model": sd1, "steps": 6, "strength": 0.5, "by": 2, "tile": 32, "scale": 3.0}
    with what_is_seen(sd1) as seen:
        made = mz.upscale(path, **words, overlap=16, seed=2).images[0].pixels.astype(float)
    assert seen == {(16, 16)} and made.shape == (128, 128, 3)
    jumps = np.abs(np.diff(made, axis=1)).mean((0, 2))
    borders = [b + d for b in range(16, 112, 16) for d in (-1, 0)]
    assert jumps[borders].mean() < 1.15 * np.median(jumps)


def huge(path: Path) -> Path:
    """108 million pixels."""
    Image.new("1", (12_000, 9_000)).save(path)
    return path


def test_faults(sd1: Path, upscaler: Path, tmp_path: Path) -> None:
    small, wide = saved(tmp_path, 16, 16), saved(tmp_path, 2000, 1500)
    inpainter = stable_diffusion_inpaint(tmp_path)
    faults: list[tuple[dict[str, Any], str]] = [
        ({"model": sd1, "picture": wide, "by": 6}, "12000x9000, 108 million pixels; at most 16 million"),
        ({"model": sd1, "picture": huge(tmp_path / "huge.png")}, "at most 16000000 are taken, make it smaller"),
        ({"model": sd1, "by": 0}, "by is 0; expected 1 to 16"),
        ({"model": sd1, "tile": 12}, "expected a multiple of 8"),
        ({"model": sd1, "overlap": 20}, "expected 0 to 16, half a tile"),
        ({"model": sd1, "strength": 0.0}, "above 0 and at most 1"),
        ({"model": sd1, "noise_level": 3}, "no upscaler; see --strength"),
        ({"model": upscaler, "by": 2}, "4 times as large; leave --by out"),
        ({"model": upscaler, "strength": 0.5}, "an upscaler; see --noise-level"),
        ({"model": upscaler, "noise_level": 351}, "expected 0 to 350"),
        ({"model": inpainter}, "paints inside a mask"),
        ({"model": "fashion"}, "makes one size alone"),
        ({"model": sd1, "picture": tmp_path / "nowhere.png"}, "no file"),
    ]
    for words, said in faults:
        with pytest.raises(MezzotintError, match=said) as error:
            mz.upscale(**{"picture": small, **words})
        assert "\n" not in str(error.value)
    with pytest.raises(MezzotintError, match="use mezzotint upscale"):
        mz.generate(PROMPT, model=upscaler)


def test_the_command(sd1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, out = saved(tmp_path, 16, 12), tmp_path / "out"
    words = ["--prompt", "ch", "--strength", "0.5", "--steps", "2", "--threads", "1", "--quiet", "--out", str(out)]
    assert run(["upscale", str(small), "--model", str(sd1), *words]) == 0
    with Image.open(out / "ch-0.png") as made:
        assert made.size == (32, 24)
    assert (out / "run.json").is_file()
