"""Losses of end points: what each holds against a picture."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from fit_case import F64, problem

from mezzotint.codecs.base import Vector
from mezzotint.codecs.pixels import Pixels
from mezzotint.diffusion.denoiser import Posterior
from mezzotint.errors import UsageError
from mezzotint.fewstep.fit import gradient
from mezzotint.fewstep.loss import Absolute, LogSum, Texture
from mezzotint.fewstep.parameters import Layout
from mezzotint.fewstep.problem import in_range
from mezzotint.making.calibrated.losses import LOSSES, check_loss, loss_for

ROWS = range(3)


def pictures(seed: int, size: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.randn(3, 1, size, size, generator=generator, dtype=F64)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_is_nothing_and_a_row_is_its_own(name):
    loss, x, goal = LOSSES[name], pictures(0), pictures(1)
    found = loss(x, goal, ROWS)
    assert found.shape == (3,) and bool((found > 0).all()) and bool((loss(goal, goal, ROWS) == 0).all())
    mates = loss(torch.cat((x[:1], 9 * x[1:])), goal, ROWS)
    assert mates[0] == found[0] and bool((mates[1:] != found[1:]).all())


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_finite_difference(name):
    loss, goal = LOSSES[name], pictures(1)
    x, d = pictures(0).requires_grad_(), 1e-6 * pictures(2)
    (found,) = torch.autograd.grad(loss(x, goal, ROWS).sum(), x)
    moved = (loss(x + d, goal, ROWS) - loss(x - d, goal, ROWS)).sum().item() / 2
    assert (found * d).sum().item() == pytest.approx(moved, rel=1e-4)


def test_log_sum_is_the_formula_and_minds_little_noise_more_than_a_line():
    goal = torch.zeros(1, 1, 10, 10, dtype=F64)
    line, noise = goal.clone(), torch.full_like(goal, 0.02)
    line[0, 0, 0] = 0.5
    assert LogSum()(line, goal, [0]).item() == pytest.approx(0.2 * math.log(26) / 10)
    assert Absolute()(noise, goal, [0]) < 0.5 * Absolute()(line, goal, [0])
    assert LogSum()(noise, goal, [0]) > 2 * LogSum()(line, goal, [0])


def test_texture_is_the_formula():
    loss, x, goal = Texture(scales=1, window=3), pictures(0, 4), pictures(1, 4)

    def rough(p, i, j, axis):
        """At (i, j) of the differences: the mean of what a window of 3 x 3 has of them."""
        d = p.diff(dim=axis) ** 2
        near = d[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        return 0.5 * math.log(near.mean().item() + 0.01**2)

    want = []
    for axis, (high, wide) in ((0, (3, 4)), (1, (4, 3))):
        at = [(i, j) for i in range(0, high + 1, 2) for j in range(0, wide + 1, 2)]
        want.append([abs(rough(x[0, 0], i, j, axis) - rough(goal[0, 0], i, j, axis)) for i, j in at])
    total = sum(sum(part) / len(part) for part in want) / 2
    assert loss(x, goal, ROWS)[0].item() == pytest.approx(total)


def test_texture_prefers_other_noise_to_none_and_values_alone_do_not():
    """Where the teacher is rough: smooth ends are what values prefer, and ends as rough are what texture does."""
    goal, other, smooth = pictures(0, 32), pictures(1, 32), F.avg_pool2d(pictures(0, 32), 3, 1, 1)
    assert Absolute()(smooth, goal, ROWS).mean() < Absolute()(other, goal, ROWS).mean()
    assert bool((Texture()(other, goal, ROWS) < 0.5 * Texture()(smooth, goal, ROWS)).all())


@pytest.mark.parametrize("axis", [2, 3])
def test_texture_looks_along_both_axes(axis):
    goal = pictures(0)
    smooth = (goal + goal.roll(1, axis)) / 2
    assert bool((Texture()(smooth, goal, ROWS) > 0.05).all())


def test_what_is_not_shown_is_no_error():
    """Beyond the range of pixels nothing is seen: no gradient comes from there."""
    goal, theta = torch.full((96, 3), -1.0), 0.01 * torch.ones(Layout(4).size, dtype=F64)
    base = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03], dtype=F64)

    def dark(x, level, cond):
        return Posterior(-5 + 0 * x)

    shown, whole = replace(problem(dark), shown=in_range), problem(dark)
    parts = theta, base, goal, list(range(8)), Absolute(), False
    assert gradient(shown, *parts)[1] == 0 and bool((gradient(shown, *parts)[0] == 0).all())
    assert gradient(whole, *parts)[1] > 1
    assert torch.equal(in_range(torch.tensor([-2.0, 0.5, 3.0])), torch.tensor([-1.0, 0.5, 1.0]))


def test_names_of_losses():
    assert check_loss(None) is None and check_loss("log") == "log"
    with pytest.raises(UsageError, match="loss is 'lpips'; expected one of absolute, log, texture"):
        check_loss("lpips")


def test_pixels_are_fitted_by_texture_and_anything_else_by_values():
    picture, vector = Pixels(1, (8, 8)), Vector(8)
    assert loss_for(picture, None) == "texture" and loss_for(picture, "log") == "log"
    assert loss_for(vector, None) == "absolute" and loss_for(vector, "log") == "log"
    with pytest.raises(UsageError, match=r"texture is of pictures, and states of \(1, 8\) are none"):
        loss_for(vector, "texture")
