"""Assignment of noise: a permutation that costs no more, and never crosses groups."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from mezzotint.training.assignment import assign


def rand(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cost(x0: Tensor, eps: Tensor) -> float:
    return (x0 - eps).double().square().sum().item()


def same_rows(a: Tensor, b: Tensor) -> bool:
    return sorted(map(tuple, a.flatten(1).tolist())) == sorted(map(tuple, b.flatten(1).tolist()))


def test_it_is_the_cheapest_permutation() -> None:
    for seed in range(5):
        x0, eps = rand(6, 2, 3, seed=seed), rand(6, 2, 3, seed=100 + seed)
        got = assign(x0, eps)
        assert same_rows(got, eps)
        best = min(cost(x0, eps[list(p)]) for p in permutations(range(6)))
        assert abs(cost(x0, got) - best) < 1e-3


def test_it_reduces_the_cost_of_a_batch_and_keeps_shape_and_dtype() -> None:
    x0, eps = rand(64, 1, 4, 4, seed=1), rand(64, 1, 4, 4, seed=2).bfloat16()
    got = assign(x0, eps)
    assert got.shape == eps.shape and got.dtype == eps.dtype and same_rows(got, eps)
    assert cost(x0, got.float()) < 0.95 * cost(x0, eps.float())


def test_groups_never_mix() -> None:
    x0, eps = rand(40, 8, seed=3), rand(40, 8, seed=4)
    groups = torch.randint(0, 5, (40,), generator=torch.Generator().manual_seed(5))
    got = assign(x0, eps, groups)
    for g in range(5):
        assert same_rows(got[groups == g], eps[groups == g])
        alone = assign(x0[groups == g], eps[groups == g])
        torch.testing.assert_close(got[groups == g], alone)
    assert cost(x0, assign(x0, eps)) <= cost(x0, got) <= cost(x0, eps)


def test_a_group_of_one_keeps_its_noise() -> None:
    x0, eps = rand(4, 3, seed=6), rand(4, 3, seed=7)
    assert torch.equal(assign(x0, eps, torch.arange(4)), eps)
