"""The film shows the trajectory it was made from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import request_of

import mezzotint as mz
from mezzotint.cli import run as command
from mezzotint.making.again import AWAY
from mezzotint.making.reel import Reel
from mezzotint.making.run import stream
from mezzotint.pictures.film import MAX_FRAMES


def played(job: mz.Job) -> tuple[Reel, list[mz.Progress], dict[int, mz.Image]]:
    reel, steps, images = Reel(job), [], {}
    for event in stream(job):
        if isinstance(event, mz.Progress):
            steps.append(event)
            reel.add(event)
        else:
            images[event.seed] = event
    return reel, steps, images


@pytest.mark.parametrize(("steps", "n"), [(6, 3), (MAX_FRAMES + 10, 1)])
def test_a_film_goes_from_noise_to_the_picture(tiny: Path, steps: int, n: int) -> None:
    job = mz.prepare(
        request_of("sneaker", model=str(tiny), n=n, seed=5, steps=steps, batch=2, solver="ddim", scale=1.0)
    )
    reel, _, images = played(job)
    for seed, image in images.items():
        moments = reel.take(seed)
        assert len(moments) == min(steps + 1, MAX_FRAMES)
        assert (
            moments[0].label == f"step 0/{steps}\nnoise 100 %"
            and moments[-1].label == f"step {steps}/{steps}\nnoise 0 %"
        )
        assert np.array_equal(moments[-1].state, image.pixels)
        assert np.array_equal(moments[-1].estimate, image.pixels), "at sigma = 0 the estimate is the picture"


def test_the_estimate_is_the_denoisers(tiny: Path) -> None:
    job = mz.prepare(request_of("sneaker", model=str(tiny), n=2, seed=5, steps=6))
    reel, steps, _ = played(job)
    for row, seed in enumerate(job.seeds):
        moments = reel.take(seed)
        for event, moment in zip(steps, moments[1:], strict=True):
            estimate = job.main.model.codec().decode(event.state.x0)[row, 0]
            shown = job.main.model.codec().decode(event.state.x / event.state.level.scale.item())[row, 0]
            assert np.array_equal(moment.estimate[..., 0], estimate.numpy())
            assert np.array_equal(moment.state[..., 0], shown.numpy())


def without_numbers(monkeypatch: pytest.MonkeyPatch, model: Path, calls: Callable[[int], bool]) -> None:
    """The network's answer to the last row of some calls is none."""
    kind, made = type(mz.load(model).stages[0].network), 0
    true = kind.forward

    def forward(self: object, *given: Any, **more: Any) -> Any:
        nonlocal made
        made += 1
        answer = true(self, *given, **more).clone()
        answer[-1] *= np.nan if calls(made) else 1
        return answer

    monkeypatch.setattr(kind, "forward", forward)


def test_a_film_of_what_has_no_numbers_is_no_film(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_numbers(monkeypatch, tiny, lambda call: call > 2)
    words = ["generate", "sneaker", "--model", str(tiny), "--quiet", "--film", "--steps", "3", "--out"]
    assert command([*words, str(tmp_path / "o")]) == 4
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"with seeds 0 and {AWAY}: a state to decode is not finite" in err
    assert not [p for p in (tmp_path / "o").rglob("*") if p.is_file()]


@pytest.mark.parametrize("words", [{}, {"image": "from.png", "strength": 0.5}], ids=["noise", "image"])
def test_the_film_of_what_is_made_again_is_of_that_alone(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = request_of("sneaker", model=tiny, seed=5, steps=4, solver="ddim", scale=1.0)
    played(mz.prepare(asked))[2][5].save(Path("from.png"))
    asked = request_of("sneaker", model=tiny, seed=5, n=2, steps=4, solver="ddim", scale=1.0, **words)
    plain = [len(reel.take(5)) for reel in (played(mz.prepare(asked))[0],)]
    without_numbers(monkeypatch, tiny, lambda call: call == 2)
    reel, _, images = played(mz.prepare(asked))
    assert list(images) == [5, 6]
    assert [len(reel.take(seed)) for seed in (5, 6)] == plain * 2
