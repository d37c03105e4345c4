"""Laws of levels, parametrisations and schedules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Preconditioned
from mezzotint.diffusion.level import Level, expand, noised
from mezzotint.diffusion.parametrisation import (
    EDM,
    EPS,
    FLOW,
    LOGSNR_BOUND,
    PARAMETRISATIONS,
    X0,
    Clean,
    Counted,
    Indexed,
    Parametrisation,
    target,
)
from mezzotint.diffusion.schedule import (
    VE,
    Cosine,
    Flow,
    Karras,
    Schedule,
    cosine_table,
    linear,
    scaled_linear,
    zero_terminal_snr,
)
from mezzotint.errors import UsageError

F64 = torch.float64
ALL: dict[str, Parametrisation] = {
    **PARAMETRISATIONS,
    "edm 0.2": EDM(0.2),
    "edm 2": EDM(2.0),
    "clean": Clean(0.5),
    "counted": Counted(),
}
SCHEDULES: dict[str, Schedule] = {
    "flow": Flow(),
    "flow shift 3": Flow(3.0),
    "cosine": Cosine(),
    "cosine offset": Cosine(0.008),
    "ve": VE(),
    "karras": Karras(),
    "linear": linear(),
    "scaled linear": scaled_linear(),
    "cosine table": cosine_table(),
    "zero terminal": zero_terminal_snr(scaled_linear()),
}
T = torch.linspace(0, 1, 201, dtype=F64)


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def one(a: float, s: float) -> Level:
    return Level(torch.tensor(a, dtype=F64), torch.tensor(s, dtype=F64))


def wild(x: Tensor, c: Tensor, cond: Cond) -> Tensor:
    """A network with no sense at all, which still sees its input and its level."""
    return torch.sin(3 * x) + expand(torch.tanh(c), x).to(x.dtype)


# -- what a network must predict, from the papers, not from the coefficients ------------------------------------------

TARGETS = {
    "eps": lambda x0, e, a, s: e,
    "v": lambda x0, e, a, s: (a * e - s * x0) / (a * a + s * s).sqrt(),
    "x0": lambda x0, e, a, s: x0,
    "flow": lambda x0, e, a, s: e - x0,
    "clean": lambda x0, e, a, s: x0 / 0.5,
    "counted": lambda x0, e, a, s: e - x0,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", TARGETS)
def test_a_perfect_network_gives_x0_back(name: str, schedule: str) -> None:
    t = torch.tensor([0.05, 0.3, 0.5, 0.8, 0.97], dtype=F64)
    level = SCHEDULES[schedule].level(t)
    x0, e = rand(5, 3, 4), rand(5, 3, 4, seed=1)
    a, s = expand(level.alpha, x0), expand(level.sigma, x0)
    answer = TARGETS[name](x0, e, a, s)
    got = Preconditioned(lambda x, c, cond: answer, ALL[name])(a * x0 + s * e, level, {}).mean
    torch.testing.assert_close(got, x0, atol=1e-7, rtol=1e-7)
    torch.testing.assert_close(target(x0, e, level, ALL[name]), answer, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("sigma_data", [0.2, 0.5, 2.0])
def test_edm_is_the_papers_table_at_alpha_one(sigma_data: float) -> None:
    for s in (0.002, 0.5, 1.0, 80.0):
        got = [c.item() for c in EDM(sigma_data)(one(1.0, s))]
        d2, s2 = sigma_data**2, s * s
        want = [d2 / (s2 + d2), s * sigma_data / math.sqrt(s2 + d2), 1 / math.sqrt(s2 + d2), math.log(s) / 4]
        assert got == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("schedule", ["flow", "cosine", "karras", "linear"])
def test_edm_input_and_target_have_unit_variance(schedule: str) -> None:
    level = SCHEDULES[schedule].level(torch.tensor(0.6, dtype=F64))
    d = 0.7
    x0, e = d * rand(1, 200_000), rand(1, 200_000, seed=1)
    fed: list[Tensor] = []
    Preconditioned(lambda x, c, cond: fed.append(x) or x, EDM(d))(noised(x0, e, level), level, {})
    assert fed[0].var().item() == pytest.approx(1.0, abs=0.02)
    assert target(x0, e, level, EDM(d)).var().item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", ["eps", "v", "x0"])
def test_networks_see_unit_variance_at_unit_variance_data(name: str) -> None:
    for level in (one(1.0, 7.0), one(0.6, 0.8), one(0.3, 0.7)):
        fed: list[Tensor] = []
        x = noised(rand(1, 200_000), rand(1, 200_000, seed=1), level)
        Preconditioned(lambda y, c, cond, fed=fed: fed.append(y) or y, ALL[name])(x, level, {})
        assert fed[0].var().item() == pytest.approx(1.0, abs=0.02)


def test_flow_networks_see_the_rectified_state_and_u() -> None:
    fed: list[tuple[Tensor, Tensor]] = []
    x0, e = rand(2, 3), rand(2, 3, seed=1)
    Preconditioned(lambda y, c, cond: fed.append((y, c)) or y, FLOW)(noised(x0, e, one(1.0, 3.0)), one(1.0, 3.0), {})
    torch.testing.assert_close(fed[0][0], 0.25 * x0 + 0.75 * e)
    torch.testing.assert_close(fed[0][1], torch.full((2,), 0.75, dtype=F64))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_scale_law(name: str, rank: int) -> None:
    """D(k x; k alpha, k sigma) = D(x; alpha, sigma): a denoiser sees the signal-to-noise ratio alone."""
    x, shape = rand(3, 2, 4), (3, 2)[:rank]
    u = torch.rand(shape, dtype=F64, generator=torch.Generator().manual_seed(2)) * 0.9 + 0.05
    k = torch.rand(shape, dtype=F64, generator=torch.Generator().manual_seed(3)) * 5 + 0.1
    d = Preconditioned(wild, ALL[name])
    scaled = d(expand(k, x) * x, Level(k * (1 - u), k * u), {}).mean
    torch.testing.assert_close(scaled, d(x, Level(1 - u, u), {}).mean, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("x0", "clean")])
def test_the_answer_tends_to_the_state_without_noise_whatever_the_network(name: str) -> None:
    d, x = Preconditioned(wild, ALL[name]), rand(3, 4)
    for sigma, tolerance in ((1e-3, 2e-2), (1e-6, 2e-5), (0.0, 1e-12)):
        for a in (1.0, 0.7):
            torch.testing.assert_close(d(x, one(a, sigma), {}).mean, x / a, atol=tolerance, rtol=0)


def test_a_perfect_x0_network_gives_the_state_without_noise() -> None:
    x = rand(3, 4)
    got = Preconditioned(lambda y, c, cond: y, X0)(x, one(1.0, 0.0), {}).mean
    torch.testing.assert_close(got, x)


@pytest.mark.parametrize("name", [n for n in ALL if n != "eps"])
def test_finite_at_pure_noise(name: str) -> None:
    seen: list[Tensor] = []
    d = Preconditioned(lambda x, c, cond: seen.append(c) or wild(x, c, cond), ALL[name])
    assert bool(d(rand(3, 4), one(0.0, 1.0), {}).mean.isfinite().all())
    assert bool(seen[0].isfinite().all()) and seen[0].abs().max() <= (1000 if name == "counted" else LOGSNR_BOUND)


def test_eps_at_pure_noise_is_an_error() -> None:
    d = Preconditioned(wild, EPS)
    for level in (one(0.0, 1.0), Level(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 1.0]))):
        with pytest.raises(UsageError, match="alpha = 0"):
            d(rand(2, 4), level, {})


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, F64])
def test_dtype_in_is_dtype_out_and_levels_reach_the_network_wide(name: str, dtype: torch.dtype) -> None:
    def network(x: Tensor, c: Tensor, cond: Cond) -> Tensor:
        assert x.dtype == dtype and c.dtype == (F64 if dtype == F64 else torch.float32) and c.shape == (3,)
        return wild(x, c, cond)

    x = rand(3, 4)
    got = Preconditioned(network, ALL[name])(x.to(dtype), one(0.8, 0.6), {}).mean
    assert got.dtype == dtype
    wide = Preconditioned(wild, ALL[name])(x, one(0.8, 0.6), {}).mean
    torch.testing.assert_close(got.double(), wide, atol=20 * torch.finfo(dtype).eps, rtol=20 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("name", ALL)
def test_c_noise_is_monotone_in_the_noise(name: str) -> None:
    level = Karras(1e-4, 1e4).level(T)
    c = ALL[name](level).noise
    step = c.diff()
    assert bool((step >= 0).all() or (step <= 0).all()) and (step != 0).sum() > 150


def test_an_indexed_network_is_fed_the_levels_own_index_or_the_tables() -> None:
    table = linear()
    p = Indexed(EPS, table.index)
    level = table.at(torch.tensor([0.0, 250.0, 999.0], dtype=F64))
    torch.testing.assert_close(p(level).noise, torch.tensor([0.0, 250.0, 999.0], dtype=F64))
    bare = Level(level.alpha, level.sigma)
    torch.testing.assert_close(p(bare).noise, torch.tensor([0.0, 250.0, 999.0], dtype=F64), atol=1e-6, rtol=1e-9)
    rounded = Level(level.alpha, level.sigma, torch.tensor([1.0, 251.0, 998.0]))
    assert p(rounded).noise.tolist() == [1.0, 251.0, 998.0]
    scaled = Level(5 * level.alpha, 5 * level.sigma)
    torch.testing.assert_close(p(scaled).noise, p(bare).noise)


# -- levels -----------------------------------------------------------------------------------------------------------


def test_levels_broadcast_from_the_left() -> None:
    x0, e = rand(2, 3, 4, 5), rand(2, 3, 4, 5, seed=1)
    for shape in ((), (2,), (2, 3)):
        u = torch.rand(shape, dtype=F64, generator=torch.Generator().manual_seed(0))
        got = noised(x0, e, Level(1 - u, u))
        w = u.reshape(*shape, *(1,) * (4 - len(shape)))
        torch.testing.assert_close(got, (1 - w) * x0 + w * e)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_noising_keeps_the_dtype(dtype: torch.dtype) -> None:
    u = torch.rand(2, dtype=F64)
    assert noised(rand(2, 3).to(dtype), rand(2, 3).to(dtype), Level(1 - u, u)).dtype == dtype


def test_level_slices_carry_the_index() -> None:
    grid = linear().at(torch.tensor([900.0, 500.0, 1.0], dtype=F64))
    assert len(grid) == 3 and grid[1:].index.tolist() == [500.0, 1.0]  # type: ignore[union-attr]
    assert [lv.index.item() for lv in grid] == [900.0, 500.0, 1.0]  # type: ignore[union-attr]
    assert [lv.index for lv in Level(grid.alpha, grid.sigma)] == [None] * 3


def test_logsnr_reaches_both_ends() -> None:
    assert one(1.0, 0.0).logsnr == math.inf and one(0.0, 1.0).logsnr == -math.inf
    assert one(2.0, 1.0).logsnr.item() == pytest.approx(2 * math.log(2))


# -- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
def test_noise_rises_with_t(name: str) -> None:
    level = SCHEDULES[name].level(T)
    ratio = level.sigma / level.alpha
    assert bool((ratio[1:] > ratio[:-1]).all()) and bool((level.sigma >= 0).all()) and bool((level.alpha >= 0).all())


@pytest.mark.parametrize("name", SCHEDULES)
def test_t_comes_back_from_logsnr(name: str) -> None:
    schedule = SCHEDULES[name]
    inner = T[1:-1]
    torch.testing.assert_close(schedule.t(schedule.level(inner).logsnr), inner, atol=1e-7, rtol=1e-7)
    for t in (0.0, 1.0):
        end = torch.tensor(t, dtype=F64)
        torch.testing.assert_close(schedule.t(schedule.level(end).logsnr), end, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "name", ["cosine", "cosine offset", "linear", "scaled linear", "cosine table", "zero terminal"]
)
def test_variance_is_preserved(name: str) -> None:
    torch.testing.assert_close(SCHEDULES[name].level(T).scale, torch.ones_like(T))


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_levels_take_the_shape_of_t(name: str, shape: tuple[int, ...]) -> None:
    t = torch.rand(shape, dtype=F64, generator=torch.Generator().manual_seed(0))
    level = SCHEDULES[name].level(t)
    assert level.alpha.shape == level.sigma.shape == shape


def test_flow_and_cosine_are_pure_noise_at_one_and_clean_at_zero() -> None:
    for schedule in (Flow(), Flow(5.0), Cosine(), Cosine(0.008)):
        level = schedule.level(torch.tensor([0.0, 1.0], dtype=F64))
        assert level.alpha.tolist() == pytest.approx([1.0, 0.0], abs=1e-15) and level.alpha[1] == 0
        assert level.sigma.tolist() == pytest.approx([0.0, 1.0], abs=1e-12) and level.sigma[0] == 0


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0, 8.0])
def test_a_shift_adds_to_logsnr(shift: float) -> None:
    inner = T[1:-1]
    want = Flow().level(inner).logsnr - 2 * math.log(shift)
    torch.testing.assert_close(Flow(shift).level(inner).logsnr, want)


def test_tables_equal_the_published_numbers() -> None:
    """abar at the ends: DDPM's 4.0e-5, Stable Diffusion's 0.0047, computed with Python's own floats."""
    for table, betas in (
        (linear(), [1e-4 + i * (0.02 - 1e-4) / 999 for i in range(1000)]),
        (scaled_linear(), [(0.00085**0.5 + i * (0.012**0.5 - 0.00085**0.5) / 999) ** 2 for i in range(1000)]),
    ):
        abar = 1.0
        for i, b in enumerate(betas):
            abar *= 1 - b
            if i in (0, 499, 999):
                level = table.at(torch.tensor(float(i), dtype=F64))
                assert level.alpha.item() ** 2 == pytest.approx(abar, rel=1e-9)
                assert level.sigma.item() ** 2 == pytest.approx(1 - abar, rel=1e-9)
    assert linear().alpha_bar[-1].item() == pytest.approx(4.0358e-5, rel=1e-3)
    assert scaled_linear().alpha_bar[-1].item() == pytest.approx(0.004660, rel=1e-3)
    f = [math.cos((i / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(1001)]
    for i in (1, 500, 990):
        assert cosine_table().alpha_bar[i - 1].item() == pytest.approx(f[i] / f[0], rel=1e-6)


def test_zero_terminal_snr_ends_in_noise_and_keeps_its_first_entry() -> None:
    table, base = zero_terminal_snr(scaled_linear()), scaled_linear()
    assert table.alpha_bar[-1] == 0
    assert table.alpha_bar[0].item() == pytest.approx(base.alpha_bar[0].item(), rel=1e-9)
    root, old = table.alpha_bar.sqrt(), base.alpha_bar.sqrt()
    want = (old - old[-1]) * old[0] / (old[0] - old[-1])
    torch.testing.assert_close(root, want, atol=1e-9, rtol=1e-6)
