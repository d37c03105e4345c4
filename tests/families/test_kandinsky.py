"""Kandinsky 2.2: the pictures of the prior's and the decoder's pipelines, from two folders and from one."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from cascade_peers import exact, noise_of
from cascades import kandinsky_combined, kandinsky_decoder, kandinsky_prior
from PIL import Image

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import MezzotintError

PROMPT, SEED, STEPS, SCALE = "a red chair", 7, 6, 3.0
BOUNDS = {"thresholding": True, "sample_max_value": 2.0}
OTHERS: dict[str, dict[str, Any]] = {
    "DPMSolverMultistepScheduler": {**BOUNDS},
    "UniPCMultistepScheduler": {**BOUNDS},
}


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kandinsky_prior(tmp_path_factory.mktemp("prior"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kandinsky_decoder(tmp_path_factory.mktemp("decoder"))


def _loaded(kind: Any, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = kind.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(
    prior: Path, decoder: Path, patch: pytest.MonkeyPatch, away: str, scheduler: str | None
) -> tuple[torch.Tensor, np.ndarray]:
    """(latents, pixels) of both pipelines, with our noise in every step."""
    first, second = (
        _loaded(diffusers.KandinskyV22PriorPipeline, prior), _loaded(diffusers.KandinskyV22Pipeline, decoder)
    )  # fmt: skip
    exact(first.scheduler)
    if scheduler:
        base = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "linear"}
        second.scheduler = getattr(diffusers, scheduler)(**base, **OTHERS[scheduler])
        step = second.scheduler.step
        # the pipeline hands on a generator, which not every scheduler takes
        second.scheduler.step = lambda *given, generator=None, **words: step(*given, **words)
    many = 2 if away else 1
    noise_of(patch, "diffusers.schedulers.scheduling_unclip", [(_Rows(SEED, many), 25)])
    noise_of(patch, "diffusers.schedulers.scheduling_ddpm", [(Noise((SEED,), 1), STEPS)])
    begin = _Rows(SEED, many)(0, (many, 24)).float()
    words = {"negative_prompt": away} if away else {}
    embeds = first(PROMPT, **words, latents=begin, num_inference_steps=25, guidance_scale=4.0)
    given = {"image_embeds": embeds.image_embeds, "negative_image_embeds": embeds.negative_image_embeds}
    start = Noise((SEED,), 1)(0, (1, 4, 16, 16)).float()
    run = {"num_inference_steps": STEPS, "guidance_scale": SCALE, "height": 32, "width": 32, "latents": start}
    second.movq_scale_factor = 2
    latents = second(**given, **run, output_type="latent").images
    with torch.no_grad():
        pixels = second.movq.decode(latents, force_not_quantize=True).sample
    return latents, ((pixels[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).numpy()


class _Rows(Noise):
    """The noise of one sample with several embeddings, as so many rows."""

    def __init__(self, seed: int, many: int) -> None:
        super().__init__((seed,))
        object.__setattr__(self, "many", many)

    def __call__(self, draw: int, shape: Any) -> torch.Tensor:
        return Noise(self.seeds)(draw, (1, shape[0], *shape[1:]))[0]


def ours(job: mz.Job) -> tuple[torch.Tensor, mz.Image]:
    events = list(mz.stream(job))
    return [e.state.x for e in events if isinstance(e, mz.Progress)][-1], events[-1]


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("away", "scheduler"), [("", None), ("blue", None), *(("", name) for name in OTHERS)])
def test_the_pipelines_pictures(
    away: str, scheduler: str | None, prior: Path, decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, pixels = theirs(prior, decoder, monkeypatch, away, scheduler)
    job = mz.prepare(
        PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=away, solver=scheduler
    )
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(25, 4.0), (STEPS, SCALE)]
    mine, image = ours(job)
    assert (mine - latents).abs().max() < 1e-4 * max(1.0, float(latents.abs().max()))
    assert np.abs(image.pixels - pixels).max() <= 1 and pixels.std() > 5


def test_one_folder_gives_the_same(prior: Path, decoder: Path, tmp_path: Path) -> None:
    folder = kandinsky_combined(prior, decoder, tmp_path / "both")
    one = mz.generate(PROMPT, model=folder, seed=1, steps=2).images[0]
    two = mz.generate(PROMPT, model=decoder, prior=prior, seed=1, steps=2).images[0]
    assert np.array_equal(one.pixels, two.pixels)
    made = one.receipt.made
    assert made.stages == two.receipt.made.stages and made.encoder_sha256 == two.receipt.made.encoder_sha256
    assert len({s.weights_sha256 for s in made.stages}) == 2 and made.stages[1].codec_sha256
    Image.fromarray(one.pixels).save(tmp_path / "in.png")
    alike = mz.vary(tmp_path / "in.png", model=folder, n=1, steps=2).images[0]
    again = mz.generate("blue", model=folder, seed=1, steps=4, image=tmp_path / "in.png", strength=0.5).images[0]
    assert alike.receipt.made.task["name"] == "vary" and again.receipt.made.task["name"] == "image"
    assert (alike.pixels != one.pixels).any() and (again.pixels != one.pixels).any()


def test_every_part_is_counted(prior: Path, decoder: Path) -> None:
    job = mz.prepare(PROMPT, model=decoder, prior=prior, steps=2)
    assert job.memory is not None
    names = {"prior_text_encoder", "prior_image_encoder", "prior_prior", "unet", "movq"}
    assert set(job.memory.weights) == names and all(job.memory.weights.values())


def test_what_is_wrong_is_said(prior: Path, decoder: Path, sd1: Path, tmp_path: Path) -> None:
    for words, message in (
        ({"model": decoder}, "give the folder that makes it as --prior"),
        ({"model": prior}, "is a prior alone; give it as --prior"),
        ({"model": decoder, "prior": sd1}, "is no prior for decoder"),
        ({"model": sd1, "prior": prior}, "takes no prior"),
    ):
        with pytest.raises(MezzotintError, match=message):
            mz.prepare("red", **words)
    folder = kandinsky_decoder(tmp_path)
    config = folder / "unet/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"encoder_hid_dim": 20}))
    with pytest.raises(MezzotintError, match="encoder_hid_dim is 20; expected 24"):
        mz.prepare("red", model=folder, prior=prior)
