"""What a run takes is said before anything is loaded, and can be made less."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import numpy as np
import pytest
from asking import request_of

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.pretrained.memory import group_limit
from mezzotint.pretrained.shelf import MANY, SHELF

CODEC, DENOISER = "KLAutoencoder", "ConditionedUNet"
BIG = {CODEC, DENOISER, "CLIPText", "CLIPTextProjected"}


def pixels(model: object, **words: object) -> np.ndarray:
    return mz.generate("a red chair", model=model, seed=3, steps=2, **words).images[0].pixels  # type: ignore[arg-type]


def test_one_part_at_a_time_gives_the_same_picture(sdxl: Path) -> None:
    whole = pixels(sdxl)
    assert len(SHELF) > 1
    job = mz.prepare(request_of("a red chair", model=sdxl, seed=3, steps=2, offload=True))
    assert len(SHELF) <= 1
    for event in mz.stream(job):
        gc.collect()
        alive = {type(x).__name__ for x in gc.get_objects() if type(x).__name__ in BIG}
        assert alive == {CODEC if isinstance(event, mz.Image) else DENOISER}
        if isinstance(event, mz.Image):
            assert np.array_equal(event.pixels, whole)
    SHELF.resize(MANY)
    assert np.array_equal(pixels(sdxl), whole)


def test_the_estimate_counts_every_part_and_offload_the_largest(sd3: Path) -> None:
    whole, parts = (
        mz.prepare(request_of("a", model=sd3, size="32x32", steps=1, offload=o)).memory for o in (False, True)
    )
    SHELF.resize(MANY)
    assert whole is not None and parts is not None
    assert set(whole.weights) == {"text_encoder", "text_encoder_2", "text_encoder_3", "transformer", "vae"}
    assert whole.total - parts.total == sum(whole.weights.values()) - max(whole.weights.values())
    half = mz.prepare(request_of("a", model=sd3, size="32x32", steps=1, dtype="bfloat16")).memory
    assert half is not None and 2 * half.weights["transformer"] == whole.weights["transformer"]
    assert 2 * half.weights["vae"] == whole.weights["vae"]
    assert all(2 * half.weights[f"text_encoder{k}"] == whole.weights[f"text_encoder{k}"] for k in ("", "_2", "_3"))


def test_what_cannot_fit_is_refused_with_the_numbers(sd1: Path) -> None:
    with pytest.raises(UsageError, match=r"needs about [\d.]+ GB .*unet .* GB are free; use --offload, a smaller"):
        mz.prepare(request_of("a", model=sd1, size="4096x4096", n=16))


def test_a_small_model_has_nothing_to_put_away(tiny: Path) -> None:
    with pytest.raises(UsageError, match="leave out --offload"):
        mz.prepare(request_of("sneaker", model=tiny, offload=True))


def test_the_limit_of_a_control_group(tmp_path: Path) -> None:
    assert group_limit(tmp_path) is None
    for name, text in (("max", "1000"), ("current", "900"), ("stat", "anon 1\ninactive_file 200\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert group_limit(tmp_path) == 300
    (tmp_path / "memory.max").write_text("max\n")
    assert group_limit(tmp_path) is None


@pytest.mark.parametrize("many", [16, pytest.param(200, marks=pytest.mark.slow)])
def test_eight_threads_give_the_bytes_of_one(sd1: Path, many: int) -> None:
    """One loaded model, requests of other prompts, seeds and steps at once."""
    model = mz.load(sd1)
    asked = [(f"a red chair {k % 5}", k, 1 + k % 3) for k in range(many)]

    def one(request: tuple[str, int, int]) -> bytes:
        prompt, seed, steps = request
        return mz.generate(prompt, model=model, seed=seed, steps=steps, threads=1).images[0].pixels.tobytes()

    alone = [one(request) for request in asked]
    made: dict[int, bytes] = {}

    def work(first: int) -> None:
        for k in range(first, len(asked), 8):
            made[k] = one(asked[k])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [made[k] for k in range(len(asked))] == alone


def test_two_requests_interleaved_give_the_bytes_each_gives_alone(sd1: Path, sdxl: Path) -> None:
    def jobs() -> list[mz.Job]:
        model = mz.load(sd1)
        return [
            mz.prepare(request_of("a red chair", model=model, seed=1, steps=4)),
            mz.prepare(
                request_of("blue", model=model, seed=2, steps=3, solver="euler", negative_prompt="red", scale=3.0)
            ),
            mz.prepare(request_of("a chair", model=sdxl, seed=2, steps=3)),
        ]

    alone = [[e.pixels.tobytes() for e in mz.stream(job) if isinstance(e, mz.Image)] for job in jobs()]
    walks = [mz.stream(job) for job in jobs()]
    together: list[list[bytes]] = [[] for _ in walks]
    while any(walk is not None for walk in walks):
        for i, walk in enumerate(walks):
            event = None if walk is None else next(walk, None)
            if event is None:
                walks[i] = None  # type: ignore[call-overload]
            elif isinstance(event, mz.Image):
                together[i].append(event.pixels.tobytes())
    assert together == alone
