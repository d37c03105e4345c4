"""``mezzotint.generate`` and its parts, from Python."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.errors import StorageError, UsageError
from mezzotint.making.run import stream
from mezzotint.making.sizes import parse_size, size_of
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system


@pytest.fixture(scope="module")
def model(tiny: Path) -> mz.Model:
    return mz.load(tiny)


def pixels(result: mz.Result) -> list[np.ndarray]:
    return [image.pixels for image in result.images]


def test_readme_words(model: mz.Model, tmp_path: Path) -> None:
    result = mz.generate("sneaker", model=model, n=4, seed=7)
    for image in result.images:
        image.save(tmp_path / f"sneaker-{image.seed}.png")
    assert [image.seed for image in result.images] == [7, 8, 9, 10]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"sneaker-{k}.png" for k in (10, 7, 8, 9)]
    with pytest.raises(StorageError, match="exists already"):
        result.images[0].save(tmp_path / "sneaker-7.png")


def test_a_picture_is_its_seed_and_rows(model: mz.Model) -> None:
    """To the bit for equal rows, whatever n, order or neighbours; within a rounding step for other rows."""
    many = pixels(mz.generate("sneaker", model=model, n=5, seed=20, batch=3))
    for k in range(5):
        alone = mz.generate("sneaker", model=model, n=1, seed=20 + k, batch=3)
        assert np.array_equal(alone.images[0].pixels, many[k])
    other = pixels(mz.generate("sneaker", model=model, n=5, seed=20, batch=1))
    assert all(np.abs(a.astype(int) - b.astype(int)).max() <= 1 for a, b in zip(many, other, strict=True))
    assert not np.array_equal(many[0], many[1])


@pytest.mark.parametrize("solver", ["ddim:eta=1", "euler-ancestral", "dpmpp-2m-sde"])
def test_noisy_solvers_too(model: mz.Model, solver: str) -> None:
    words = {"model": model, "solver": solver, "grid": "karras", "batch": 2}
    three = mz.generate("tee", n=3, seed=3, **words)
    assert np.array_equal(pixels(three)[2], pixels(mz.generate("tee", seed=5, **words))[0])


def test_what_cannot_run_is_told_before(model: mz.Model) -> None:
    with pytest.raises(UsageError, match="heun cannot start at alpha = 0"):
        mz.prepare(request_of("sneaker", model=model, solver="heun"))


def test_words_matter(model: mz.Model) -> None:
    base = mz.generate("sneaker", model=model, seed=1)
    for change in (
        {"prompt": "ankle boot"},
        {"steps": 5},
        {"scale": 3.0},
        {"solver": "heun:coordinate=rectified"},
        {"grid": "karras"},
        {"seed": 2},
        {"quality": "draft"},
        {"negative_prompt": "tee"},
        {"dtype": "bfloat16"},
    ):
        words = {"prompt": "sneaker", "model": model, "seed": 1, **change}
        other = mz.generate(**words)
        assert other.images[0].receipt.made.asset_id != base.images[0].receipt.made.asset_id, change
        assert not np.array_equal(other.images[0].pixels, base.images[0].pixels), change


def test_synonyms_give_the_same_picture(model: mz.Model) -> None:
    assert np.array_equal(
        pixels(mz.generate("tee", model=model, seed=1))[0], pixels(mz.generate("T-Shirt", model=model, seed=1))[0]
    )


def test_guidance_limits(model: mz.Model) -> None:
    """Scale 0 is the null's picture: the prompt has no say; scale 1 the prompt's alone."""
    null = mz.generate("", model=model, seed=4, scale=1.0)
    zero = mz.generate("sneaker", model=model, seed=4, scale=0.0)
    assert np.array_equal(null.images[0].pixels, zero.images[0].pixels)
    away = mz.generate("sneaker", model=model, seed=4, scale=0.0, negative_prompt="tee")
    assert np.array_equal(away.images[0].pixels, mz.generate("tee", model=model, seed=4, scale=1.0).images[0].pixels)


def test_stream_is_an_iterator(model: mz.Model) -> None:
    job = mz.prepare(request_of("sneaker", model=model, n=3, seed=1, batch=2, steps=5))
    events = list(stream(job))
    steps = [e for e in events if isinstance(e, mz.Progress)]
    images = [e for e in events if isinstance(e, mz.Image)]
    assert [e.done for e in steps] == list(range(1, 11)) and steps[0].total == job.total == 10
    assert [e.seeds for e in steps[::5]] == [(1, 2), (3,)]
    assert [i.seed for i in images] == [1, 2, 3]
    first = next(i for i, e in enumerate(events) if isinstance(e, mz.Image))
    assert first == 5, "pictures come when their batch is done"


def test_the_callers_gradient_mode_is_left_alone(model: mz.Model) -> None:
    for event in stream(mz.prepare(request_of("sneaker", model=model, n=2, batch=1))):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled(), event


def test_interleaved_jobs_are_each_alone(model: mz.Model) -> None:
    jobs = [mz.prepare(request_of("sneaker", model=model, seed=s, solver="unipc")) for s in (1, 2)]
    both: list[list[mz.Image]] = [[], []]
    for pair in zip(*map(stream, jobs), strict=True):
        for found, event in zip(both, pair, strict=True):
            if isinstance(event, mz.Image):
                found.append(event)
    for job, (image,) in zip(jobs, both, strict=True):
        alone = mz.generate("sneaker", model=model, seed=job.seeds[0], solver="unipc")
        assert np.array_equal(image.pixels, alone.images[0].pixels)


def test_receipts_are_known_before(model: mz.Model) -> None:
    job = mz.prepare(request_of("sneaker", model=model, n=2, seed=1))
    asset_ids = [job.made(p).asset_id for p in job.pictures]
    images = [e for e in stream(job) if isinstance(e, mz.Image)]
    assert [i.receipt.made.asset_id for i in images] == asset_ids and len(set(asset_ids)) == 2


def test_results_are_frozen(model: mz.Model) -> None:
    result = mz.generate("sneaker", model=model)
    for value in (result, result.images[0], result.images[0].receipt, mz.prepare(request_of("tee", model=model))):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.seconds = 1  # type: ignore[misc]


def test_explain_counts_what_a_run_calls(model: mz.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (
        {"solver": "heun:coordinate=rectified", "steps": 5, "scale": 1.0},
        {"solver": "ddim", "steps": 3, "scale": 2.0},
    ):
        said = mz.explain(model, **words)
        rows: list[int] = []
        forward = type(model.main.network).forward

        def counting(self, x, *rest, forward=forward, rows=rows):
            rows.append(len(x))
            return forward(self, x, *rest)

        with monkeypatch.context() as patch:
            patch.setattr(type(model.main.network), "forward", counting)
            mz.generate("sneaker", model=model, **words)
        assert sum(rows) == said.calls and sum(r.calls for r in said.stages[0].rows) == len(rows)


def test_size_words() -> None:
    assert parse_size("28x30") == (28, 30) and parse_size("28X30") == (28, 30)
    for wrong in ("28", "x", "0x3", "3x", "-1x2", "axb", "1.5x2"):
        with pytest.raises(UsageError, match="not WxH"):
            parse_size(wrong)


def test_a_size_that_is_none_is_answered_with_the_model_s_own() -> None:
    said = r"size '512' is not WxH in pixels, and products-latent makes 256x256 alone"
    with pytest.raises(UsageError, match=said):
        size_of(describe_system(find("products-latent")), "512")
