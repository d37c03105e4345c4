"""Laws of Brownian noise: one path a seed, whatever the steps, the batch or the order of the questions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.brownian import PLACES, TREE_DRAW, Brownian, place
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.philox import SMALL

F64 = torch.float64
SHAPE = (2, 3, 4)


def at(place: int | list[int] | list[list[int]]) -> Level:
    """The level that lies exactly on a place: alpha^(1/4) : sigma^(1/4) = place : PLACES - place."""
    u = torch.tensor(place, dtype=F64) / PLACES
    return Level(u**4, (1 - u) ** 4)


def snr(level: Level) -> Tensor:
    return (level.alpha / level.sigma).square()


def brownian(seeds: tuple[int, ...] = (1, 2), stage: int = 0) -> Brownian:
    return Brownian(Noise(seeds, stage, F64))


def increment(path: Brownian, a: Level, b: Level, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """W(b) - W(a), not standardised."""
    return path(a, b, shape) * (snr(b) - snr(a)).abs().sqrt()


A, B, C = at(300_000), at(500_001), at(700_007)


def test_a_level_falls_on_its_own_place():
    k = torch.arange(1, PLACES, 997)
    assert torch.equal(place(at(k.tolist())), k)


def test_all_levels_fall_inside_the_tree():
    ends = Level(torch.tensor([0.0, 1.0, 1e-300, 1.0], dtype=F64), torch.tensor([1.0, 0.0, 1.0, 1e-300], dtype=F64))
    assert ((place(ends) >= 1) & (place(ends) < PLACES)).all()


def test_additive_over_adjacent_intervals():
    path = brownian()
    whole = increment(path, A, C)
    assert torch.allclose(
        increment(path, A, B) + increment(path, B, C), whole, rtol=1e-9, atol=1e-12 * whole.abs().max()
    )


def test_halving_the_steps_does_not_change_the_path():
    coarse = [200_000 + 8192 * i for i in range(9)]
    fine = [200_000 + 1024 * i for i in range(65)]
    total = increment(brownian(), at(coarse[0]), at(coarse[-1]))
    for grid in (coarse, fine):
        path = brownian()
        steps = sum(increment(path, at(a), at(b)) for a, b in pairwise(grid))
        assert torch.allclose(steps, total, rtol=1e-9)


def test_the_answer_does_not_depend_on_what_was_asked_before():
    used, fresh = brownian(), brownian()
    for a, b in ((B, C), (A, C), (C, A), (A, B)):
        used(a, b, SHAPE)
    assert torch.equal(used(B, C, SHAPE), fresh(B, C, SHAPE))


def test_backwards_is_the_negative():
    path = brownian()
    assert torch.equal(path(C, A, SHAPE), -path(A, C, SHAPE))


def test_batch_and_order_do_not_change_a_row():
    seeds = tuple(range(40, 48))
    eight = brownian(seeds)(A, B, (8, 5))
    for some in ((43,), (41, 43, 46), tuple(reversed(seeds))):
        rows = torch.stack([eight[seeds.index(s)] for s in some])
        assert torch.equal(brownian(some)(A, B, (len(some), 5)), rows)


def test_a_larger_row_begins_as_a_smaller_one():
    """Which also says that drawing the places of small rows at once changes nothing."""
    assert torch.equal(brownian()(A, B, (2, SMALL + 5))[:, :SMALL], brownian()(A, B, (2, SMALL)))


def test_seeds_and_stages_differ():
    first = brownian((1,))(A, B, (1, 9))
    assert (first - brownian((2,))(A, B, (1, 9))).abs().min() > 0
    assert (first - brownian((1,), stage=1)(A, B, (1, 9))).abs().min() > 0


def test_a_level_a_row():
    rows = brownian()(at([300_000, 600_000]), at([500_000, 650_000]), SHAPE)
    assert torch.equal(rows[0], brownian()(at(300_000), at(500_000), SHAPE)[0])
    assert torch.equal(rows[1], brownian()(at(600_000), at(650_000), SHAPE)[1])


def test_a_level_a_frame():
    a, b = [[300_000, 300_000, 400_000]] * 2, [[500_000, 300_000, 450_000]] * 2
    frames = brownian()(at(a), at(b), SHAPE)
    for f in range(3):
        assert torch.equal(frames[:, f], brownian()(at(a[0][f]), at(b[0][f]), SHAPE)[:, f])
    assert (frames[:, 1] == 0).all(), "a frame that stands still has no increment"


def test_dtype_is_the_noise_s():
    single = Brownian(Noise((1, 2)))(A, B, SHAPE)
    assert single.dtype == torch.float32
    assert torch.equal(single, brownian()(A, B, SHAPE).float())


@pytest.mark.parametrize("ends", [(0.0, 1.0, 0.6, 0.8), (0.6, 0.8, 1.0, 0.0), (0.0, 1.0, 1.0, 0.0)])
def test_infinite_intervals_are_finite_and_normal(ends: tuple[float, ...]):
    a, s, an, sn = (torch.tensor(v, dtype=F64) for v in ends)
    z = brownian((5,))(Level(a, s), Level(an, sn), (1, 20_000))
    assert abs(z.mean()) < 4 / math.sqrt(20_000)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / 20_000)


def test_moments():
    """Standard normal and uncorrelated over disjoint intervals, neighbours or not, long or short (4 s.e.)."""
    n, path = 20_000, brownian((7,))
    places = [1000, 200_000, 200_001, 350_000, 524_288, 524_800, 1_000_000]
    z = torch.stack([path(at(a), at(b), (1, n))[0] for a, b in pairwise(places)])
    assert z.mean(1).abs().max() < 4 / math.sqrt(n)
    cov = z @ z.T / n
    off = cov - torch.diag(cov.diagonal())
    assert off.abs().max() < 4 / math.sqrt(n)
    assert (cov.diagonal() - 1).abs().max() < 4 * math.sqrt(2 / n)
    assert (z.pow(4).mean(1) - 3).abs().max() < 4 * math.sqrt(96 / n)


@dataclass(frozen=True)
class Watched(Noise):
    """Noise that notes which draws were asked of it."""

    asked: list[int] = field(default_factory=list)

    def many(self, draws: Sequence[int], shape: Sequence[int]) -> Iterator[Tensor]:
        self.asked.extend(draws)
        return super().many(draws, shape)


def test_draws_lie_above_every_trajectory_s():
    noise = Watched((1, 2), dtype=F64)
    path = Brownian(noise)
    assert not noise.asked, "nothing is drawn before the first question"
    path(A, B, (2, SMALL + 1))
    path(B, C, (2, SMALL + 1))
    assert min(noise.asked) > TREE_DRAW >= 2**32
    assert max(noise.asked) < TREE_DRAW + PLACES
    assert len(noise.asked) <= 3 * 20, "the end of a step is not drawn again for the next"
