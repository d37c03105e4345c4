"""Controls and pictures in the prompt, beside checkpoints that are told more: a mask, their scale, a refiner."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from checkpoints import (
    SD_BETAS,
    changed,
    controlnet,
    stable_diffusion_inpaint,
    stable_diffusion_xl_refiner,
    unet,
)
from parity import agree
from PIL import Image
from test_picture_prompts import adapter, drawn, encoder

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import UsageError

STEPS, SEED, PROMPT = 4, 4, "a red chair"
DDIM = "DDIMScheduler:steps_offset=1,set_alpha_to_one=False"


@pytest.fixture(scope="module")
def files(sd1: Path, sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside")
    encoder(folder / "image_encoder")
    for name, base in (("sd1", sd1), ("sdxl", sdxl)):
        controlnet(folder / f"{name}-control", base)
        adapter(folder / f"{name}.safetensors", base, "plain")
    Image.fromarray(drawn(32, 32)).save(folder / "a.png")
    Image.fromarray(drawn(32, 32, 1)).save(folder / "in.png")
    mask = np.zeros((32, 32), np.uint8)
    mask[5:23, 14:] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    return folder


def steered(files: Path, name: str) -> dict[str, Any]:
    return {"control": [files / f"{name}-control"], "control_image": [files / "a.png"]}


def pictured(files: Path, name: str) -> dict[str, Any]:
    return {"ip_adapter": [files / f"{name}.safetensors"], "ip_image": [files / "a.png"]}


def made(folder: Any, **words: Any) -> tuple[torch.Tensor, np.ndarray]:
    events = list(mz.stream(mz.prepare(request_of(PROMPT, **{"model": folder, "seed": SEED, "steps": STEPS, **words}))))
    states = [e.state.x for e in events if isinstance(e, mz.Progress)]
    return states[-1], next(e.pixels for e in events if isinstance(e, mz.Image))


def test_a_control_beside_a_unet_that_is_told_the_mask(files: Path, tmp_path: Path) -> None:
    """diffusers' pipeline for it, with the autoencoder's mean in place of a draw."""
    folder = stable_diffusion_inpaint(tmp_path)
    begin = Noise((SEED,))(0, (1, 4, 16, 16)).float()
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        control = diffusers.ControlNetModel.from_pretrained(files / "sd1-control")
        pipe = diffusers.StableDiffusionControlNetInpaintPipeline.from_pretrained(
            folder, controlnet=control, safety_checker=None
        )
        pipe.set_progress_bar_config(disable=True)
        pipe.scheduler = diffusers.DDIMScheduler(**SD_BETAS, steps_offset=1, set_alpha_to_one=False, clip_sample=False)
        module = sys.modules[type(pipe).__module__]
        patch.setattr(module, "retrieve_latents", lambda found, **_: found.latent_dist.mode())
        patch.setattr(module, "randn_tensor", lambda *_, **__: begin)
        theirs = pipe(
            PROMPT, image=Image.open(files / "in.png"), mask_image=Image.open(files / "mask.png"), strength=1.0,
            control_image=Image.open(files / "a.png"), controlnet_conditioning_scale=1.0, guidance_scale=3.0,
            num_inference_steps=STEPS,
            height=32, width=32, output_type="latent",
        ).images  # fmt: skip
    words = {"image": files / "in.png", "mask": files / "mask.png", "scale": 3.0, "solver": DDIM}
    mine = made(folder, **words, **steered(files, "sd1"))[0]
    assert agree("ControlNet with an inpainting model", DDIM, mine, theirs)
    assert (made(folder, **words)[0] - theirs).abs().max() > 0.01


def test_a_unet_that_is_told_its_scale(sd1: Path, files: Path, tmp_path: Path) -> None:
    scheduler = diffusers.LCMScheduler(**SD_BETAS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = {"scheduler": scheduler, "unet": unet(time_cond_proj_dim=32)}
        folder = changed(sd1, tmp_path / "lcm", diffusers.LatentConsistencyModelPipeline, **parts)
    words: list[dict[str, Any]] = [{}, steered(files, "sd1"), pictured(files, "sd1")]
    words.append(words[1] | words[2])
    assert len({made(folder, steps=2, **w)[1].tobytes() for w in words}) == len(words)


def test_a_refiner_is_neither_steered_nor_told_the_picture(sdxl: Path, files: Path, tmp_path: Path) -> None:
    refiner = stable_diffusion_xl_refiner(tmp_path)
    plain = made(sdxl, refiner=refiner)[1]
    for words in (steered(files, "sdxl"), pictured(files, "sdxl")):
        assert not np.array_equal(made(sdxl, refiner=refiner, **words)[1], plain)
    late = {**steered(files, "sdxl"), "control": [f"{files / 'sdxl-control'}:1:0.5-1"]}
    early = {**late, "control": [f"{files / 'sdxl-control'}:1:0-0.5"]}
    found = [made(sdxl, refiner=refiner, refiner_at=0.5, **words)[1] for words in (late, early)]
    assert not np.array_equal(found[0], found[1]) and not np.array_equal(found[0], plain)


def test_memory_counts_them(sd1: Path, files: Path) -> None:
    plain = mz.prepare(request_of(PROMPT, model=sd1)).memory
    more = mz.prepare(request_of(PROMPT, model=sd1, **steered(files, "sd1"), **pictured(files, "sd1"))).memory
    assert plain is not None and more is not None and more.total > plain.total
    assert set(more.weights) - set(plain.weights) == {"control sd1-control", "sd1", "image_encoder"}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_one_part_at_a_time_gives_the_same(dtype: str, sd1: Path, files: Path) -> None:
    words = {"dtype": dtype, **steered(files, "sd1"), **pictured(files, "sd1")}
    assert np.array_equal(made(sd1, **words)[1], made(sd1, offload=True, **words)[1])


def test_an_encoder_alone_says_nothing(sd1: Path, files: Path) -> None:
    with pytest.raises(UsageError, match="give --ip-adapter"):
        mz.prepare(request_of(PROMPT, model=sd1, ip_encoder=files / "image_encoder"))
