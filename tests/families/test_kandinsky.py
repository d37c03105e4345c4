"""Kandinsky 2.2: the pictures of the prior's and the decoder's pipelines, from two folders and from one."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from cascade_peers import exact, noise_of
from cascades import kandinsky_combined, kandinsky_decoder, kandinsky_prior
from lent import CASCADED, Lent, of_prior
from parity import agree
from PIL import Image

import mezzotint as mz
from mezzotint.diffusion.noise import Noise
from mezzotint.errors import MezzotintError
from mezzotint.making.job import How
from mezzotint.making.vary import prepare_vary

PROMPT, SEED, STEPS, SCALE = "a red chair", 7, 6, 3.0
TABLE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "linear"}
BOUNDS = {"thresholding": True, "sample_max_value": 2.0}
OTHERS: dict[str, dict[str, Any]] = {
    "DPMSolverMultistepScheduler": {**BOUNDS},
    "UniPCMultistepScheduler": {**BOUNDS},
    "DDIMScheduler": {**BOUNDS},
    "DEISMultistepScheduler": {**BOUNDS},
}


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kandinsky_prior(tmp_path_factory.mktemp("prior"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kandinsky_decoder(tmp_path_factory.mktemp("decoder"))


@pytest.fixture(scope="module")
def both(prior: Path, decoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kandinsky_combined(prior, decoder, tmp_path_factory.mktemp("both") / "both")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    y, x = np.mgrid[:32, :32]
    path = tmp_path_factory.mktemp("picture") / "in.png"
    Image.fromarray(np.stack([8 * y, 8 * x, 4 * (x + y)], -1).astype(np.uint8)).save(path)
    return path


def _loaded(kind: Any, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = kind.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def embeddings(prior: Path, patch: pytest.MonkeyPatch, away: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What the prior's pipeline hands on, and its last state, with our noise in every step."""
    pipe = _loaded(diffusers.KandinskyV22PriorPipeline, prior)
    exact(pipe.scheduler)
    pipe.scheduler = Lent(pipe.scheduler)
    many = 2 if away else 1
    for module in ("unclip", "ddpm"):
        noise_of(patch, f"diffusers.schedulers.scheduling_{module}", [(_Rows(SEED, many), 25)])
    begin = _Rows(SEED, many)(0, (many, 24)).float()
    words = {"negative_prompt": away} if away else {}
    given = dict(pipe(PROMPT, **words, latents=begin, num_inference_steps=25, guidance_scale=4.0))
    return given, pipe.scheduler.last


def decoded(
    decoder: Path, patch: pytest.MonkeyPatch, scheduler: str | None, given: dict[str, Any], **begins: Any
) -> tuple[torch.Tensor, np.ndarray]:
    """(latents, pixels) of the decoder's pipeline, with our noise in every step.   begins: a picture and a strength,
    to begin from."""
    pipe = _loaded(diffusers.KandinskyV22Img2ImgPipeline if begins else diffusers.KandinskyV22Pipeline, decoder)
    if scheduler:
        pipe.scheduler = getattr(diffusers, scheduler)(**TABLE, **OTHERS[scheduler])
    pipe.scheduler = Lent(pipe.scheduler)
    noise = Noise((SEED,), 1)
    first = STEPS - int(STEPS * begins["strength"]) if begins else 0
    noise_of(patch, "diffusers.schedulers.scheduling_ddpm", [(noise, STEPS)], first)
    start = noise(0, (1, 4, 16, 16)).float()
    if begins:
        patch.setattr(sys.modules[type(pipe).__module__], "randn_tensor", lambda *_, **__: start)
    words = begins or {"latents": start}
    pipe.movq_scale_factor = 2
    run = {"num_inference_steps": STEPS, "guidance_scale": SCALE, "height": 32, "width": 32}
    latents = pipe(**given, **run, **words, output_type="latent").images
    with torch.no_grad():
        pixels = pipe.movq.decode(latents, force_not_quantize=True).sample
    return latents, ((pixels[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).round().numpy()


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


def same(what: str, scheduler: str | None, job: mz.Job, latents: torch.Tensor, pixels: np.ndarray) -> bool:
    mine, image = ours(job)
    return agree(what, scheduler, mine, latents, image.pixels, pixels) and pixels.std() > 5


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("away", "scheduler"), [("", None), ("blue", None), *(("", name) for name in OTHERS)])
def test_the_pipelines_pictures(
    away: str, scheduler: str | None, prior: Path, decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, _ = embeddings(prior, monkeypatch, away)
    job = mz.prepare(
        PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=away, solver=scheduler
    )
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(25, 4.0), (STEPS, SCALE)]
    assert same("Kandinsky 2.2", scheduler, job, *decoded(decoder, monkeypatch, scheduler, given))


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", [None, *CASCADED])
@pytest.mark.parametrize("away", ["", "blue"])
def test_the_prior_s_embeddings(
    away: str, scheduler: str | None, decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prior's folder says its scheduler; ``--solver`` reaches the decoder alone."""
    prior = kandinsky_prior(tmp_path, of_prior(scheduler, 10.0) if scheduler else None)
    job = mz.prepare(PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=away)
    given, state = embeddings(prior, monkeypatch, away)
    mine = [e.state.x[0] for e in mz.stream(job) if isinstance(e, mz.Progress) and e.stage == 0][-1]
    assert agree("Kandinsky 2.2, prior", scheduler, mine, state)
    assert same("Kandinsky 2.2", None, job, *decoded(decoder, monkeypatch, None, given))


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", [None, *OTHERS])
def test_from_a_picture(
    scheduler: str | None, prior: Path, decoder: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, _ = embeddings(prior, monkeypatch, "")
    job = mz.prepare(
        PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, solver=scheduler, image=picture,
        strength=0.7,
    )  # fmt: skip
    expected = decoded(decoder, monkeypatch, scheduler, given, image=Image.open(picture), strength=0.7)
    assert same("Kandinsky 2.2 from a picture", scheduler, job, *expected)


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", [None, *OTHERS])
def test_variations_of_a_picture(
    scheduler: str | None, prior: Path, decoder: Path, both: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = _loaded(diffusers.KandinskyV22PriorPipeline, prior)
    given = dict(pipe.interpolate([Image.open(picture)], [1.0], num_inference_steps=2))
    how = How(steps=STEPS, scale=SCALE, solver=scheduler)
    job = prepare_vary([picture], how, model=both, n=1, seed=SEED, batch=None)
    expected = decoded(decoder, monkeypatch, scheduler, given)
    assert same("Kandinsky 2.2, variations of a picture", scheduler, job, *expected)


def test_one_folder_gives_the_same(prior: Path, decoder: Path, both: Path, tmp_path: Path) -> None:
    one = mz.generate(PROMPT, model=both, seed=1, steps=2).images[0]
    two = mz.generate(PROMPT, model=decoder, prior=prior, seed=1, steps=2).images[0]
    assert np.array_equal(one.pixels, two.pixels)
    made = one.receipt.made
    assert made.stages == two.receipt.made.stages and made.encoder_sha256 == two.receipt.made.encoder_sha256
    assert len({s.weights_sha256 for s in made.stages}) == 2 and made.stages[1].codec_sha256
    Image.fromarray(one.pixels).save(tmp_path / "in.png")
    alike = mz.vary(tmp_path / "in.png", model=both, n=1, steps=2).images[0]
    again = mz.generate("blue", model=both, seed=1, steps=4, image=tmp_path / "in.png", strength=0.5).images[0]
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
