"""Kandinsky 2.2: the pictures of the prior's and the decoder's pipelines, from two folders and from one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import how_of, request_of
from cascade_peers import decoded, embeddings, like
from cascades import kandinsky_combined, kandinsky_decoder, kandinsky_prior
from lent import CASCADED, of_prior
from parity import agree
from PIL import Image
from pipelines import opened
from thinned import some, thinned

import mezzotint as mz
from mezzotint.errors import MezzotintError
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


def decoder_of(folder: Path, scheduler: str | None, kind: Any = diffusers.KandinskyV22Pipeline) -> Any:
    pipe = opened(folder, kind)
    if scheduler:
        pipe.scheduler = getattr(diffusers, scheduler)(**TABLE, **OTHERS[scheduler])
    return pipe


def ours(job: mz.Job) -> tuple[torch.Tensor, mz.Image]:
    events = list(mz.stream(job))
    return [e.state.x for e in events if isinstance(e, mz.Progress)][-1], events[-1]


def same(what: str, scheduler: str | None, job: mz.Job, latents: torch.Tensor, pixels: np.ndarray) -> bool:
    mine, image = ours(job)
    return agree(what, scheduler, mine, latents, image.pixels, pixels) and pixels.std() > 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("away", "scheduler"), [("", None), ("blue", None), *(("", name) for name in OTHERS)])
def test_the_pipelines_pictures(away: str, scheduler: str | None, prior: Path, decoder: Path) -> None:
    job = mz.prepare(
        request_of(
            PROMPT,
            model=decoder,
            prior=prior,
            seed=SEED,
            steps=STEPS,
            scale=SCALE,
            negative_prompt=away,
            solver=scheduler,
        )
    )
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(25, 4.0), (STEPS, SCALE)]
    given, _ = embeddings(opened(prior), job)
    assert same("Kandinsky 2.2", scheduler, job, *decoded(decoder_of(decoder, scheduler), job, given))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize(("away", "scheduler"), thinned(["", "blue"], [None, *CASCADED]))
def test_the_prior_s_embeddings(away: str, scheduler: str | None, decoder: Path, tmp_path: Path) -> None:
    """The prior's folder says its scheduler; ``--solver`` reaches the decoder alone."""
    prior = kandinsky_prior(tmp_path, of_prior(scheduler, 10.0) if scheduler else None)
    job = mz.prepare(
        request_of(PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, negative_prompt=away)
    )
    given, state = embeddings(opened(prior), job)
    mine = [e.state.x[0] for e in mz.stream(job) if isinstance(e, mz.Progress) and e.stage == 0][-1]
    assert agree("Kandinsky 2.2, prior", scheduler, mine, state)
    assert same("Kandinsky 2.2", None, job, *decoded(opened(decoder), job, given))


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", some([None, *OTHERS], None, "DPMSolverMultistepScheduler"))
def test_from_a_picture(scheduler: str | None, prior: Path, decoder: Path, picture: Path) -> None:
    job = mz.prepare(request_of(
        PROMPT, model=decoder, prior=prior, seed=SEED, steps=STEPS, scale=SCALE, solver=scheduler, image=picture,
        strength=0.7,
    ))  # fmt: skip
    given, _ = embeddings(opened(prior), job)
    pipe = decoder_of(decoder, scheduler, diffusers.KandinskyV22Img2ImgPipeline)
    expected = decoded(pipe, job, given, image=Image.open(picture), strength=0.7)
    assert same("Kandinsky 2.2 from a picture", scheduler, job, *expected)


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", some([None, *OTHERS], None, "UniPCMultistepScheduler"))
def test_variations_of_a_picture(scheduler: str | None, prior: Path, decoder: Path, both: Path, picture: Path) -> None:
    job = prepare_vary([picture], how_of(both, seed=SEED, steps=STEPS, scale=SCALE, solver=scheduler))
    expected = decoded(decoder_of(decoder, scheduler), job, like(opened(prior), picture))
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
    job = mz.prepare(request_of(PROMPT, model=decoder, prior=prior, steps=2))
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
            mz.prepare(request_of("red", **words))
    folder = kandinsky_decoder(tmp_path)
    config = folder / "unet/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"encoder_hid_dim": 20}))
    with pytest.raises(MezzotintError, match="encoder_hid_dim is 20; expected 24"):
        mz.prepare(request_of("red", model=folder, prior=prior))
