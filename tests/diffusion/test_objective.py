"""Objectives: densities of the level samplers, formulas of the weights, what the loss measures."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior, Preconditioned
from mezzotint.diffusion.level import Level, expand
from mezzotint.diffusion.objective import (
    P2,
    Capped,
    EDMWeight,
    LevelSampler,
    LogitNormal,
    LogNormal,
    MinSNR,
    Mode,
    Uniform,
    flow_weight,
    loss,
    normal_quantile,
    snr,
    stratified,
    uniform_weight,
    v_weight,
)
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.parametrisation import EDM, PARAMETRISATIONS, target
from mezzotint.diffusion.schedule import Cosine, Flow, linear
from mezzotint.errors import UsageError

F64 = torch.float64
U = (torch.arange(20_000, dtype=F64) + 0.5) / 20_000


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


LEVELS = Level(torch.tensor([1.0, 0.8, 0.3, 1.0], dtype=F64), torch.tensor([0.1, 0.6, 0.9, 20.0], dtype=F64))

# -- which levels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sampler",
    [Uniform(Flow()), Uniform(Cosine(), 0.1, 0.9), Uniform(linear()), LogNormal(), LogitNormal(), Mode(), Mode(-1.0)],
)
def test_levels_rise_with_u(sampler: LevelSampler) -> None:
    level = sampler(U)
    assert bool(((level.sigma / level.alpha).diff() > 0).all()) and bool((level.sigma > 0).all())


@pytest.mark.parametrize("mean,std", [(-1.2, 1.2), (0.4, 2.0)])
def test_log_normal_has_its_density(mean: float, std: float) -> None:
    level = LogNormal(mean, std)(U)
    assert stats.kstest((level.sigma / level.alpha).log().numpy(), stats.norm(mean, std).cdf).statistic < 1e-3


@pytest.mark.parametrize("mean,std", [(0.0, 1.0), (0.5, 0.7)])
def test_logit_normal_has_its_density(mean: float, std: float) -> None:
    """Esser et al., 2024, eq. 19: pi(t) = exp(-(logit t - m)^2 / 2 s^2) / (s sqrt(2 pi) t (1 - t))."""
    level = LogitNormal(mean, std)(U)
    torch.testing.assert_close(level.alpha + level.sigma, torch.ones_like(U))
    edges = np.linspace(0.01, 0.99, 30)
    counts, _ = np.histogram(level.sigma.numpy(), edges)
    for (a, b), count in zip(pairwise(edges), counts, strict=True):
        t = np.linspace(a, b, 101)
        density = np.exp(-((np.log(t / (1 - t)) - mean) ** 2) / (2 * std**2)) / (
            std * math.sqrt(2 * math.pi) * t * (1 - t)
        )
        assert count / len(U) == pytest.approx(np.trapezoid(density, t), abs=2e-4)


@pytest.mark.parametrize("scale", [-1.0, 0.0, 0.81, 1.29, 1.75])
def test_mode_is_the_papers_map(scale: float) -> None:
    """Esser et al., 2024, eq. 20: t = 1 - u - s (cos^2(pi u / 2) - 1 + u), with u falling."""
    w = 1 - U
    want = 1 - w - scale * (torch.cos(math.pi / 2 * w) ** 2 - 1 + w)
    torch.testing.assert_close(Mode(scale)(U).sigma, want)
    middle = ((want > 0.4) & (want < 0.6)).double().mean()
    assert (middle > 0.2) == (scale > 0) or scale == 0


@pytest.mark.parametrize("scale", [-1.01, 1.76])
def test_mode_out_of_range_is_an_error(scale: float) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Mode(scale)


def test_uniform_is_uniform_in_t() -> None:
    level = Uniform(Cosine(), 0.2, 0.6)(U)
    t = Cosine().t(level.logsnr)
    torch.testing.assert_close(t, 0.2 + 0.4 * U)


def test_normal_quantile_equals_scipy_far_into_the_tails() -> None:
    u = torch.tensor([2.0**-40, 1e-6, 0.1, 0.5, 0.9, 1 - 1e-6, 1 - 2.0**-40], dtype=F64)
    np.testing.assert_allclose(normal_quantile(u).numpy(), stats.norm.ppf(u.numpy()), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("n", [1, 3, 64, 1000])
@pytest.mark.parametrize("offset", [0.0, 0.3, 0.999999])
def test_stratified_has_one_in_each_stratum(n: int, offset: float) -> None:
    u = stratified(offset, n)
    assert u.dtype == F64 and bool((u > 0).all() and (u < 1).all())
    gaps = u.sort().values.diff()
    torch.testing.assert_close(gaps, torch.full_like(gaps, 1 / n), atol=1e-9, rtol=0)
    assert (u - offset).abs().min() < 1e-9


def test_stratified_is_uniform_over_offsets() -> None:
    offsets = [(i + 0.5) / 500 for i in range(500)]
    for k in (0, 2):
        draws = np.array([stratified(o, 4)[k].item() for o in offsets])
        assert stats.kstest(draws, "uniform").statistic < 2e-3


# -- how much they weigh ----------------------------------------------------------------------------------------------


def test_weights_equal_their_papers() -> None:
    a, s = LEVELS.alpha.numpy(), LEVELS.sigma.numpy()
    r = (a / s) ** 2
    for weight, want in (
        (uniform_weight, np.ones(4)),
        (snr, r),
        (v_weight, r + 1),
        (flow_weight, ((a + s) / s) ** 2),
        (MinSNR(5.0), np.minimum(r, 5.0)),
        (Capped(snr, 3.0), np.minimum(r, 3.0)),
        (MinSNR(0.5), np.minimum(r, 0.5)),
        (P2(), r / (1 + r)),
        (P2(0.5, 2.0), r / (2 + r) ** 0.5),
        (EDMWeight(0.5), (s * s + 0.25 * a * a) / (s * s * 0.25)),
    ):
        np.testing.assert_allclose(weight(LEVELS).numpy(), want, rtol=1e-12)


@pytest.mark.parametrize(
    "name,weight",
    [("eps", snr), ("v", v_weight), ("flow", flow_weight), ("x0", uniform_weight), ("edm", EDMWeight(0.5))],
)
def test_a_weight_turns_the_x0_error_into_the_networks_own(name: str, weight) -> None:
    """The loss with its weight is the plain squared error of what the network predicts."""
    p = PARAMETRISATIONS[name]
    x0, e, out = rand(4, 3, 5), rand(4, 3, 5, seed=1), rand(4, 3, 5, seed=2)
    got = loss(Preconditioned(lambda x, c, cond: out, p), x0, e, LEVELS, {}, weight)
    want = (out - target(x0, e, LEVELS, p)).square().flatten(1).mean(1)
    torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-6)


def test_edm_weight_makes_every_levels_first_loss_one() -> None:
    """An untrained network answers 0; its target has unit variance at data of the same sigma_data, at every level."""
    d = 0.7
    x0, e = d * rand(4, 50_000), rand(4, 50_000, seed=1)
    got = loss(Preconditioned(lambda x, c, cond: 0 * x, EDM(d)), x0, e, LEVELS, {}, EDMWeight(d))
    torch.testing.assert_close(got, torch.ones(4), atol=0.03, rtol=0)


# -- the loss ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_a_perfect_network_costs_nothing(name: str) -> None:
    p = PARAMETRISATIONS[name]
    x0, e = rand(4, 3, 5), rand(4, 3, 5, seed=1)
    perfect = Preconditioned(lambda x, c, cond: target(x0, e, LEVELS, p), p)
    torch.testing.assert_close(loss(perfect, x0, e, LEVELS, {}, uniform_weight), torch.zeros(4))


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_best_denoisers_loss_is_the_posterior_variance(level: int) -> None:
    v = 0.8
    oracle = GaussianOracle(torch.tensor(0.5, dtype=F64), torch.tensor(v, dtype=F64))
    x0, e = 0.5 + math.sqrt(v) * rand(1, 200_000), rand(1, 200_000, seed=1)
    lv = LEVELS[level : level + 1]
    a, s = lv.alpha.item(), lv.sigma.item()
    got = loss(oracle, x0, e, lv, {}, uniform_weight).item()
    assert got == pytest.approx(v * s * s / (a * a * v + s * s), rel=0.03)


def test_rows_frames_and_dtypes() -> None:
    x0, e = rand(2, 3, 4, 4), rand(2, 3, 4, 4, seed=1)
    u = torch.tensor([[0.2, 0.5, 0.9], [0.3, 0.4, 0.6]], dtype=F64)
    frames = Level(1 - u, u)

    def zero(x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Posterior(torch.zeros_like(x))

    got = loss(zero, x0.bfloat16(), e.bfloat16(), frames, {}, snr)
    assert got.dtype == torch.float32 and got.shape == (2,)
    want = (expand(snr(frames), x0) * x0.bfloat16().double().square()).flatten(1).mean(1)
    torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-6)
    alone = loss(zero, x0[1:], e[1:], frames[1:], {}, snr)
    torch.testing.assert_close(loss(zero, x0, e, frames, {}, snr)[1:], alone)
