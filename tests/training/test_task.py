"""Tasks and what comes from pictures: keyed, the same in any split of the batch."""

from __future__ import annotations

import torch

from mezzotint.products.training import SmallCopy
from mezzotint.training.keyed import Purpose
from mezzotint.training.task import Draws


def draws(rows: range, step: int = 3) -> Draws:
    return Draws(7, Purpose.TASK, step, rows)


def test_draws_belong_to_rows() -> None:
    whole, part = draws(range(6)), draws(range(2, 5))
    assert torch.equal(whole.normals(0, (4,))[2:5], part.normals(0, (4,)))
    assert torch.equal(whole.uniforms(1)[2:5], part.uniforms(1))
    assert not torch.equal(whole.uniforms(0), whole.uniforms(1))
    assert not torch.equal(whole.normals(0, (4,)), draws(range(6), 4).normals(0, (4,)))


def test_a_small_copy_has_the_picture_at_its_level() -> None:
    images = torch.full((500, 1, 8, 8), 255, dtype=torch.uint8)
    told = SmallCopy(4, (0.0, 9.0))(images, draws(range(500)))
    logsnr = told["lowres_logsnr"]
    assert told["lowres"].shape == (500, 1, 8, 8) and logsnr.min() > 0 and logsnr.max() < 9
    alpha, sigma = logsnr.sigmoid().sqrt(), (-logsnr).sigmoid().sqrt()
    noise = (told["lowres"] - alpha[:, None, None, None]) / sigma[:, None, None, None]
    assert abs(float(noise.mean())) < 0.02 and abs(float(noise.std()) - 1) < 0.02
    assert abs(float(torch.corrcoef(torch.stack([logsnr, noise[:, 0, 0, 0]]))[0, 1])) < 0.15


def test_a_small_copy_without_noise_is_the_small_picture() -> None:
    images = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8) * 4
    told = SmallCopy(4, (60.0, 60.0))(images, draws(range(1)))["lowres"]
    small = torch.nn.functional.avg_pool2d(images.float() / 127.5 - 1, 4)
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(told, 4).mean(), small.mean(), atol=1e-3, rtol=0)
    assert told[0, 0, 0, 0] < told[0, 0, -1, -1]
