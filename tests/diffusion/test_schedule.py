"""Laws of noise schedules."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzotint.diffusion.schedule import (
    VE,
    Cosine,
    Flow,
    Karras,
    Schedule,
    TableSchedule,
    cosine_table,
    from_alpha_bar,
    linear,
    mu_shift,
    resolution_shift,
    scaled_linear,
    zero_terminal_snr,
)
from mezzotint.errors import UsageError

F64 = torch.float64
INF = torch.tensor(math.inf, dtype=F64)
SCHEDULES: dict[str, Schedule] = {
    "flow": Flow(),
    "flow shift 3": Flow(3.0),
    "cosine": Cosine(),
    "cosine 0.008": Cosine(0.008),
    "ve": VE(),
    "karras": Karras(),
    "linear": linear(),
    "scaled linear": scaled_linear(),
    "cosine table": cosine_table(),
    "zero terminal": zero_terminal_snr(scaled_linear()),
    "short table": linear(4, 0.1, 0.7),
}
TABLES = {name: s for name, s in SCHEDULES.items() if isinstance(s, TableSchedule)}


@pytest.mark.parametrize("name", SCHEDULES)
def test_noise_rises_with_t(name: str) -> None:
    level = SCHEDULES[name].level(torch.linspace(0, 1, 4001, dtype=F64))
    ratio = level.sigma / level.alpha
    assert bool((ratio[1:] > ratio[:-1]).all())
    assert bool((level.alpha >= 0).all() and (level.sigma >= 0).all())


@pytest.mark.parametrize("name", SCHEDULES)
@settings(max_examples=50, deadline=None)
@given(t=st.floats(0, 1))
def test_logsnr_leads_back_to_t(name: str, t: float) -> None:
    schedule = SCHEDULES[name]
    back = schedule.t(schedule.level(torch.tensor(t, dtype=F64)).logsnr)
    assert float(back) == pytest.approx(t, abs=1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_ends_of_the_world_have_a_t(name: str) -> None:
    assert float(SCHEDULES[name].t(-INF)) == 1
    assert float(SCHEDULES[name].t(INF)) == 0


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_shape_and_dtype_are_those_of_t(name: str, dtype: torch.dtype) -> None:
    level = SCHEDULES[name].level(torch.rand(2, 3, dtype=dtype))
    assert level.alpha.shape == level.sigma.shape == (2, 3)
    assert level.alpha.dtype == level.sigma.dtype == dtype


@pytest.mark.parametrize("name", ["cosine", "cosine 0.008", *TABLES])
def test_variance_is_preserved(name: str) -> None:
    level = SCHEDULES[name].level(torch.linspace(0, 1, 777, dtype=F64))
    assert torch.allclose(level.alpha**2 + level.sigma**2, torch.ones((), dtype=F64), atol=1e-12)


@pytest.mark.parametrize("name", ["flow", "flow shift 3", "cosine", "cosine 0.008", "zero terminal"])
def test_pure_noise_is_exactly_that(name: str) -> None:
    assert float(SCHEDULES[name].level(torch.tensor(1.0)).alpha) == 0


@pytest.mark.parametrize("name", ["flow", "flow shift 3", "cosine", "cosine 0.008"])
def test_clean_is_exactly_that(name: str) -> None:
    level = SCHEDULES[name].level(torch.tensor(0.0))
    assert float(level.sigma) == 0
    assert float(level.alpha) == 1


def test_cosine_is_the_published_curve() -> None:
    t, s = torch.linspace(0, 1, 101, dtype=F64), 0.008
    f = ((t + s) / (1 + s) * math.pi / 2).cos() ** 2
    assert torch.allclose(Cosine(s).level(t).alpha ** 2, f / f[0], atol=1e-12)


@pytest.mark.parametrize("shift", [0.5, 2.0, 6.0])
def test_a_shift_moves_logsnr_by_a_constant(shift: float) -> None:
    t = torch.linspace(0.01, 0.99, 50, dtype=F64)
    moved = Flow(shift).level(t).logsnr - Flow().level(t).logsnr
    assert torch.allclose(moved, torch.tensor(-2 * math.log(shift), dtype=F64))


def test_resolution_shift_keeps_uncertainty() -> None:
    """n pixels of one colour at u are known as well as m at the shifted u: sqrt(n) (1-u)/u = sqrt(m) (1-u')/u'."""
    n, m, u = 256, 4096, 0.3
    level = Flow(resolution_shift(m, n)).level(torch.tensor(u, dtype=F64))
    assert float(math.sqrt(m) * level.alpha / level.sigma) == pytest.approx(math.sqrt(n) * (1 - u) / u)


def test_mu_shift_is_flux_s() -> None:
    assert mu_shift(256) == pytest.approx(math.exp(0.5))
    assert mu_shift(4096) == pytest.approx(math.exp(1.15))
    assert mu_shift((256 + 4096) / 2) == pytest.approx(math.exp((0.5 + 1.15) / 2))


# -- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_entries_are_the_products_of_the_betas(name: str) -> None:
    table = TABLES[name]
    product, level = 1.0, table.at(torch.arange(len(table), dtype=F64))
    for i, b in enumerate(table.betas):
        product *= 1 - b
        assert float(level.alpha[i]) == pytest.approx(math.sqrt(product), rel=1e-10, abs=1e-15)
        assert float(level.sigma[i]) == pytest.approx(math.sqrt(1 - product), rel=1e-10)


@pytest.mark.parametrize("name", TABLES)
def test_index_and_level_are_inverse(name: str) -> None:
    table = TABLES[name]
    index = torch.linspace(0, len(table) - 1, 2503, dtype=F64)
    level = table.at(index)
    assert torch.equal(level.index, index)
    assert torch.allclose(table.index(level.logsnr), index, atol=1e-7)


def test_between_entries_logsnr_is_linear() -> None:
    table = scaled_linear()
    a, b, c = (table.at(torch.tensor(i, dtype=F64)).logsnr for i in (40.0, 40.25, 41.0))
    assert float(b) == pytest.approx(float(0.75 * a + 0.25 * c), rel=1e-12)


def test_index_stops_at_the_ends_of_the_table() -> None:
    table = scaled_linear()
    assert table.index(torch.tensor([50.0, -50.0])).tolist() == [0, 999]


def test_an_index_in_float32_is_as_good_as_a_network_can_tell() -> None:
    table = scaled_linear()
    level = table.at(torch.linspace(0, 999, 100))
    assert (table.index(level.logsnr) - level.index).abs().max() < 1e-2


@pytest.mark.parametrize("base", [linear(), scaled_linear()])
def test_zero_terminal_snr_stretches(base: TableSchedule) -> None:
    table = zero_terminal_snr(base)
    assert table.alpha_bar[-1] == 0
    assert float(table.alpha_bar[0]) == pytest.approx(float(base.alpha_bar[0]), rel=1e-12)
    old, new = base.alpha_bar.sqrt(), table.alpha_bar.sqrt()
    slope = (new[1:] - new[:-1]) / (old[1:] - old[:-1])
    assert torch.allclose(slope, slope[0], rtol=1e-6)  # an affine map


def test_terminal_is_a_value_below_the_entry_before_it() -> None:
    assert float(zero_terminal_snr(scaled_linear(), 2**-24).alpha_bar[-1]) == pytest.approx(2**-24, rel=1e-9)
    with pytest.raises(UsageError, match="below the entry before it"):
        zero_terminal_snr(linear(), 2**-24)


def test_a_table_from_its_products() -> None:
    table = scaled_linear()
    assert torch.allclose(from_alpha_bar(table.alpha_bar.tolist()).alpha_bar, table.alpha_bar, rtol=1e-12)


def test_tables_are_values() -> None:
    assert linear() == linear()
    assert hash(linear()) == hash(linear())
    assert linear() != scaled_linear()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Flow(0),
        lambda: Flow(math.inf),
        lambda: Cosine(-0.1),
        lambda: VE(1.0, 0.5),
        lambda: VE(0.0, 0.5),
        lambda: Karras(rho=0),
        lambda: TableSchedule((0.1,)),
        lambda: TableSchedule((0.1, 1.0, 0.1)),
        lambda: TableSchedule((0.1, -0.1)),
        lambda: TableSchedule((math.nan, 0.1)),
        lambda: resolution_shift(0),
        lambda: mu_shift(-1),
    ],
)
def test_nonsense_is_refused_in_one_line(make) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert "\n" not in str(caught.value)
