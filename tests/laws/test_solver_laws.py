"""Laws that every solver keeps."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from every_solver import (
    ALL,
    F64,
    GAUSS,
    MEAN,
    MIX,
    NEEDS_ALPHA,
    NOISE,
    ODE,
    SDE,
    SEEDS,
    TAKES_EPS,
    VAR,
    begin,
    cosine,
    first_state,
    flow,
    karras,
    with_index,
)
from scipy import integrate
from torch import Tensor

from mezzotint.diffusion.brownian import Brownian
from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.guidance import CFGPlusPlus, Guided, Inpainted
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.sample import sample, trajectory
from mezzotint.diffusion.solver.base import Solver, Step
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.errors import UsageError

ONE_STEP = {"ddim", "euler", "euler-ancestral eta 0", "heun", "heun rectified", "pndm", "pndm v", "pndm runge-kutta"}
GRIDS = {
    "flow": lambda n: flow(n, 0.98, 0.02),
    "cosine": lambda n: cosine(n, 0.98, 0.02),
    "karras": lambda n: karras(n, 80.0, 0.02),
}


def steps_of(levels: Level, noise: Noise = NOISE, shape: tuple[int, ...] = (3, 3)) -> list[Step]:
    """The steps of a grid with fixed noise, to drive a solver by hand."""
    grid = list(levels)
    n = len(grid) - 1
    return [
        Step(i, i == n - 1, a, b, lambda i=i: noise(1 + i, shape), lambda p, q, i=i: noise(1 + i, shape), n)
        for i, (a, b) in enumerate(pairwise(grid))
    ]


def counted(calls: list[int]) -> GaussianOracle:
    class Counting(GaussianOracle):
        def __call__(self, x: Tensor, level: Level, cond: Cond = {}) -> Posterior:  # noqa: B006
            calls.append(len(x))
            return super().__call__(x, level, cond)

    return Counting(MEAN, VAR)


def is_v(name: str) -> bool:
    """Extrapolates v, which turns although x0 and eps stand still: exact only where steps are short."""
    return name in ("pndm v", "pndm runge-kutta")


# -- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", sorted(ONE_STEP | {"dpm++2m", "dpm++2m heun"}))
def test_measured_order_is_the_declared_one(name: str, grid: str) -> None:
    solver, errors = ODE[name], []
    for n in (100, 200):
        levels = GRIDS[grid](n)
        x = first_state(levels)
        errors.append((sample(GAUSS, x, levels, solver, NOISE, {}) - GAUSS.exact(x, levels[0], levels[-1])).abs().max())
    measured = math.log2(errors[-2] / errors[-1])
    assert solver.order - 0.3 < measured < solver.order + 0.7, f"{measured:.2f} of {[e.item() for e in errors]}"


@pytest.mark.parametrize("name", [n for n in ALL if n != "lcm"])
def test_declared_calls_are_made(name: str) -> None:
    calls: list[int] = []
    for i, _ in enumerate(
        trajectory(counted(calls), first_state(flow(9, 0.98, 0.1)), flow(9, 0.98, 0.1), ALL[name], NOISE, {})
    ):
        if i == 4:
            calls.clear()
        if i == 7:
            assert len(calls) == 3 * ALL[name].calls
            return


# -- ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_finite_from_pure_noise_to_data(name: str) -> None:
    for grid, n in ((flow, 1), (flow, 2), (flow, 3), (cosine, 9)):
        levels = grid(n)
        assert levels.alpha[0] == 0 and levels.sigma[-1] == 0
        if name in NEEDS_ALPHA:
            with pytest.raises(UsageError, match="alpha = 0"):
                sample(GAUSS, first_state(levels), levels, ALL[name], NOISE, {})
            levels = grid(n, 0.97)
        for state in trajectory(GAUSS, first_state(levels), levels, ALL[name], NOISE, {}):
            assert bool(state.x.isfinite().all() and state.x0.isfinite().all())


@pytest.mark.parametrize("name", [n for n in ALL if n != "lcm" and not is_v(n)])
def test_a_point_mass_is_reached_exactly(name: str) -> None:
    """Where the denoiser knows the answer, one step or many end on it: no solver adds an error of its own."""
    point = GaussianOracle(MEAN, torch.zeros(3, dtype=F64))
    for n in (1, 2, 7):
        levels = begin(name, n)
        got = sample(point, first_state(levels), levels, ALL[name], NOISE, {})
        torch.testing.assert_close(got, MEAN.expand(3, 3), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", [n for n in ODE if not is_v(n)])
def test_noise_alone_is_carried_along(name: str) -> None:
    """With x0 known, the state at every level is alpha x0 + sigma eps of the eps it began with."""
    levels = begin(name, 9)
    x = first_state(levels)
    eps = (x - levels.alpha[0] * MEAN) / levels.sigma[0]
    for s in trajectory(GaussianOracle(MEAN, torch.zeros(3, dtype=F64)), x, levels, ODE[name], NOISE, {}):
        torch.testing.assert_close(s.x, s.level.alpha * MEAN + s.level.sigma * eps, atol=1e-12, rtol=0)


# -- the schedule is free ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_scale_of_a_grid_changes_nothing(name: str) -> None:
    """x at (k alpha, k sigma) is k x at (alpha, sigma), k another at every level."""
    levels = begin(name, 8, 0.01)
    k = 2 + torch.sin(torch.arange(9, dtype=F64))
    scaled = Level(k * levels.alpha, k * levels.sigma, levels.index)
    x = first_state(levels)
    a = list(trajectory(MIX, x, levels, ALL[name], NOISE, {}))
    b = list(trajectory(MIX, k[0] * x, scaled, ALL[name], NOISE, {}))
    for i, (p, q) in enumerate(zip(a, b, strict=True)):
        torch.testing.assert_close(q.x, k[i + 1] * p.x, atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(q.x0, p.x0, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", ODE)
def test_every_schedule_leads_to_the_same_sample(name: str) -> None:
    ends = []
    for levels in (flow(300, 0.99, 0.02), cosine(300, 0.99, 0.02), karras(300, 80.0, 0.02)):
        pure = Level(torch.zeros((), dtype=F64), torch.ones((), dtype=F64))
        x = GAUSS.exact(NOISE(0, (3, 3)), pure, levels[0])
        end = sample(GAUSS, x, levels, ODE[name], NOISE, {})
        ends.append(GAUSS.exact(end, levels[-1], Level(torch.ones((), dtype=F64), torch.zeros((), dtype=F64))))
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], atol=3e-2, rtol=0)


@pytest.mark.parametrize("name", SDE)
@pytest.mark.parametrize("grid", ["flow", "karras"])
def test_stochastic_solvers_keep_the_moments(name: str, grid: str) -> None:
    noise = Noise((0,), dtype=F64)  # one row of many independent entries
    n = 30 if "dpm+" in name else 150
    levels = flow(n, 0.999, 0.0) if grid == "flow" else karras(n, 80.0, 0.01)
    small = GaussianOracle(torch.tensor(0.5, dtype=F64), torch.tensor(0.49, dtype=F64))
    x = first_state(levels, noise, (5000,))
    end = sample(small, x, levels, SDE[name], noise, {})
    want = small.var * levels.alpha[-1] ** 2 + levels.sigma[-1] ** 2  # type: ignore[operator]
    assert end.mean().item() == pytest.approx(0.5, abs=0.04)
    assert end.var().item() == pytest.approx(want.item(), abs=0.05)


@pytest.mark.parametrize("name", ["ddim eta 1", "ddpm", "unclip", "euler-ancestral"])
def test_the_ancestral_step_is_the_forward_chains_reverse(name: str) -> None:
    """Bayes' rule on q(x_s) and q(x_t | x_s), with x0 known; worked out in one dimension from the two variances."""
    for (a, s), (an, sn) in [
        ((0.6, 0.8), (0.8, 0.6)),
        ((0.3, 0.7), (0.9, 0.1)),
        ((1.0, 9.0), (1.0, 4.0)),
        ((0.0, 1.0), (0.2, 0.9)),
    ]:
        x0, x, z = 0.7, 1.9, -1.3
        m = a / an
        beta = s * s - m * m * sn * sn  # x_t = m x_s + sqrt(beta) e
        var = 1 / (1 / (sn * sn) + m * m / beta)
        mean = var * (an * x0 / (sn * sn) + m * x / beta)
        levels = Level(torch.tensor([a, an], dtype=F64), torch.tensor([s, sn], dtype=F64))
        step = replace(steps_of(levels)[0], noise=lambda z=z: torch.full((1, 1), z, dtype=F64))
        point = GaussianOracle(torch.tensor(x0, dtype=F64), torch.tensor(0.0, dtype=F64))
        solver, state = ALL[name], torch.full((1, 1), x, dtype=F64)
        got = solver.step(point, state, solver.init(state), step)[0]
        assert got.item() == pytest.approx(mean + math.sqrt(var) * z, rel=1e-12)


EXACT = {  # solver: (what is a polynomial of what, its degree)
    "dpm++2m heun": (DPMpp2M("heun", final="full"), "x0", "lambda", 1),
    "dpm++3m exact": (DPMpp3M("exact", final="full"), "x0", "lambda", 2),
    "unipc 3 bh1": (UniPC(3, "bh1", "full"), "x0", "lambda", 2),
    "unipc 3 bh2": (UniPC(3, "bh2", "full"), "x0", "lambda", 2),
    "deis 2": (DEIS(2, "full"), "eps", "lambda", 1),
    "deis 3": (DEIS(3, "full"), "eps", "lambda", 2),
    "ipndm 3 exact": (IPNDM(3, "exact"), "eps", "rho", 2),
    "ipndm 4 exact": (IPNDM(4, "exact"), "eps", "rho", 3),
}


@pytest.mark.parametrize("name", EXACT)
def test_multistep_solvers_integrate_polynomials_exactly(name: str) -> None:
    """On steps of very different length: every weight is seen, which orders of convergence do not."""
    solver, of, coordinate, degree = EXACT[name]
    power = np.polynomial.Polynomial([0.3, -0.8, 0.5, 0.2][: degree + 1])
    rho = np.array([9.0, 5.5, 4.6, 2.1, 1.7, 0.9, 0.3, 0.22])
    alpha = 1 / np.sqrt(1 + rho**2)
    levels = Level(torch.from_numpy(alpha), torch.from_numpy(alpha * rho))

    def given(r: float) -> float:
        return float(power(-math.log(r) if coordinate == "lambda" else r))

    def denoise(x: Tensor, level: Level, cond: Cond) -> Posterior:
        value = given((level.sigma / level.alpha).item())
        return Posterior(x * 0 + value if of == "x0" else (x - level.sigma * value) / level.alpha)

    states = list(trajectory(denoise, NOISE(0, (3, 1)), levels, solver, NOISE, {}))
    for k in range(4, len(states) - 1):
        (r0, r1), (y0, y1) = rho[k : k + 2], [states[j].x / states[j].level.alpha for j in (k - 1, k)]
        if of == "eps":  # d y = eps d rho
            want = y0 + integrate.quad(given, r0, r1)[0]
        else:  # d (y / rho) = x0 d (1 / rho)
            want = y0 * r1 / r0 + r1 * integrate.quad(lambda w: given(1 / w), 1 / r0, 1 / r1)[0]
        torch.testing.assert_close(y1, want, atol=1e-8, rtol=1e-8)


# -- nothing is shared ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_interleaved_trajectories_are_each_their_own(name: str) -> None:
    levels, n1, n2 = begin(name, 9), Noise((1,), dtype=F64), Noise((2,), dtype=F64)
    x1, x2 = first_state(levels, n1), first_state(levels, n2)
    one, two = trajectory(MIX, x1, levels, ALL[name], n1, {}), trajectory(MIX, x2, levels, ALL[name], n2, {})
    for a, b in zip(one, two, strict=True):
        last = a.x, b.x
    assert torch.equal(last[0], sample(MIX, x1, levels, ALL[name], n1, {}))
    assert torch.equal(last[1], sample(MIX, x2, levels, ALL[name], n2, {}))


@pytest.mark.parametrize("name", ALL)
def test_a_step_is_a_pure_function(name: str) -> None:
    """The same state stepped twice gives the same bits, and neither x nor the state is written to."""
    levels = begin(name, 6)
    x, solver = first_state(levels), ALL[name]
    state = solver.init(x)
    for step in steps_of(levels):
        kept_x, kept = x.clone(), copy.deepcopy(state)
        first = solver.step(lambda y, lv: MIX(y, lv), x, state, step)
        again = solver.step(lambda y, lv: MIX(y, lv), kept_x, kept, step)
        assert torch.equal(x, kept_x) and torch.equal(first[0], again[0]) and torch.equal(first[2], again[2])
        x, state = first[0], first[1]


@pytest.mark.parametrize("name", ALL)
def test_contents_of_batch_mates_change_no_bits(name: str) -> None:
    levels = begin(name, 9)
    x = first_state(levels)
    mates = torch.cat((x[:1], 30 * x[1:].flip(0)))
    other = Noise((SEEDS[0], 99, 98), dtype=F64)
    a, b = sample(MIX, x, levels, ALL[name], NOISE, {}), sample(MIX, mates, levels, ALL[name], other, {})
    assert torch.equal(a[0], b[0]) and not torch.equal(a[1], b[1])


@pytest.mark.parametrize("name", ALL)
def test_a_row_alone_is_the_row_in_a_batch(name: str) -> None:
    levels = begin(name, 9)
    x = first_state(levels)
    batch = sample(MIX, x, levels, ALL[name], NOISE, {})
    for i, seed in enumerate(SEEDS):
        alone = sample(MIX, x[i : i + 1], levels, ALL[name], Noise((seed,), dtype=F64), {})
        torch.testing.assert_close(alone[0], batch[i], atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_solvers_are_frozen_and_comparable(name: str) -> None:
    solver = ALL[name]
    assert solver == copy.deepcopy(solver) and hash(solver) == hash(copy.deepcopy(solver))
    assert solver.order >= 0 and solver.calls >= 1
    for f in fields(solver):  # type: ignore[arg-type]
        with pytest.raises(FrozenInstanceError):
            setattr(solver, f.name, None)


# -- shapes, levels, dtypes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_any_modality(name: str) -> None:
    """Vector, scalar, sound, picture, video, volume: the values are those of the flat state."""
    levels = begin(name, 3)
    oracle = GaussianOracle(torch.zeros((), dtype=F64), torch.ones((), dtype=F64))
    flat = sample(oracle, first_state(levels, NOISE, (24,)), levels, ALL[name], NOISE, {})
    for shape in ((), (12, 2), (2, 3, 4), (2, 3, 2, 2), (1, 2, 2, 3, 2)):
        got = sample(oracle, first_state(levels, NOISE, shape), levels, ALL[name], NOISE, {})
        assert got.shape == (3, *shape)
        torch.testing.assert_close(got.flatten(1) if shape else got[:, None], flat if shape else flat[:, :1])


@pytest.mark.parametrize("name", ALL)
def test_dtype_in_is_dtype_out(name: str) -> None:
    levels = begin(name, 8)
    x = first_state(levels)
    wide = sample(GAUSS, x, levels, ALL[name], NOISE, {})
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        end = list(trajectory(GAUSS, x.to(dtype), levels, ALL[name], NOISE, {}))[-1]
        assert end.x.dtype == dtype and end.x0.dtype == dtype
        rows = Level(*(getattr(levels, k)[:, None].expand(-1, 3) for k in ("alpha", "sigma", "index")))
        own = list(trajectory(GAUSS, x.to(dtype), rows, ALL[name], NOISE, {}))[-1]
        assert own.x.dtype == dtype and own.x0.dtype == dtype
        torch.testing.assert_close(own.x.double(), wide, atol=100 * torch.finfo(dtype).eps, rtol=0)
        torch.testing.assert_close(end.x.double(), wide, atol=100 * torch.finfo(dtype).eps, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_a_level_a_row_is_each_row_alone(name: str) -> None:
    for dtype in (torch.float32, F64):
        rows_are_their_own(name, dtype)


def rows_are_their_own(name: str, dtype: torch.dtype) -> None:
    grids = [begin(name, 9), cosine(9, 0.97, 0.03), karras(9, 20.0, 0.01)]
    levels = Level(*(torch.stack([getattr(g, k) for g in grids], 1) for k in ("alpha", "sigma", "index")))
    x = torch.cat([first_state(g)[i : i + 1] for i, g in enumerate(grids)]).to(dtype)
    batch = sample(MIX, x, levels, ALL[name], NOISE, {})
    tolerance = 1e-9 if dtype == F64 else 2e-4
    for i, g in enumerate(grids):
        alone = sample(MIX, x[i : i + 1], g, ALL[name], Noise(SEEDS[i : i + 1], dtype=F64), {})
        torch.testing.assert_close(alone[0], batch[i], atol=tolerance, rtol=tolerance)


def frames(name: str, n: int = 8) -> Level:
    """Three videos of four frames: the first is given and clean, the others each on a schedule of their own."""
    clean = Level(torch.ones(n + 1, dtype=F64), torch.zeros(n + 1, dtype=F64), torch.zeros(n + 1, dtype=F64))
    grids = [clean, begin(name, n), cosine(n, 0.97), flow(n, 0.9)]
    one = [torch.stack([getattr(g, k) for g in grids], 1) for k in ("alpha", "sigma", "index")]
    return Level(*(t[:, None].expand(n + 1, 3, 4) for t in one))


VIDEO = NOISE(7, (3, 4, 2, 3))
STILL = sorted(set(ALL) - {"lcm"})


@pytest.mark.parametrize("name", STILL)
def test_a_clean_frame_keeps_its_bits_and_harms_no_other(name: str) -> None:
    oracle = GaussianOracle(torch.tensor(0.4, dtype=F64), torch.tensor(0.8, dtype=F64))
    levels, x = frames(name), VIDEO.clone()
    for s in trajectory(oracle, x, levels, ALL[name], NOISE, {}):
        assert torch.equal(s.x[:, 0], x[:, 0])
        assert bool(s.x.isfinite().all() and s.x0.isfinite().all())


@pytest.mark.parametrize("name", STILL)
def test_a_level_a_frame_is_each_frame_alone(name: str) -> None:
    """Independent frames: each follows its own grid as if it were a row, given the noise that is its own."""
    oracle = GaussianOracle(torch.tensor(0.4, dtype=F64), torch.tensor(0.8, dtype=F64))
    levels, path = frames(name), Brownian(NOISE)
    whole = {"x": VIDEO, "state": ALL[name].init(VIDEO)}
    alone = {f: {"x": VIDEO[:, f], "state": ALL[name].init(VIDEO[:, f])} for f in (1, 2, 3)}
    for i, (a, b) in enumerate(pairwise(levels)):
        z, w = NOISE(1 + i, VIDEO.shape), path(a, b, VIDEO.shape)

        def advance(run: dict[str, Any], cut: Callable[[Tensor], Tensor], i=i, a=a, b=b, z=z, w=w) -> None:
            own = [Level(cut(lv.alpha), cut(lv.sigma), cut(lv.index)) for lv in (a, b)]
            step = Step(i, i == 7, *own, lambda: cut(z), lambda p, q: cut(w), 8)
            run["x"], run["state"], _ = ALL[name].step(oracle, run["x"], run["state"], step)

        advance(whole, lambda t: t)
        for f, run in alone.items():
            advance(run, lambda t, f=f: t[:, f])
            torch.testing.assert_close(run["x"], whole["x"][:, f], atol=1e-9, rtol=1e-9)


# -- with guidance ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in ALL if n != "lcm" and not is_v(n)])
def test_a_known_region_ends_exactly_as_known(name: str) -> None:
    levels, known = begin(name, 7), NOISE(5, (3, 3))
    mask = torch.tensor([1.0, 0.0, 1.0], dtype=F64)
    end = sample(Inpainted(GAUSS, known, mask), first_state(levels), levels, ALL[name], NOISE, {})
    torch.testing.assert_close(end[:, [0, 2]], known[:, [0, 2]], atol=1e-12, rtol=0)
    free = sample(GAUSS, first_state(levels), levels, ALL[name], NOISE, {})
    torch.testing.assert_close(end[:, 1], free[:, 1])


@pytest.mark.parametrize("name", ALL)
def test_a_prescribed_eps_is_used_or_refused_but_never_ignored(name: str) -> None:
    labelled = GaussianOracle(lambda c: c["label"][:, None], VAR)
    plus = CFGPlusPlus(Guided(labelled, 0.6, {"label": torch.zeros(1, dtype=F64)}))
    levels, cond = begin(name, 5), {"label": torch.ones(3, dtype=F64)}
    if name not in TAKES_EPS:
        with pytest.raises(UsageError, match=r"CFG\+\+"):
            sample(plus, first_state(levels), levels, ALL[name], NOISE, cond)
        return
    got = sample(plus, first_state(levels), levels, ALL[name], NOISE, cond)
    plain = sample(plus.guided, first_state(levels), levels, ALL[name], NOISE, cond)  # type: ignore[arg-type]
    assert bool(got.isfinite().all()) and not torch.allclose(got, plain, atol=1e-3)


def test_solvers_that_are_the_same_step_agree() -> None:
    """DDIM = Euler = DEIS and iPNDM of one answer; DDPM = DDIM of eta 1 = Euler ancestral; each written by itself."""
    levels = flow(9)
    x = first_state(levels)

    def end(solver: Solver) -> Tensor:  # type: ignore[type-arg]
        return sample(MIX, x, levels, solver, NOISE, {})

    for other in (ALL["euler"], ALL["euler-ancestral eta 0"], DEIS(1), IPNDM(1)):
        torch.testing.assert_close(end(other), end(ALL["ddim"]), atol=1e-10, rtol=1e-10)
    for other in (ALL["ddpm"], ALL["unclip"], ALL["euler-ancestral"]):
        torch.testing.assert_close(end(other), end(ALL["ddim eta 1"]), atol=1e-10, rtol=1e-10)


def test_indices_reach_the_denoiser() -> None:
    seen: list[float] = []

    def spy(x: Tensor, level: Level, cond: Cond) -> Posterior:
        assert level.index is not None
        seen.append(level.index.item())
        return GAUSS(x, level)

    levels = with_index(flow(5, 0.9, 0.1))
    sample(spy, first_state(levels), levels, ALL["dpm++2m"], NOISE, {})
    assert seen == levels.index[:-1].tolist()  # type: ignore[index]
