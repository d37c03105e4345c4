"""Karlo: the pipeline's pictures, from words and from a picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from asking import how_of, request_of
from cascade_peers import KARLO
from cascade_peers import karlo as theirs
from cascades import karlo as made_karlo
from cascades import karlo_variations
from lent import CASCADED, bounded, of_prior
from parity import agree
from PIL import Image
from pipelines import opened
from thinned import some

import mezzotint as mz
from mezzotint.errors import MezzotintError
from mezzotint.making.vary import prepare_vary

PROMPT, SEED, STEPS = "a red chair", 7, (25, 5, 7)


@pytest.fixture(scope="module")
def karlo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_karlo(tmp_path_factory.mktemp("karlo"))


@pytest.fixture(scope="module")
def variations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return karlo_variations(tmp_path_factory.mktemp("variations"))


def others(name: str) -> dict[str, Any]:
    """Another scheduler for each network; where its class can, with the variance that the decoder learned."""
    fixed, learned, logged = (
        ({"variance_type": kind} if name == "DDPMScheduler" else {})
        for kind in ("fixed_small", "learned_range", "fixed_small_log")
    )
    made = of_prior(name, 5.0, **fixed), bounded(name, 1.0, **learned), bounded(name, 1.0, **logged)
    return {f"{net}_scheduler": scheduler for net, scheduler in zip(KARLO, made, strict=True)}


def ours(job: mz.Job) -> tuple[list[torch.Tensor], mz.Image]:
    """The last state of each stage, and the picture."""
    last: dict[int, torch.Tensor] = {}
    image = None
    for event in mz.stream(job):
        if isinstance(event, mz.Progress):
            last[event.stage] = event.state.x
        else:
            image = event
    assert image is not None
    return [last[k] for k in sorted(last)], image


def check(
    scheduler: str | None, mine: list[torch.Tensor], states: list[torch.Tensor], pixels: np.ndarray, image: mz.Image
) -> None:
    """Every stage's last state and the picture are the pipeline's.   states: of the last of the stages."""
    shown = image.pixels, np.round(pixels)
    parts = ("prior", "decoder", "enlarging") if len(states) == 3 else ("decoder of variations", "their enlarging")
    names = [f"Karlo, {part}" for part in parts]
    for k, name in enumerate(names):
        made = shown if k == len(names) - 1 else (None, None)
        assert agree(name, scheduler, mine[k].reshape(states[k].shape), states[k], *made), name
    assert pixels.std() > 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", CASCADED)
def test_with_another_scheduler_in_every_stage(scheduler: str, tmp_path: Path) -> None:
    """The folder says it; ``--solver`` would reach the decoder alone."""
    folder = made_karlo(tmp_path, **others(scheduler))
    job = mz.prepare(request_of(PROMPT, model=folder, seed=SEED, steps=STEPS[1], scale=3.0))
    states, image = ours(job)
    check(scheduler, states, *theirs(opened(folder), job), image)


def test_the_pipeline_s_picture(karlo: Path) -> None:
    job = mz.prepare(request_of(PROMPT, model=karlo, seed=SEED, steps=STEPS[1], scale=3.0))
    assert [(s.plan.steps, s.plan.scale) for s in job.stages] == [(25, 4.0), (5, 3.0), (7, 1.0)]
    states, image = ours(job)
    found, expected = theirs(opened(karlo), job)
    check(None, states, found, expected, image)
    mine = (states[-1][0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5
    assert np.abs(mine - expected).max() < 0.0255 and expected.std() > 5
    assert np.abs(image.pixels - expected).max() <= 0.51


def test_words_and_embedding_show(karlo: Path) -> None:
    one, other = (ours(mz.prepare(request_of(p, model=karlo, seed=1, steps=3))) for p in ("red", "chair"))
    for a, b in zip(one[0], other[0], strict=True):
        assert (a - b).abs().max() > 1e-3
    assert (one[1].pixels != other[1].pixels).any()


def test_every_part_is_counted_and_hashed(karlo: Path) -> None:
    job = mz.prepare(request_of(PROMPT, model=karlo, steps=2, offload=True))
    assert job.memory is not None
    parts = {"text_encoder", "prior", "decoder and text_proj", "super_res_first and super_res_last"}
    assert set(job.memory.weights) == parts
    _, image = ours(job)
    made = image.receipt.made
    assert [stage.model for stage in made.stages] == ["prior", "decoder", "super_res_first"] and made.main == 1
    assert len({stage.weights_sha256 for stage in made.stages}) == 3 and made.encoder_sha256
    whole = ours(mz.prepare(request_of(PROMPT, model=karlo, steps=2)))[1]
    assert np.array_equal(whole.pixels, image.pixels)


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # of diffusers' schedulers
@pytest.mark.parametrize("scheduler", some([None, *CASCADED], None, "DDPMScheduler"))
def test_variations_of_a_picture(scheduler: str | None, tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 40, 3), np.uint8))
    picture.save(tmp_path / "in.png")
    made = others(scheduler) if scheduler else {}
    made.pop("prior_scheduler", None)
    folder = karlo_variations(tmp_path, **made)
    job = prepare_vary([tmp_path / "in.png"], how_of(folder, seed=SEED, steps=STEPS[1], scale=3.0))
    states, image = ours(job)
    check(scheduler, states, *theirs(opened(folder), job, image=picture), image)


def test_variations_are_not_of_words(variations: Path) -> None:
    with pytest.raises(MezzotintError, match="use mezzotint vary"):
        mz.prepare(request_of("red", model=variations))


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("prior", {"embedding_dim": 20}, "embedding_dim is 20; expected 24"),
        ("decoder", {"in_channels": 4}, "in_channels is 4; expected 3"),
        ("text_proj", {"clip_embeddings_dim": 8}, "clip_embeddings_dim is 8; expected 24"),
        ("super_res_last", {"sample_size": 64}, "sample_size is 64; expected 32"),
        ("prior_scheduler", {"prediction_type": "x"}, "prediction_type"),
        ("decoder_scheduler", {"clip_sample_range": "wide"}, "a bound of estimates is no number"),
    ],
)
def test_bad_folders(part: str, change: dict[str, Any], message: str, karlo: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(karlo, tmp_path / "bad")
    path = next((folder / part).glob("*config.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(MezzotintError, match=message):
        mz.prepare(request_of("red", model=folder))


def test_what_it_does_not_take(karlo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "in.png")
    for words, message in (
        ({"size": "64x64"}, "it makes 32x32"),
        ({"image": tmp_path / "in.png"}, "begins from words alone"),
        ({"lora": ["a.safetensors"]}, "runs in stages and takes no LoRA"),
    ):
        with pytest.raises(MezzotintError, match=message):
            mz.prepare(request_of("red", model=karlo, **words))
