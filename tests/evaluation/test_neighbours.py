"""Precision, recall, density, coverage and copies on sets whose answers are known."""

import pytest
import torch

from mezzotint.errors import UsageError
from mezzotint.evaluation import neighbours
from mezzotint.evaluation.memorisation import memorisation
from mezzotint.evaluation.precision_recall import fidelity


def cloud(n, seed, dim=4, centre=0.0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)) + centre


def brute(a, b):
    return (a.double()[:, None] - b.double()[None]).square().sum(-1).sqrt()


def test_distances_in_pieces_equal_brute_force(monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS", 7)
    a, b = cloud(30, 0, centre=1000.0), cloud(20, 1, centre=1000.0)
    torch.testing.assert_close(torch.cat(list(neighbours.distances(a, b))), brute(a, b), rtol=1e-9, atol=1e-9)
    assert torch.equal(neighbours.nearest(a, b, 3)[1], brute(a, b).topk(3, largest=False).indices)


def test_the_four_numbers_equal_their_definitions():
    real, fake, k = cloud(60, 2), cloud(50, 3, centre=0.7), 3
    rr, ff = (brute(x, x).sort(1).values[:, k] for x in (real, fake))
    d = brute(fake, real)
    found = fidelity(fake, real, k)
    assert found.precision.value == pytest.approx((d <= rr).any(1).double().mean().item())
    assert found.recall.value == pytest.approx((brute(real, fake) <= ff).any(1).double().mean().item())
    assert found.density.value == pytest.approx((d <= rr).double().sum().item() / (k * 50))
    assert found.coverage.value == pytest.approx((d.min(0).values <= rr).double().mean().item())


def test_identical_sets_have_all_and_distant_sets_nothing():
    x = cloud(200, 4)
    same, far = fidelity(x, x), fidelity(x + 100, x)
    assert same.precision.value == same.recall.value == same.coverage.value == 1
    assert [e.value for e in (far.precision, far.recall, far.density, far.coverage)] == [0, 0, 0, 0]


def test_a_dropped_mode_costs_recall_not_precision_and_noise_the_other_way():
    real = torch.cat([cloud(200, 5), cloud(200, 6, centre=20.0)])
    dropped = fidelity(torch.cat([cloud(200, 7), cloud(200, 8)]), real)
    assert dropped.precision.value > 0.9 and dropped.recall.value < 0.6 and dropped.coverage.value < 0.6
    noisy = fidelity(torch.cat([cloud(200, 7), cloud(200, 8, centre=20.0)]) * 3, real)
    assert noisy.precision.value < 0.5


def test_independent_samples_are_not_called_copies():
    found = memorisation(cloud(400, 9, 16), cloud(2000, 10, 16), cloud(500, 11, 16))
    assert found.copies.value == 0 and found.nearer_train.low - 0.05 < 0.5 < found.nearer_train.high + 0.05


def test_planted_copies_are_found_and_named():
    train, fresh = cloud(2000, 12, 16), cloud(90, 13, 16)
    copies = train[100:110] + 1e-3 * cloud(10, 14, 16)
    found = memorisation(torch.cat([fresh, copies]), train, cloud(500, 15, 16), show=10)
    assert found.copies.value == pytest.approx(0.1)
    assert {(i, j) for i, j, _ in found.nearest} == {(90 + k, 100 + k) for k in range(10)}


def test_an_exact_copy_has_ratio_zero_and_a_model_of_copies_is_nearer_to_train():
    train = cloud(500, 16, 16)
    found = memorisation(train[:50], train, cloud(500, 17, 16))
    assert found.copies.value == 1 and found.nearer_train.value == 1 and found.nearest[0][2] < 1e-6


def test_too_little_data_is_refused():
    with pytest.raises(UsageError, match="no more held out"):
        memorisation(cloud(5, 0), cloud(5, 1), cloud(6, 2))
    with pytest.raises(UsageError, match="neighbours were asked"):
        fidelity(cloud(5, 0), cloud(5, 1), k=5)
