"""SDXL's refiner: on a picture, and taking over from a base, as diffusers' pipelines do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from asking import request_of
from checkpoints import SD_BETAS, stable_diffusion_xl_refiner
from parity import agree
from PIL import Image
from pipelines import Made, begin_of, both, from_picture, opened
from thinned import thinned

import mezzotint as mz
from mezzotint.errors import MezzotintError

SEED, STEPS, PROMPT, AWAY = 6, 10, "a red chair", "blue"
SOLVERS: dict[str | None, tuple[Any, str | None]] = {
    None: (None, None),
    "ddim": (
        lambda: diffusers.DDIMScheduler(**SD_BETAS, steps_offset=1, set_alpha_to_one=False, clip_sample=False),
        "DDIMScheduler:steps_offset=1,set_alpha_to_one=False",
    ),
    "dpm": (
        lambda: diffusers.DPMSolverMultistepScheduler(**SD_BETAS, use_karras_sigmas=True),
        "DPMSolverMultistepScheduler:use_karras_sigmas=True",
    ),
    "unipc": (lambda: diffusers.UniPCMultistepScheduler(**SD_BETAS), "UniPCMultistepScheduler"),
}


@pytest.fixture(scope="module")
def refiner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stable_diffusion_xl_refiner(tmp_path_factory.mktemp("refiner"))


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    y, x = np.mgrid[:32, :32]
    path = tmp_path_factory.mktemp("picture") / "in.png"
    Image.fromarray(np.stack([8 * y % 256, 8 * x % 256, (x + y) * 4 % 256], -1).astype(np.uint8)).save(path)
    return path


def scheduled(folder: Path, solver: str | None) -> Any:
    pipe = opened(folder)
    if SOLVERS[solver][0]:
        pipe.scheduler = SOLVERS[solver][0]()
    return pipe


def prepared(**words: Any) -> mz.Job:
    return mz.prepare(request_of(PROMPT, seed=SEED, steps=STEPS, scale=3.0, **words))


def ours(job: mz.Job) -> Made:
    events = list(mz.stream(job))
    states = [e.state.x for e in events if isinstance(e, mz.Progress)]
    assert len(states) == job.total and [e.done for e in events if isinstance(e, mz.Progress)][-1] == job.total
    return states[-1], next(e.pixels for e in events if isinstance(e, mz.Image))


def same(what: str, solver: str | None, mine: Made, other: Made) -> None:
    assert agree(what, solver, mine[0], other[0], mine[1], other[1]) and other[1].std() > 5


@pytest.mark.parametrize(("away", "solver"), thinned([AWAY, ""], SOLVERS))
def test_a_picture_is_refined(solver: str | None, away: str, refiner: Path, picture: Path) -> None:
    job = prepared(model=refiner, image=picture, strength=0.3, negative_prompt=away, solver=SOLVERS[solver][1])
    same("SDXL refiner", solver, ours(job), from_picture(scheduled(refiner, solver), job, picture, strength=0.3))


@pytest.mark.slow
@pytest.mark.parametrize(("share", "solver"), thinned([0.8, 0.5], SOLVERS))
def test_a_base_hands_over(solver: str | None, share: float, sdxl: Path, refiner: Path) -> None:
    given = {} if share == 0.8 else {"refiner_at": share}
    words = {"negative_prompt": AWAY, "solver": SOLVERS[solver][1]}
    job = prepared(model=sdxl, refiner=refiner, **words, **given)
    base, second = scheduled(sdxl, solver), scheduled(refiner, solver)
    half, _ = both(base, job, latents=begin_of(base, job), denoising_end=share)
    mine = ours(job)
    same("SDXL base and refiner", solver, mine, both(second, job, image=half, denoising_start=share))
    assert (mine[1] != ours(prepared(model=sdxl, **words))[1]).any()


def test_receipts_name_both(sdxl: Path, refiner: Path) -> None:
    def made(**words: Any) -> Any:
        return mz.generate(PROMPT, model=sdxl, refiner=refiner, steps=STEPS, **words).images[0].receipt.made

    one, other = made(), made(refiner_at=0.6)
    assert [s.steps for s in one.stages] == [8, 2] and [s.steps for s in other.stages] == [6, 4]
    assert one.stages[1].link == {"name": "handover", "share": 0.8} and one.main == 0
    assert one.asset_id != other.asset_id and one.stages[0].weights_sha256 != one.stages[1].weights_sha256


def test_with_a_picture_and_a_mask(sdxl: Path, refiner: Path, picture: Path, tmp_path: Path) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    words = {"model": sdxl, "refiner": refiner, "image": picture, "steps": STEPS, "seed": SEED}
    job = mz.prepare(request_of(PROMPT, **words, mask=tmp_path / "mask.png", strength=0.5, lock_mask=True))
    events = list(mz.stream(job))
    assert job.total == 5 and [e.stage for e in events if isinstance(e, mz.Progress)] == [0, 0, 0, 1, 1]
    known = job.edit.known(job.main.model.codec(), "cpu")
    last = [e.state for e in events if isinstance(e, mz.Progress)][-1]
    torch.testing.assert_close(last.x0[..., :8], known[..., :8], rtol=1e-4, atol=1e-4)
    made = next(e.pixels for e in events if isinstance(e, mz.Image))
    assert (made[:, :16] == np.asarray(Image.open(picture))[:, :16]).all()


def test_faults(sd1: Path, sdxl: Path, refiner: Path, picture: Path, tmp_path: Path, sd3: Path) -> None:
    other = stable_diffusion_xl_refiner(tmp_path, use_karras_sigmas=True)
    faults: list[tuple[dict[str, Any], str]] = [
        ({"model": refiner}, "give --image, or give it as --refiner"),
        ({"model": sdxl, "refiner_at": 0.5}, "give --refiner"),
        ({"model": sdxl, "refiner": refiner, "refiner_at": 1.0}, "above 0 and below 1"),
        ({"model": sdxl, "refiner": refiner, "steps": 2, "refiner_at": 0.1}, "none is left for the base"),
        ({"model": sdxl, "refiner": refiner, "refiner_at": 0.9995}, "none is left for the refiner"),
        ({"model": "fashion", "refiner": refiner}, "expected two folders"),
        ({"model": sd3, "refiner": refiner}, "its parametrisation is another"),
        ({"model": sdxl, "refiner": other}, "have other schedulers"),
        ({"model": sdxl, "refiner": refiner, "image": picture, "strength": 0.1}, "takes over at step"),
    ]
    for words, said in faults:
        with pytest.raises(MezzotintError, match=said) as error:
            mz.prepare(request_of("sneaker", **{"steps": STEPS, **words}))
        assert "\n" not in str(error.value)
