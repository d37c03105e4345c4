"""Laws of grids."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mezzotint.diffusion import grid
from mezzotint.diffusion.betainc import beta_quantile, betainc
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import Cosine, Flow, Karras, linear, scaled_linear, zero_terminal_snr
from mezzotint.errors import UsageError

TABLE = scaled_linear()
BOUNDS = (0.03, 14.6)
GRIDS: dict[str, Callable[[int], Level]] = {
    "uniform flow": lambda n: grid.uniform(Flow(), n),
    "uniform cosine": lambda n: grid.uniform(Cosine(), n),
    "normal table": lambda n: grid.normal(TABLE, n),
    "normal karras": lambda n: grid.normal(Karras(), n),
    "sgm table": lambda n: grid.sgm_uniform(TABLE, n),
    "leading": lambda n: grid.leading(TABLE, n, 1),
    "trailing": lambda n: grid.trailing(TABLE, n),
    "trailing zero snr": lambda n: grid.trailing(zero_terminal_snr(TABLE), n),
    "linspace": lambda n: grid.linspace(TABLE, n),
    "linspace linear": lambda n: grid.linspace(TABLE, n, between="linear"),
    "linspace log": lambda n: grid.linspace(TABLE, n, between="log"),
    "simple": lambda n: grid.simple(TABLE, n),
    "beta index": lambda n: grid.beta_index(TABLE, n),
    "lcm": lambda n: grid.lcm(TABLE, n),
    "karras": lambda n: grid.karras(n, *BOUNDS),
    "exponential": lambda n: grid.exponential(n, *BOUNDS),
    "polyexponential": lambda n: grid.exponential(n, *BOUNDS, rho=1.6),
    "beta": lambda n: grid.beta(n, *BOUNDS),
    "kl": lambda n: grid.kl_optimal(n, *BOUNDS),
    "logsnr": lambda n: grid.logsnr_uniform(n, -6.0, 7.0),
    "flow": lambda n: grid.flow(n, 3.0),
    "flow terminal": lambda n: grid.flow(n, 3.0, terminal=0.1),
    "karras in u": lambda n: grid.karras(n, 0.001, 1.0, coordinate="rectified"),
}


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 49, 50])
def test_n_steps_fall_to_data(name: str, n: int) -> None:
    levels = GRIDS[name](n)
    assert len(levels) == n + 1
    assert levels.alpha.dtype == levels.sigma.dtype == torch.float64
    assert levels.alpha.device.type == "cpu"
    ratio = levels.sigma / levels.alpha
    assert bool((ratio[1:] < ratio[:-1]).all())
    assert float(levels.sigma[-1]) == 0
    assert float(levels.alpha[-1]) == 1
    assert levels.index is None or len(levels.index) == n + 1


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("n", [0, -3, 1_000_000])
def test_absurd_steps_are_refused_in_one_line(name: str, n: int) -> None:
    with pytest.raises(UsageError, match=r"steps were asked for; expected 1 to \d+") as caught:
        GRIDS[name](n)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["leading", "trailing", "linspace", "simple"])
def test_no_more_steps_than_entries(name: str) -> None:
    with pytest.raises(UsageError, match="1000, the number of entries"):
        GRIDS[name](1001)


@pytest.mark.parametrize("name", ["trailing", "linspace"])
def test_all_entries(name: str) -> None:
    levels = GRIDS[name](1000)
    assert levels.index is not None
    assert levels.index[:-1].tolist() == list(range(999, -1, -1))


@pytest.mark.parametrize("name", ["leading", "trailing", "linspace", "simple", "beta index", "lcm"])
def test_a_carried_index_is_whole_and_its_level_is_the_tables(name: str) -> None:
    levels = GRIDS[name](17)
    assert levels.index is not None
    index = levels.index[:-1]
    assert torch.equal(index, index.round())
    assert torch.allclose(levels.alpha[:-1], TABLE.alpha_bar[index.long()].sqrt(), rtol=1e-12)


def test_a_tail_is_a_slice() -> None:
    levels = grid.leading(TABLE, 20, 1)
    tail = levels[12:]
    assert len(tail) == 9
    assert torch.equal(tail.sigma, levels.sigma[12:])
    assert tail.index is not None


def test_last_is_a_value() -> None:
    low = TABLE.at(torch.tensor(0.0, dtype=torch.float64))
    for levels in (grid.leading(TABLE, 7, 1, "sigma_min"), grid.linspace(TABLE, 7, "sigma_min", "log")[:-1]):
        assert float(levels.sigma[-1]) == pytest.approx(float(low.sigma))
    assert float(grid.karras(7, *BOUNDS, last=0.01).sigma[-1]) == 0.01
    assert len(grid.logsnr_uniform(7, -6.0, 7.0, "sigma_min")) == 8


def test_karras_is_the_published_formula() -> None:
    n, low, high, rho = 18, 0.002, 80.0, 7.0
    levels = grid.karras(n, low, high, rho)
    for i in range(n):
        sigma = (high ** (1 / rho) + i / (n - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho
        assert float(levels.sigma[i]) == pytest.approx(sigma, rel=1e-12)


def test_karras_is_uniform_in_karras_t() -> None:
    assert torch.allclose(grid.karras(9, 0.002, 80.0).sigma, grid.normal(Karras(), 9).sigma, rtol=1e-10)


@pytest.mark.parametrize("rho", [0.21, 1.0, 1e6])
def test_karras_ends_at_its_range_whatever_rho_it_takes(rho: float) -> None:
    sigma = grid.karras(5, *BOUNDS, rho).sigma
    assert float(sigma[0]) == pytest.approx(BOUNDS[1]) and float(sigma[-2]) == pytest.approx(BOUNDS[0], rel=1e-3)


def test_one_step_needs_no_range() -> None:
    assert grid.karras(1, 2.0, 2.0).sigma.tolist() == pytest.approx([2.0, 0.0])
    assert grid.flow(1, u_min=1.0).sigma.tolist() == [1.0, 0.0]


def test_exponential_is_uniform_in_logsnr() -> None:
    a = grid.exponential(9, math.exp(-3), math.exp(2))
    b = grid.logsnr_uniform(9, -4, 6)
    assert torch.allclose(a.logsnr[:-1], b.logsnr[:-1], atol=1e-12)


def test_kl_optimal_is_even_in_angle() -> None:
    angle = grid.kl_optimal(9, *BOUNDS).sigma[:-1].atan()
    assert torch.allclose(angle[1:] - angle[:-1], angle[1] - angle[0])


def test_flow_is_uniform_in_shifted_t() -> None:
    assert torch.allclose(grid.flow(9, 3.0).sigma, grid.uniform(Flow(3.0), 9).sigma, atol=1e-12)


def test_terminal_is_where_the_flow_grid_lands() -> None:
    u = grid.flow(9, 3.0, terminal=0.1).sigma
    assert float(u[-2]) == pytest.approx(0.1)
    assert float(u[0]) == 1


@given(
    n=st.integers(1, 60),
    a=st.floats(0.2, 4),
    b=st.floats(0.2, 4),
)
@example(n=2, a=1.1145928238369798, b=1.1145928238369798)
@example(n=51, a=3.125, b=0.2)
@settings(max_examples=15, deadline=None)
def test_beta_quantile_is_scipys(n: int, a: float, b: float) -> None:
    p = np.linspace(0, 1, n + 1)
    found = beta_quantile(p, a, b)
    # scipy's own is 3e-9 off at times: the median of a = b = 1.1145928238369798 is a half.
    assert np.allclose(found, scipy.stats.beta.ppf(p, a, b), rtol=1e-7, atol=1e-12)
    # Where b is small, the numbers next to 1 have quantiles far apart: p lies between those of found's neighbours.
    low, high = (scipy.stats.beta.cdf(np.clip(found + k * np.spacing(found), 0, 1), a, b) for k in (-4, 4))
    assert bool(((low - 1e-9 <= p) & (p <= high + 1e-9)).all())


@pytest.mark.parametrize(("a", "b"), [(0.6, 0.6), (0.5, 3.0), (20.0, 0.7), (200.0, 100.0)])
def test_betainc_is_scipys(a: float, b: float) -> None:
    x = np.linspace(0, 1, 301)
    assert np.allclose(betainc(x, a, b), scipy.special.betainc(a, b, x), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", ["karras", "trailing", "flow"])
def test_scaling_a_grid_changes_no_logsnr(name: str) -> None:
    levels = GRIDS[name](9)[1:]
    for scaled in (grid.variance_preserving(levels), grid.variance_exploding(levels)):
        assert torch.allclose(scaled.logsnr[:-1], levels.logsnr[:-1], atol=1e-10)
    assert torch.allclose(grid.variance_preserving(levels).scale, torch.ones(9, dtype=torch.float64))
    assert torch.equal(grid.variance_exploding(levels).alpha, torch.ones(9, dtype=torch.float64))


def test_alpha_zero_cannot_explode() -> None:
    with pytest.raises(UsageError, match="alpha = 0"):
        grid.variance_exploding(grid.uniform(Flow(), 4))


def test_rising_twice_is_nothing() -> None:
    levels = grid.leading(TABLE, 9)
    up = grid.rising(levels)
    assert float(up.sigma[0]) == 0
    again = grid.rising(up)
    assert torch.equal(again.sigma, levels.sigma)
    assert torch.equal(again.index, levels.index)


def test_without_the_cleanest_the_last_step_is_longer() -> None:
    levels = grid.without_cleanest(grid.linspace(TABLE, 9))
    assert len(levels) == 9
    assert levels.index is not None
    assert levels.index[-2] > 0
    assert float(levels.sigma[-1]) == 0


@pytest.mark.parametrize("values", [[3.0, 1.0, 0.0], [1.0, 0.5]])
def test_custom_is_what_was_given(values: list[float]) -> None:
    assert grid.custom(values).sigma.tolist() == values
    u = [v / 4 for v in values]
    assert grid.custom(u, "rectified").alpha.tolist() == [1 - v for v in u]
    levels = grid.karras(5, *BOUNDS)
    assert grid.custom(levels) is levels


@pytest.mark.parametrize(
    "make",
    [
        lambda: grid.custom([1.0]),
        lambda: grid.custom([1.0, 2.0]),
        lambda: grid.custom([1.0, 1.0, 0.0]),
        lambda: grid.custom([math.nan, 0.0]),
        lambda: grid.custom([-1.0, -2.0]),
        lambda: grid.custom([2.0, 0.0], "rectified"),
        lambda: grid.custom(grid.rising(grid.karras(4, *BOUNDS))),
        lambda: grid.leading(TABLE, 1000, 1),
        lambda: grid.beta_index(linear(100), 90),
        lambda: grid.lcm(TABLE, 51),
        lambda: grid.lcm(TABLE, 4, 2000),
        lambda: grid.karras(5, 2.0, 1.0),
        lambda: grid.karras(5, 0.0, 1.0),
        lambda: grid.karras(5, 0.1, math.inf),
        lambda: grid.karras(5, *BOUNDS, rho=-1),
        lambda: grid.karras(5, *BOUNDS, last=1.0),
        lambda: grid.beta(5, *BOUNDS, a=0),
        lambda: grid.logsnr_uniform(5, 7.0, -6.0),
        lambda: grid.logsnr_uniform(5, -math.inf, 6.0),
        lambda: grid.flow(5, 0.0),
        lambda: grid.flow(5, u_min=0.0),
        lambda: grid.flow(5, terminal=1.5),
        lambda: grid.flow(5, terminal=1.0),
        lambda: grid.flow(5, u_min=1.0),
        lambda: grid.flow(5, u_min=1.0, terminal=0.1),
        lambda: grid.karras(5, *BOUNDS, rho=0.001),
        lambda: grid.karras(5, *BOUNDS, rho=0.1),
        lambda: grid.karras(5, *BOUNDS, rho=1e18),
        lambda: grid.karras(5, 1e200, 1e201, rho=0.2),
        lambda: grid.karras(5, 1.0, 1.0),
        lambda: grid.exponential(5, 1.0, 1.0),
        lambda: grid.exponential(5, *BOUNDS, rho=1e5),
        lambda: grid.noise_range(grid.uniform(Flow(), 5)),
    ],
)
def test_nonsense_is_refused_in_one_line(make) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert "\n" not in str(caught.value)
