"""On an accelerator: denoiser laws, and one generation.  Skipped without one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator here"),
]


@pytest.fixture(scope="module")
def model(tiny: Path) -> mz.Model:
    return mz.load(tiny)


def cond(rows: int, device: str) -> dict[str, torch.Tensor]:
    return {"label": torch.arange(rows, device=device) % 3}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_denoiser_laws(model: mz.Model, device: str, dtype: torch.dtype) -> None:
    """Scale law, independence of neighbours, dtype and device of the answer."""
    denoiser = model.main.denoiser(device, dtype)
    x = Noise((1, 2, 3))(0, (3, 1, 8, 8)).to(device)
    level = Level(torch.tensor(0.6), torch.tensor(0.8))
    with torch.inference_mode():
        one = denoiser(x, level, cond(3, device)).mean
        wide = denoiser(2 * x, Level(2 * level.alpha, 2 * level.sigma), cond(3, device)).mean
        other = torch.cat((x[:1], torch.randn_like(x[1:])))
        alone = denoiser(other, level, cond(3, device)).mean
    assert one.dtype == torch.float32 and one.device.type == device
    assert torch.allclose(one, wide, atol=2e-2 if dtype == torch.bfloat16 else 1e-5)
    assert torch.equal(one[:1], alone[:1])


def test_agrees_with_the_processor(model: mz.Model, device: str) -> None:
    words = {"model": model, "n": 3, "seed": 5, "dtype": "float32"}
    here, there = mz.generate("sneaker", device="cpu", **words), mz.generate("sneaker", device=device, **words)
    for a, b in zip(here.images, there.images, strict=True):
        assert np.abs(a.pixels.astype(int) - b.pixels.astype(int)).max() <= 2
        assert b.receipt.made.device == device


def test_the_same_words_give_the_same_bits(model: mz.Model, device: str) -> None:
    words = {"model": model, "n": 3, "seed": 5, "device": device, "solver": "ddim:eta=1", "batch": 2}
    first, again = mz.generate("sneaker", **words), mz.generate("sneaker", **words)
    alone = mz.generate("sneaker", **{**words, "n": 1, "seed": 6})
    for a, b in zip(first.images, again.images, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
    assert np.array_equal(alone.images[0].pixels, first.images[1].pixels)


def test_auto_takes_it(model: mz.Model, device: str) -> None:
    made = mz.prepare(request_of("sneaker", model=model)).made(0)
    assert made.device == device
    assert made.dtype == ("bfloat16" if device == "cuda" else "float32")
