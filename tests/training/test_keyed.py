"""Randomness is a function of its place: not of what was drawn before, in which company, or by whom."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from mezzotint.training import keyed
from mezzotint.training.keyed import Purpose


def test_a_rows_noise_depends_on_its_number_alone():
    whole = keyed.normals(7, Purpose.NOISE, 3, range(8), (2, 5))
    alone = keyed.normals(7, Purpose.NOISE, 3, [5], (2, 5))
    turned = keyed.normals(7, Purpose.NOISE, 3, [7, 5, 0], (2, 5))
    assert torch.equal(whole[5], alone[0])
    assert torch.equal(whole[[7, 5, 0]], turned)


def test_noise_differs_between_seeds_steps_rows_and_purposes():
    draws = [
        keyed.normals(*key, [row], (16,))
        for key in [(1, Purpose.NOISE, 0), (2, Purpose.NOISE, 0), (1, Purpose.NOISE, 1), (1, Purpose.VALIDATION, 0)]
        for row in (0, 1)
    ]
    assert len({tuple(d.flatten().tolist()) for d in draws}) == len(draws)


def test_large_seeds_do_not_share_noise():
    """2^53 and its neighbour, 2^63 - 1 and its own: a key that passed through float64 would round them together."""
    seeds = (2**53, 2**53 + 1, 2**62, 2**62 + 1, 2**63 - 2, 2**63 - 1)
    draws = [keyed.normals(seed, Purpose.NOISE, 0, [0], (16,)) for seed in seeds]
    assert len({tuple(d.flatten().tolist()) for d in draws}) == len(draws)


def test_noise_is_standard_normal():
    x = keyed.normals(3, Purpose.NOISE, 0, range(200), (500,)).flatten().numpy()
    assert stats.kstest(x, "norm").pvalue > 0.01


def test_single_numbers_are_uniform_and_independent_of_their_neighbours():
    u = keyed.uniforms(3, Purpose.DROP, 0, range(50_000)).numpy()
    assert stats.kstest(u, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.02
    other = keyed.uniforms(3, Purpose.DROP, 1, range(50_000)).numpy()
    assert abs(np.corrcoef(u, other)[0, 1]) < 0.02


@pytest.mark.parametrize("batch", [1, 2, 5, 128])
def test_stratified_levels_cover_the_unit_interval_evenly(batch):
    u = keyed.stratified(3, 9, range(batch), batch)
    assert sorted((u * batch).floor().tolist()) == sorted(range(batch)) or batch == 1
    assert float(u.min()) > 0
    assert float(u.max()) < 1
    parts = torch.cat([keyed.stratified(3, 9, [r], batch) for r in range(batch)])
    assert torch.equal(parts, u)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 64, 1000, 60_000])
def test_a_keyed_permutation_visits_everything_once(n):
    seen = keyed.permuted(np.arange(n, dtype=np.uint64), n, 4, 2)
    assert np.array_equal(np.sort(seen), np.arange(n, dtype=np.uint64))


def test_a_keyed_permutation_mixes():
    n = 10_000
    a = keyed.permuted(np.arange(n, dtype=np.uint64), n, 4, 2).astype(float)
    b = keyed.permuted(np.arange(n, dtype=np.uint64), n, 4, 3).astype(float)
    assert abs(np.corrcoef(a, np.arange(n))[0, 1]) < 0.04
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.04
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.04


def test_small_permutations_are_uniform():
    counts = np.zeros((4, 4))
    for key in range(1500):
        counts[np.arange(4), keyed.permuted(np.arange(4, dtype=np.uint64), 4, key).astype(int)] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 0.001
