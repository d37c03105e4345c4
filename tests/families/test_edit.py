"""Beginning from a picture, painting a part of it anew, and keeping the rest to the bit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from lent import CLIPS
from parity import agree
from PIL import Image

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import InputError, MezzotintError, UsageError
from mezzotint.making.edit import Edit
from mezzotint.pictures.flat import rgb

SEED, STEPS = 4, 8
DDIM = "DDIMScheduler:steps_offset=1,set_alpha_to_one=False"


def drawn(size: tuple[int, int] = (32, 32)) -> np.ndarray:
    y, x = np.mgrid[: size[1], : size[0]]
    return np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, and masks of its right half in both meanings."""
    folder = tmp_path_factory.mktemp("edit")
    Image.fromarray(drawn()).save(folder / "in.png")
    right = np.zeros((32, 32), np.uint8)
    right[:, 16:] = 255
    Image.fromarray(right).save(folder / "white.png")
    Image.fromarray(np.dstack([drawn(), 255 - right])).save(folder / "transparent.png")
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(folder / "black.png")
    Image.fromarray(np.full((16, 16), 255, np.uint8)).save(folder / "small.png")
    Image.fromarray(drawn((40, 36))).save(folder / "odd.png")
    return folder


def made(folder: Path, **words: object) -> np.ndarray:
    return mz.generate("a red chair", model=folder, seed=SEED, steps=STEPS, scale=3.0, **words).images[0].pixels


OTHERS: dict[str, dict[str, Any]] = {
    "DDIMScheduler": {"steps_offset": 1, "set_alpha_to_one": False},
    "DPMSolverMultistepScheduler": {},
    "EulerDiscreteScheduler": {"timestep_spacing": "leading", "steps_offset": 1},
    "UniPCMultistepScheduler": {},
}


@pytest.mark.parametrize("scheduler", OTHERS)
def test_from_a_picture_as_the_pipeline_does(scheduler: str, sd1: Path, files: Path) -> None:
    """diffusers' image-to-image from the same latent and the same noise; its PNDM begins with the step before."""
    said = OTHERS[scheduler]
    solver = f"{scheduler}:{','.join(f'{k}={v}' for k, v in said.items())}".rstrip(":")
    job = mz.prepare(
        request_of(
            "a red chair",
            model=sd1,
            seed=SEED,
            steps=STEPS,
            scale=3.0,
            solver=solver,
            image=files / "in.png",
            strength=0.6,
        )
    )
    codec = job.stages[0].model.codec()
    assert job.edit is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = diffusers.StableDiffusionImg2ImgPipeline.from_pretrained(sd1, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        config = {k: v for k, v in pipe.scheduler.config.items() if k.startswith("beta_")}
        free = {"clip_sample": False} if scheduler in CLIPS else {}
        pipe.scheduler = getattr(diffusers, scheduler)(**config, **said, **free)
        noise = Noise((SEED,))(0, (1, 4, 16, 16)).float()
        with pytest.MonkeyPatch.context() as patch:
            module = diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img
            patch.setattr(module, "randn_tensor", lambda *_, **__: noise)
            theirs = pipe(
                "a red chair", image=job.edit.known(codec, "cpu"), strength=0.6, num_inference_steps=STEPS,
                guidance_scale=3.0, output_type="latent",
            ).images  # fmt: skip
    states = [e.state for e in mz.stream(job) if isinstance(e, mz.Progress)]
    assert len(states) == int(STEPS * 0.6) == job.total
    assert agree("from a picture", scheduler, states[-1].x, theirs)


def test_less_strength_stays_nearer(sd1: Path, files: Path) -> None:
    codec = mz.load(sd1).stages[0].codec()
    x = torch.from_numpy(drawn()).permute(2, 0, 1)[None]
    target = codec.decode(codec.encode(x))[0].permute(1, 2, 0).numpy().astype(int)
    gaps = [
        np.abs(made(sd1, image=files / "in.png", strength=s, solver=DDIM).astype(int) - target).mean()
        for s in (0.15, 0.5, 1.0)
    ]
    assert gaps[0] < gaps[1] < gaps[2]


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux_dev"])
def test_locked_pixels_are_the_input_s_own_and_the_rest_is_new(
    family: str, files: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(family)
    words = {"image": files / "in.png", "mask": files / "white.png"}
    locked = made(folder, **words, lock_mask=True)
    assert (locked[:, :16] == drawn()[:, :16]).all() and (locked[:, 16:] != drawn()[:, 16:]).any()
    free = made(folder, **words)
    assert (free[:, 16:] == locked[:, 16:]).all() and (free[:, :16] != drawn()[:, :16]).any()


def test_the_known_part_of_the_latent_ends_on_itself(sd1: Path, files: Path) -> None:
    job = mz.prepare(
        request_of(
            "a red chair", model=sd1, steps=STEPS, image=files / "in.png", mask=files / "white.png", strength=0.5
        )
    )
    assert job.edit is not None
    known = job.edit.known(job.stages[0].model.codec(), "cpu")
    last = [e.state for e in mz.stream(job) if isinstance(e, mz.Progress)][-1]
    torch.testing.assert_close(last.x0[..., :8], known[..., :8], rtol=1e-4, atol=1e-4)
    assert (last.x0[..., 8:] - known[..., 8:]).abs().max() > 0.1


def test_both_meanings_of_a_mask(sd1: Path, files: Path) -> None:
    white = made(sd1, image=files / "in.png", mask=files / "white.png", lock_mask=True)
    words = {"mask": files / "transparent.png", "mask_means": "transparent"}
    assert (made(sd1, image=files / "in.png", **words, lock_mask=True) == white).all()


def test_receipts_tell_what_was_given(sd1: Path, files: Path) -> None:
    words = {"image": files / "in.png", "mask": files / "white.png", "strength": 0.5}
    one = mz.generate("ch", model=sd1, steps=2, **words).images[0].receipt.made
    assert one.task["name"] == "inpaint" and one.task["strength"] == 0.5 and one.task["lock"] is False
    other = mz.generate("ch", model=sd1, steps=2, **{**words, "strength": 1.0}).images[0].receipt.made
    assert one.asset_id != other.asset_id and len(one.task["picture"]) == 64
    plain = mz.generate("ch", model=sd1, steps=2).images[0].receipt.made
    assert plain.task == {"name": "generate"}


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "strength alone": ({"strength": 0.5}, "give --image"),
    "lock alone": ({"image": "in.png", "lock_mask": True}, "give --mask"),
    "too weak": ({"image": "in.png", "strength": 0.05}, r"is no step; expected at least 0.125"),
    "too strong": ({"image": "in.png", "strength": 1.5}, "above 0 and at most 1"),
    "black mask": ({"image": "in.png", "mask": "black.png"}, "nothing to be repainted"),
    "small mask": ({"image": "in.png", "mask": "small.png"}, "is 16x16"),
    "no alpha": ({"image": "in.png", "mask": "white.png", "mask_means": "transparent"}, "has no transparency"),
    "transparent parts": (
        {"image": "in.png", "mask": "transparent.png"},
        "transparent parts: with --mask-means transpar",
    ),
    "other meaning": ({"image": "in.png", "mask": "white.png", "mask_means": "red"}, "unknown mask meaning 'red'"),
    "no file": ({"image": "nowhere.png"}, "no file"),
    "odd size": ({"image": "odd.png"}, "odd.png: size 40x36 cannot be made"),
    "other size with a mask": ({"image": "in.png", "mask": "white.png", "size": "48x32"}, "with a mask expected 48x32"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str, sd1: Path, files: Path) -> None:
    words, said = FAULTS[fault]
    given = {k: files / v if k in ("image", "mask") else v for k, v in words.items()}
    with pytest.raises(MezzotintError, match=said) as error:
        made(sd1, **given)
    assert isinstance(error.value, UsageError | InputError) and "\n" not in str(error.value)


@pytest.mark.parametrize("fault", ["black mask", "small mask", "odd size", "other size with a mask"])
def test_what_a_file_is_is_no_wrong_word(fault: str, sd1: Path, files: Path) -> None:
    """A catalog goes on without such a photograph; a wrong word ends it."""
    words, said = FAULTS[fault]
    given = {k: files / v if k in ("image", "mask") else v for k, v in words.items()}
    with pytest.raises(InputError, match=said):
        made(sd1, **given)


def test_the_least_strength_that_is_said_is_taken() -> None:
    for steps in range(1, 10_001):
        with pytest.raises(UsageError) as error:
            Edit(drawn(), None, 1e-9).first(steps)
        least = str(error.value).rpartition(" ")[2]
        assert Edit(drawn(), None, float(least)).first(steps) == steps - 1, (steps, least)


def test_any_picture_is_read_as_people_see_it(tmp_path: Path, sd1: Path) -> None:
    base = Image.fromarray(drawn())
    base.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    base.convert("L").save(tmp_path / "grey.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    base.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(drawn()[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    clear = np.dstack([drawn(), np.zeros((32, 32), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    base.convert("P").save(tmp_path / "palette.png")
    assert np.abs(rgb(tmp_path / "cmyk.jpg").astype(int) - drawn()).mean() < 20
    assert (rgb(tmp_path / "grey.png")[..., 0] == np.asarray(base.convert("L"))).all()
    assert np.abs(np.rot90(rgb(tmp_path / "turned.jpg")).astype(int) - drawn()).mean() < 20
    assert (rgb(tmp_path / "deep.png")[..., 1] == drawn()[..., 0]).all()
    assert (rgb(tmp_path / "clear.png") == 255).all()
    assert rgb(tmp_path / "palette.png").shape == (32, 32, 3)
    for path in tmp_path.iterdir():
        assert made(sd1, image=path, strength=0.3).shape == (32, 32, 3)


def test_colours_follow_the_picture_s_own_profile(tmp_path: Path) -> None:
    from PIL import ImageCms

    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    base = Image.fromarray(drawn())
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    base.save(tmp_path / "srgb.png", icc_profile=srgb)
    assert np.abs(rgb(tmp_path / "srgb.png").astype(int) - drawn()).max() <= 1
    base.save(tmp_path / "damaged.png", icc_profile=b"no profile")
    assert (rgb(tmp_path / "damaged.png") == drawn()).all()
    base.save(tmp_path / "xyz.png", icc_profile=linear.tobytes())
    assert rgb(tmp_path / "xyz.png").shape == (32, 32, 3)


def test_our_own_models_begin_from_a_picture_too(tmp_path: Path, files: Path) -> None:
    words = {"model": "fashion", "steps": 10, "seed": 2, "threads": 1}
    Image.fromarray(drawn((28, 28))).save(tmp_path / "in.png")
    plain = mz.generate("sneaker", **words).images[0].pixels
    near = mz.generate("sneaker", image=tmp_path / "in.png", strength=0.3, **words).images[0].pixels
    grey = np.asarray(Image.fromarray(drawn((28, 28))).convert("L"))[..., None].astype(int)
    assert near.shape == (28, 28, 1) and np.abs(near - grey).mean() < 0.6 * np.abs(plain - grey).mean()
