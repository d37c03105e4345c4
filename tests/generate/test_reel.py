"""The film shows the trajectory it was made from."""

from pathlib import Path

import numpy as np
import pytest

import mezzotint as mz
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


@pytest.mark.parametrize("steps", [6, 300])
def test_a_film_goes_from_noise_to_the_picture(tiny: Path, steps: int) -> None:
    job = mz.prepare(
        mz.Request("sneaker", model=str(tiny), n=3, seed=5, steps=steps, batch=2, solver="ddim", scale=1.0)
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
    job = mz.prepare(mz.Request("sneaker", model=str(tiny), n=2, seed=5, steps=6))
    reel, steps, _ = played(job)
    for row, seed in enumerate(job.seeds):
        moments = reel.take(seed)
        for event, moment in zip(steps, moments[1:], strict=True):
            estimate = job.main.model.codec().decode(event.state.x0)[row, 0]
            shown = job.main.model.codec().decode(event.state.x / event.state.level.scale.item())[row, 0]
            assert np.array_equal(moment.estimate[..., 0], estimate.numpy())
            assert np.array_equal(moment.state[..., 0], shown.numpy())
