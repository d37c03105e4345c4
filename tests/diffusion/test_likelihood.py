"""Likelihood against densities in closed form, and its own conservation laws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior
from mezzotint.diffusion.grid import rising, uniform
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.likelihood import (
    Hutchinson,
    ascent,
    bits_per_dim,
    dequantised,
    exact,
    heun,
    log_likelihood,
    rademacher,
    rk4,
)
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle, MixtureOracle
from mezzotint.diffusion.schedule import Cosine, Flow, Karras
from mezzotint.errors import UsageError

F64 = torch.float64


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def blurred(levels: Level) -> Level:
    """The first level at alpha = 1."""
    return Level(torch.ones((), dtype=F64), levels.sigma[0] / levels.alpha[0])


GAUSS = GaussianOracle(torch.tensor([0.5, -1.0, 0.2], dtype=F64), torch.tensor([0.49, 0.1, 1.3], dtype=F64))
MIX = MixtureOracle(torch.tensor([1.0, 2.0]), rand(2, 3, seed=4), torch.tensor([0.3, 0.2, 0.5], dtype=F64))
X = rand(6, 3)


@pytest.mark.parametrize("oracle", [GAUSS, MIX])
@pytest.mark.parametrize("rule,n,tolerance", [(rk4, 32, 1e-2), (rk4, 64, 5e-4), (heun, 160, 3e-2)])
def test_equals_the_closed_form(oracle: GaussianOracle | MixtureOracle, rule, n: int, tolerance: float) -> None:
    levels = ascent(n)
    got = log_likelihood(oracle, X, levels, {}, exact, rule)
    torch.testing.assert_close(got, oracle.log_prob(X, blurred(levels)), atol=tolerance, rtol=0)
    torch.testing.assert_close(got, oracle.log_prob(X, Level(torch.ones(()), torch.zeros(()))), atol=0.05, rtol=0)


@pytest.mark.parametrize(
    "name,levels",
    [
        ("flow", rising(uniform(Flow(), 32, 1.0, 0.02))),
        ("cosine", rising(uniform(Cosine(), 32, 1.0, 0.02))),
        ("karras", rising(uniform(Karras(0.02, 1000.0), 64))),
        ("no alpha = 0", ascent(32, 8.0, 16.0)),
        ("a blur that shows", rising(uniform(Cosine(), 32, 1.0, 0.4))),
    ],
)
def test_the_grid_is_free(name: str, levels: Level) -> None:
    got = log_likelihood(MIX, X, levels, {})
    torch.testing.assert_close(got, MIX.log_prob(X, blurred(levels)), atol=1e-2, rtol=0)


@pytest.mark.parametrize("rule,order", [(heun, 2), (rk4, 4)])
def test_order_of_convergence(rule, order: int) -> None:
    errors = []
    for n in (24, 48):
        levels = rising(uniform(Cosine(), n, 1.0, 0.1))
        errors.append((log_likelihood(MIX, X, levels, {}, exact, rule) - MIX.log_prob(X, blurred(levels))).abs().max())
    assert order - 0.3 < math.log2(errors[0] / errors[1]) < order + 1.0


def test_density_integrates_to_one_whatever_the_network() -> None:
    """The flow of any field carries probability: no oracle, no closed form."""

    def network(x: Tensor, level: Level, cond: Cond) -> Posterior:
        y = x / level.scale
        return Posterior(y * level.alpha + level.sigma * torch.sin(2 * y + level.alpha))

    x = torch.linspace(-8, 8, 801, dtype=F64)[:, None]
    p = log_likelihood(network, x, ascent(96, 6.0), {}).exp()
    assert torch.trapezoid(p, x[:, 0]).item() == pytest.approx(1.0, abs=1e-4)


def test_hutchinson_is_exact_for_independent_components() -> None:
    levels, probes = ascent(32), rademacher(Noise(tuple(range(6)), dtype=F64), X.shape)
    got = log_likelihood(GAUSS, X, levels, {}, probes)
    torch.testing.assert_close(got, log_likelihood(GAUSS, X, levels, {}, exact))


def test_hutchinson_is_unbiased() -> None:
    a, y = rand(12, 12, seed=3), rand(2, 3, 4)
    probes = rademacher(Noise((0, 1), dtype=F64), y.shape, 2000)
    assert set(probes.probes.unique().tolist()) == {-1.0, 1.0} and not torch.equal(probes.probes[0], probes.probes[1])
    out, trace = probes(lambda x: (x.flatten(1) @ a.T).reshape(x.shape), y)
    z = probes.probes.flatten(2)
    torch.testing.assert_close(trace, torch.einsum("pbi,ij,pbj->pb", z, a, z).mean(0))
    torch.testing.assert_close(out.flatten(1), y.flatten(1) @ a.T)
    spread = (a + a.T).triu(1).square().sum().sqrt() / math.sqrt(2000)
    assert (trace - a.trace()).abs().max() < 4 * spread


def test_hutchinson_over_every_sign_pattern_is_exact() -> None:
    """The patterns of three signs, up to a global one, average the off-diagonal terms to 0: no chance is left."""
    signs = torch.tensor([[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]], dtype=F64)
    probes = Hutchinson(signs[:, None].expand(4, 6, 3))
    want = log_likelihood(MIX, X, ascent(16), {}, exact)
    torch.testing.assert_close(log_likelihood(MIX, X, ascent(16), {}, probes), want)


def test_exact_divergence_of_a_linear_field() -> None:
    a = rand(12, 12, seed=3)
    y, trace = exact(lambda x: (x.flatten(1) @ a.T).reshape(x.shape), rand(2, 3, 4))
    torch.testing.assert_close(trace, a.trace().expand(2))
    assert not y.requires_grad


@pytest.mark.parametrize("divergence", [exact, rademacher(Noise((0, 1)), (2, 3))])
def test_a_constant_field_has_no_divergence(divergence) -> None:
    assert torch.equal(divergence(lambda x: torch.ones_like(x), rand(2, 3))[1], torch.zeros(2, dtype=F64))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_gradient_contexts_change_nothing(context: Callable[[], object]) -> None:
    levels = ascent(8)
    with context():  # type: ignore[attr-defined]
        got = log_likelihood(MIX, X.clone(), levels, {})
    assert torch.equal(got, log_likelihood(MIX, X, levels, {}))


def test_rows_are_their_own() -> None:
    levels, others = ascent(8), torch.cat((X[:1], 9 * X[1:]))
    assert torch.equal(log_likelihood(MIX, X, levels, {})[0], log_likelihood(MIX, others, levels, {})[0])


def test_float32_agrees() -> None:
    levels = ascent(24)
    narrow = log_likelihood(MIX, X.float(), levels, {})
    torch.testing.assert_close(narrow, log_likelihood(MIX, X, levels, {}), atol=5e-3, rtol=0)


def test_conditioning_reaches_the_denoiser() -> None:
    shifted: Denoiser = GaussianOracle(lambda c: c["mean"], torch.tensor(0.3))
    mean = X.mean(1, keepdim=True)
    levels = ascent(64)
    want = stats.norm.logpdf(X, mean, math.sqrt(0.3 + blurred(levels).sigma ** 2)).sum(1)
    got = log_likelihood(shifted, X, levels, {"mean": mean})
    torch.testing.assert_close(got, torch.from_numpy(want), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "levels",
    [uniform(Cosine(), 8), uniform(Cosine(), 8, 1.0, 0.1), rising(uniform(Cosine(), 8))],
)
def test_grids_that_do_not_rise_from_noise_are_refused(levels: Level) -> None:
    with pytest.raises(UsageError, match="rises"):
        log_likelihood(GAUSS, X, levels, {})


def test_grid_of_one_step_is_refused() -> None:
    with pytest.raises(UsageError):
        ascent(1)


# -- pixels -----------------------------------------------------------------------------------------------------------


def test_dequantised_pixels_stay_in_their_bins() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).repeat(2, 40).reshape(2, 40, 256)
    x = dequantised(pixels, Noise((3, 4), dtype=F64))
    assert torch.equal(((x + 1) * 127.5).round().to(torch.uint8), pixels)
    u = ((x + 1) * 127.5 - pixels + 0.5).flatten().numpy()
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    alone = dequantised(pixels[1:], Noise((4,), dtype=F64))
    assert torch.equal(alone, x[1:])


def test_bits_of_uniform_pixels_is_eight() -> None:
    """Values uniform on 0 … 255 need 8 bits: the density of x is 255/512 on an interval of 512/255."""
    log_p = torch.tensor([10 * math.log(255 / 512)])
    assert bits_per_dim(log_p, 10).item() == pytest.approx(8.0)


def test_bits_of_a_gaussian_equal_its_entropy() -> None:
    """The mean code length of 8-bit samples of a wide normal is its entropy over the bins."""
    std = 0.25
    edges = (np.arange(257) - 0.5) / 127.5 - 1
    p = np.diff(stats.norm.cdf(edges, 0, std))
    entropy = -(p * np.log2(p.clip(1e-300))).sum()
    draws = np.random.default_rng(0).choice(256, (400, 8), p=p / p.sum())
    x = dequantised(torch.from_numpy(draws).to(torch.uint8), Noise(tuple(range(400)), dtype=F64))
    oracle = GaussianOracle(torch.tensor(0.0, dtype=F64), torch.tensor(std**2, dtype=F64))
    got = bits_per_dim(log_likelihood(oracle, x, ascent(64, 16.0), {}), 8)
    assert got.mean().item() == pytest.approx(entropy, abs=0.05)
