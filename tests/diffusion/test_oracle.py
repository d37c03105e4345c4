"""Oracles against independent references: quadrature, scipy's densities, Tweedie's formula, brute force."""

from __future__ import annotations

import itertools

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from mezzotint.diffusion.level import Level, noised
from mezzotint.diffusion.oracle import EmpiricalOracle, GaussianOracle, MixtureOracle

F64 = torch.float64


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=F64)


def level(a: float, s: float) -> Level:
    return Level(torch.tensor(a, dtype=F64), torch.tensor(s, dtype=F64))


GAUSS = GaussianOracle(tensor(0.5, -1.0, 2.0), tensor(0.49, 0.1, 1.3))
MIX = MixtureOracle(
    tensor(1.0, 2.0, 1.0),
    torch.tensor([[-2.0, 0.0, 1.0], [0.5, 1.0, -1.0], [2.0, -1.5, 0.0]], dtype=F64),
    tensor(0.3, 0.2, 0.5),
)
DATA = EmpiricalOracle(torch.randn(7, 3, dtype=F64, generator=torch.Generator().manual_seed(0)))
ORACLES = {"gaussian": GAUSS, "mixture": MIX, "empirical": DATA}
LEVELS = [(1.0, 0.05), (0.8, 0.6), (0.5, 0.5), (1.0, 9.0), (0.02, 0.99)]


def states(n: int = 5, *shape: int) -> Tensor:
    return 1.5 * torch.randn(n, *(shape or (3,)), dtype=F64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("a,s", LEVELS)
def test_mixture_mean_equals_quadrature(a: float, s: float) -> None:
    w, m, v = [0.3, 0.7], [-1.0, 1.5], [0.4, 0.1]
    oracle = MixtureOracle(tensor(*w), tensor(*m)[:, None], tensor(*v)[:, None])

    def joint(x0: float, x: float) -> float:
        prior = sum(wk * stats.norm.pdf(x0, mk, vk**0.5) for wk, mk, vk in zip(w, m, v, strict=True))
        return float(prior * stats.norm.pdf(x, a * x0, s))

    for x in (-1.2, 0.1, 2.0):
        breaks = sorted({-1.0, 1.5, max(-8.0, min(8.0, x / a))})
        z = integrate.quad(joint, -9, 9, (x,), points=breaks, limit=400)[0]
        first = integrate.quad(lambda t, y: t * joint(t, y), -9, 9, (x,), points=breaks, limit=400)[0]
        got = oracle(tensor(x)[:, None], level(a, s)).mean
        assert got.item() == pytest.approx(first / z, abs=1e-7)
        assert oracle.log_prob(tensor(x)[:, None], level(a, s)).exp().item() == pytest.approx(z, rel=1e-7)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("a,s", LEVELS)
def test_mean_obeys_tweedie(name: str, a: float, s: float) -> None:
    """alpha E[x0 | x] = x + sigma^2 grad log p(x) (Robbins, 1956): ties the mean to the density."""
    x = states().requires_grad_()
    (score,) = torch.autograd.grad(ORACLES[name].log_prob(x, level(a, s)).sum(), x)
    torch.testing.assert_close(a * ORACLES[name](x, level(a, s)).mean, x + s * s * score, atol=1e-9, rtol=1e-9)


def test_gaussian_density_equals_scipy() -> None:
    x, (a, s) = states(), (0.6, 0.7)
    var = a * a * GAUSS.var + s * s
    expected = stats.norm.logpdf(x, a * GAUSS.mean, var.sqrt()).sum(1)
    torch.testing.assert_close(GAUSS.log_prob(x, level(a, s)), torch.from_numpy(expected))


def test_empirical_equals_a_mixture_of_points() -> None:
    points = MixtureOracle(torch.ones(7, dtype=F64), DATA.data, tensor(0.0))
    torch.testing.assert_close(DATA(states(), level(0.8, 0.6)).mean, points(states(), level(0.8, 0.6)).mean)
    torch.testing.assert_close(DATA.log_prob(states(), level(0.8, 0.6)), points.log_prob(states(), level(0.8, 0.6)))


@pytest.mark.parametrize("name", ["gaussian", "mixture"])
def test_clean_state_is_its_own_answer(name: str) -> None:
    torch.testing.assert_close(ORACLES[name](states(), level(0.7, 0.0)).mean, states() / 0.7)


def test_empirical_at_sigma_zero_is_the_nearest_datum() -> None:
    nearest = torch.cdist(states() / 0.7, DATA.data).argmin(1)
    torch.testing.assert_close(DATA(states(), level(0.7, 0.0)).mean, DATA.data[nearest])


def test_pure_noise_gives_the_prior_mean() -> None:
    for oracle, mean in ((GAUSS, GAUSS.mean), (DATA, DATA.data.mean(0)), (MIX, MIX.weights @ MIX.means / 4)):  # type: ignore[operator]
        torch.testing.assert_close(oracle(states(), level(0.0, 1.0)).mean, mean.expand(5, 3))


def test_point_mass_is_finite_everywhere() -> None:
    point = GaussianOracle(tensor(1.0), tensor(0.0))
    for a, s in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)):
        assert torch.equal(point(states(), level(a, s)).mean, torch.ones(5, 3, dtype=F64))


@pytest.mark.parametrize("name", ORACLES)
def test_scale_law(name: str) -> None:
    x, k = states(), torch.rand(5, dtype=F64, generator=torch.Generator().manual_seed(2)) + 0.5
    a, s = tensor(0.9, 0.8, 0.5, 0.2, 0.05), tensor(0.1, 0.6, 0.5, 0.8, 1.0)
    scaled = ORACLES[name](k[:, None] * x, Level(k * a, k * s)).mean
    torch.testing.assert_close(ORACLES[name](x, Level(a, s)).mean, scaled, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("name", ORACLES)
def test_rows_take_their_own_level(name: str) -> None:
    x, a, s = states(), tensor(1.0, 0.8, 0.5, 0.0, 0.6), tensor(0.0, 0.6, 0.5, 1.0, 0.8)
    together = ORACLES[name](x, Level(a, s)).mean
    for i in range(5):
        torch.testing.assert_close(together[i : i + 1], ORACLES[name](x[i : i + 1], Level(a[i], s[i])).mean)


def test_frames_take_their_own_level() -> None:
    """Four frames of a video: independent under the Gaussian; under a data set, one clean frame picks the film."""
    films = torch.randn(6, 4, 2, 3, dtype=F64, generator=torch.Generator().manual_seed(3))
    x0 = films[:2]
    a, s = torch.tensor([[1.0, 0.5, 0.5, 0.0]] * 2, dtype=F64), torch.tensor([[0.0, 0.5, 0.5, 1.0]] * 2, dtype=F64)
    x = noised(x0, states(2, 4, 2, 3), Level(a, s))
    torch.testing.assert_close(EmpiricalOracle(films)(x, Level(a, s)).mean, x0)
    gauss = GaussianOracle(tensor(0.3), tensor(0.7))
    for f in range(4):
        torch.testing.assert_close(gauss(x, Level(a, s)).mean[:, f], gauss(x[:, f], Level(a[:, f], s[:, f])).mean)


def test_one_clean_frame_shared_by_two_films_leaves_the_choice_to_the_others() -> None:
    films = torch.randn(3, 2, 4, dtype=F64, generator=torch.Generator().manual_seed(4))
    films[1, 0] = films[0, 0]
    lvl = Level(tensor(1.0, 0.9)[None], tensor(0.0, 0.1)[None])
    for k in (0, 1):
        film = films[k : k + 1]
        torch.testing.assert_close(EmpiricalOracle(films)(film * tensor(1.0, 0.9)[None, :, None], lvl).mean, film)


def test_exact_flow_composes_and_reaches_both_ends() -> None:
    ends = [level(0.0, 1.0), level(0.3, 0.9), level(1.0, 0.5), level(1.0, 0.0)]
    x = states()
    for p, q, r in itertools.permutations(ends, 3):
        if p.alpha > 0 or q.alpha > 0:
            torch.testing.assert_close(GAUSS.exact(GAUSS.exact(x, p, q), q, r), GAUSS.exact(x, p, r))
    torch.testing.assert_close(GAUSS.exact(x, ends[0], ends[-1]), GAUSS.mean + GAUSS.var.sqrt() * x)  # type: ignore[operator, union-attr]


def test_exact_flow_solves_the_ode() -> None:
    """dx/dsigma = (x - D)/sigma at alpha = 1, by central differences."""
    x, s, h = states(), 0.8, 1e-5
    slope = (GAUSS.exact(x, level(1, s), level(1, s + h)) - GAUSS.exact(x, level(1, s), level(1, s - h))) / (2 * h)
    torch.testing.assert_close(slope, (x - GAUSS(x, level(1, s)).mean) / s, atol=1e-8, rtol=1e-8)


def test_conditioning_reaches_the_mean_and_the_weights() -> None:
    by_mean = GaussianOracle(lambda c: c["label"][:, None], tensor(1.0))
    got = by_mean(states(2), level(0.0, 1.0), {"label": tensor(3.0, -4.0)}).mean
    assert torch.equal(got, tensor(3.0, -4.0)[:, None].expand(2, 3))
    classes = MixtureOracle(lambda c: torch.nn.functional.one_hot(c["label"], 3), MIX.means, MIX.vars)
    got = classes(states(2), level(0.5, 0.5), {"label": torch.tensor([2, 0])}).mean
    for row, k in enumerate((2, 0)):
        alone = GaussianOracle(MIX.means[k], MIX.vars)
        torch.testing.assert_close(got[row : row + 1], alone(states(2)[row : row + 1], level(0.5, 0.5)).mean)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", ORACLES)
def test_dtype_in_is_dtype_out(name: str, dtype: torch.dtype) -> None:
    for a, s in ((1.0, 0.0), (0.6, 0.8), (0.0, 1.0)):
        got = ORACLES[name](states().to(dtype), level(a, s)).mean
        assert got.dtype == dtype and bool(got.isfinite().all())
