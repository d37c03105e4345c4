"""Laws of the Fréchet distance: closed forms, identity, symmetry, order, chunks, noise; and what it refuses."""

import math

import pytest
import torch

from mezzotint.errors import InputError, NonFiniteError, UsageError
from mezzotint.evaluation.frechet import Distance, Moments, between, gaussian_distance, moments

D = 24


def gen(seed):
    return torch.Generator().manual_seed(seed)


def covariance(seed, rank=D):
    a = torch.randn(D, rank, dtype=torch.float64, generator=gen(seed))
    return a @ a.T / rank


def sample(n, seed=0, dtype=torch.float32):
    mix = torch.randn(D, D, dtype=dtype, generator=gen(99))
    return torch.randn(n, D, dtype=dtype, generator=gen(seed)) @ mix + 3


def test_commuting_gaussians_equal_the_closed_form():
    q, _ = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64, generator=gen(1)))
    a, b = torch.rand(2, D, dtype=torch.float64, generator=gen(2)) * 5
    m1, m2 = torch.randn(2, D, dtype=torch.float64, generator=gen(3))
    expected = (m1 - m2).square().sum() + (a.sqrt() - b.sqrt()).square().sum()
    found = gaussian_distance(m1, q @ a.diag() @ q.T, m2, q @ b.diag() @ q.T)
    assert found == pytest.approx(expected.item(), rel=1e-12)


def test_two_by_two_non_commuting_gaussians_equal_the_closed_form():
    """tr (AB)^(1/2) = sqrt(tr AB + 2 sqrt(det AB)) for 2 x 2 matrices, from Cayley-Hamilton."""
    a = torch.tensor([[2.0, 0.7], [0.7, 1.0]], dtype=torch.float64)
    b = torch.tensor([[0.5, -0.4], [-0.4, 3.0]], dtype=torch.float64)
    cross = math.sqrt((a @ b).trace().item() + 2 * math.sqrt(torch.linalg.det(a @ b).item()))
    zero = torch.zeros(2, dtype=torch.float64)
    expected = (a.trace() + b.trace()).item() - 2 * cross
    assert gaussian_distance(zero, a, zero, b) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rank", [D, 5])
def test_equals_an_independent_matrix_square_root(rank):
    """scipy's Schur-based sqrtm of the non-symmetric product, full rank and (regularised there alone) singular."""
    import scipy.linalg

    a, b = covariance(4, rank), covariance(5)
    jitter = 1e-12 * torch.eye(D, dtype=torch.float64)
    root = scipy.linalg.sqrtm(((a + jitter) @ (b + jitter)).numpy()).real
    zero = torch.zeros(D, dtype=torch.float64)
    expected = (a.trace() + b.trace()).item() - 2 * root.trace()
    assert gaussian_distance(zero, a, zero, b) == pytest.approx(expected, rel=1e-4 if rank < D else 1e-9)


@pytest.mark.parametrize("rank", [D, 3])
def test_identical_sets_are_at_distance_zero(rank):
    x = sample(400, dtype=torch.float64)
    x[:, rank:] = 0
    m = moments(x)
    assert between(m, m) <= 1e-12 * m.cov.trace().item()


def test_it_is_symmetric_and_shifts_by_the_squared_mean():
    a, b = moments(sample(300, 1)), moments(sample(300, 2))
    assert between(a, b) == pytest.approx(between(b, a), rel=1e-9)
    x = sample(300, 1, torch.float64)
    assert between(moments(x), moments(x + 2.0)) == pytest.approx(4 * D, rel=1e-9)


def test_samples_of_gaussians_approach_the_closed_form():
    """|mu|^2 + D (s - 1)^2 for isotropic Gaussians, within the sampling error."""
    a = torch.randn(40_000, 4, generator=gen(6))
    b = 1.5 * torch.randn(40_000, 4, generator=gen(7)) + 0.5
    assert between(moments(a), moments(b)) == pytest.approx(4 * 0.25 + 4 * 0.25, rel=0.03)


def test_order_does_not_matter():
    x, reference = sample(500), moments(sample(500, 8))
    shuffled = x[torch.randperm(500, generator=gen(9))]
    assert between(moments(shuffled), reference) == pytest.approx(between(moments(x), reference), rel=1e-9)


@pytest.mark.parametrize("chunks", [(500,), (1, 499), (100,) * 5, (0, 250, 0, 250)])
def test_chunks_give_what_the_whole_gives(chunks):
    x = sample(500)
    whole = moments(x)
    total = Moments(0, torch.zeros(D, dtype=torch.float64), torch.zeros(D, D, dtype=torch.float64))
    for part in x.split(chunks):
        total = total.add(part)
    assert total.n == whole.n
    torch.testing.assert_close(total.mean, whole.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(total.cov, whole.cov, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(whole.cov, torch.cov(x.double().T), rtol=1e-9, atol=1e-9)


def test_a_large_common_offset_costs_no_digits():
    """The naive E[xx] - E[x]E[x] would lose all of them."""
    x = sample(500, dtype=torch.float64)
    far = moments(x[:200] + 1e7).merge(moments(x[200:] + 1e7))
    torch.testing.assert_close(far.cov, torch.cov(x.T), rtol=1e-6, atol=1e-6)


def test_it_rises_with_noise():
    x, reference = sample(2000), moments(sample(2000, 10))
    noise = torch.randn(x.shape, generator=gen(11))
    values = [between(moments(x + s * noise), reference) for s in (0, 1, 2, 4, 8)]
    assert values == sorted(values) and values[-1] > 10 * values[0]


def test_too_few_pictures_are_refused_unless_asked_for():
    few, many = moments(sample(D)), moments(sample(500, 1))
    with pytest.raises(UsageError, match=f"over {D} pictures means little; expected at least {D + 1}"):
        between(few, many)
    assert between(few, many, minimum=2) > 0
    with pytest.raises(InputError, match="at least 2 samples"):
        _ = moments(sample(1)).cov


def test_non_finite_features_and_other_dimensions_are_refused():
    bad = sample(50)
    bad[3, 4] = float("nan")
    with pytest.raises(NonFiniteError, match="not finite"):
        moments(bad)
    with pytest.raises(UsageError, match="one feature network"):
        between(moments(sample(50)), moments(sample(50)[:, :5]))


@pytest.mark.parametrize(
    "change", [{"metric": "frechet-other-64"}, {"reference": "b"}, {"n": 10_000}, {"reference_n": 9}]
)
def test_distances_measured_differently_do_not_compare(change):
    kept = {"metric": "frechet-x-64", "value": 3.0, "n": 2048, "reference_n": 10_000, "reference": "a"}
    assert Distance(**kept).over(Distance(**{**kept, "value": 2.0})) == 1.5
    with pytest.raises(UsageError, match=f"different {next(iter(change))} do not compare"):
        Distance(**kept).over(Distance(**{**kept, **change}))
