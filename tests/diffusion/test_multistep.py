"""Laws of the multistep solvers: their order, their ends, rows and trajectories that do not touch one another."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Posterior
from mezzotint.diffusion.grid import custom, karras, trailing, uniform
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle, MixtureOracle
from mezzotint.diffusion.sample import sample, trajectory
from mezzotint.diffusion.schedule import Cosine, Flow, Karras, scaled_linear, zero_terminal_snr
from mezzotint.diffusion.solver.base import Solver, Step
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.multistep import vandermonde
from mezzotint.diffusion.solver.unipc import Track, UniPC
from mezzotint.errors import UsageError

F64 = torch.float64
MEAN, VAR = torch.tensor([0.5, -1.0, 2.0], dtype=F64), torch.tensor([0.49, 0.1, 1.3], dtype=F64)
GAUSS = GaussianOracle(MEAN, VAR)
MIX = MixtureOracle(torch.tensor([0.3, 0.7], dtype=F64), torch.stack((MEAN, -MEAN)), VAR / 10)
SEEDS = (3, 4, 5)
NOISE = Noise(SEEDS, dtype=F64)
X = NOISE(0, (3, 3))

ODE: dict[str, Solver[Any]] = {
    "2m": DPMpp2M(),
    "2m heun": DPMpp2M("heun"),
    "3m": DPMpp3M(),
    "3m exact": DPMpp3M("exact"),
    "unipc 1": UniPC(1, final="full"),
    "unipc 2": UniPC(2, final="full"),
    "unipc 2 bh1": UniPC(2, "bh1", final="full"),
    "unipc 3": UniPC(3, final="full"),
    "unipc 3 bh1": UniPC(3, "bh1", final="full"),
    "deis 1": DEIS(1),
    "deis 2": DEIS(2),
    "deis 3": DEIS(3),
    "ipndm 1": IPNDM(1),
    "ipndm 2": IPNDM(2),
    "ipndm 3": IPNDM(3),
    "ipndm 4": IPNDM(4),
    "ipndm 2 exact": IPNDM(2, "exact"),
    "ipndm 3 exact": IPNDM(3, "exact"),
    "ipndm 4 exact": IPNDM(4, "exact"),
}
SDE: dict[str, Solver[Any]] = {
    "2m sde": DPMpp2M(eta=1.0),
    "2m sde heun": DPMpp2M("heun", eta=1.0),
    "2m sde half": DPMpp2M(eta=0.5),
    "3m sde": DPMpp3M(eta=1.0),
}
ALL = {**ODE, **SDE, "unipc lower": UniPC(3), "2m euler": DPMpp2M(final="euler"), "deis full": DEIS(3, "full")}
GRIDS: dict[str, Callable[[int], Level]] = {
    "cosine": lambda n: uniform(Cosine(), n, 0.9, 0.1),
    "flow": lambda n: uniform(Flow(), n, 0.9, 0.1),
    "karras": lambda n: uniform(Karras(0.05, 20.0), n),
}


def stepped(solver: Solver[Any], levels: Level, x: Tensor, corrections: int) -> Tensor:
    """The end of a trajectory whose first states are put on the exact one."""
    grid, state, nothing = list(levels), solver.init(x), torch.zeros_like(x)
    for i, (cur, nxt) in enumerate(pairwise(grid)):
        step = Step(i, i == len(grid) - 2, cur, nxt, lambda: nothing, lambda a, b: nothing, len(grid) - 1)
        start = x
        x, state, _ = solver.step(lambda y, level: GAUSS(y, level), x, state, step)
        if i < corrections:
            x = GAUSS.exact(start, cur, nxt)
            state = state._replace(x=start) if isinstance(state, Track) else state
    return x


def measured(solver: Solver[Any], grid: Callable[[int], Level], corrections: int, n: int) -> float:
    """log2 of the ratio of the errors (root mean square) of n and 2n steps."""
    errors = []
    for steps in (n, 2 * n):
        levels = grid(steps)
        x = X * levels[0].scale
        error = stepped(solver, levels, x, corrections) - GAUSS.exact(x, levels[0], levels[-1])
        errors.append(error.square().mean().sqrt().item())
    return math.log2(errors[0] / errors[1])


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", ODE)
def test_measured_order_is_the_declared_one(name: str, grid: str) -> None:
    """From a start of that order, which for solvers of order 2 their own start is."""
    solver = ODE[name]
    corrections = 4 if solver.order > 2 else 0
    n = 256 if solver.order > 2 else 128
    assert abs(measured(solver, GRIDS[grid], corrections, n) - solver.order) < 0.25


@pytest.mark.parametrize("name", ["unipc 2", "unipc 3"])
def test_unipc_with_a_first_order_end_has_order_2(name: str) -> None:
    solver = UniPC(ODE[name].answers)
    assert solver.order == 2
    assert abs(measured(solver, GRIDS["cosine"], 0, 256) - 2) < 0.25


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_even_ipndm_has_its_full_order_on_even_steps(answers: int) -> None:
    def even(n: int) -> Level:
        return custom(torch.linspace(3.0, 0.3, n + 1, dtype=F64).tolist())

    assert abs(measured(IPNDM(answers), even, 3, 128) - answers) < 0.3


def test_exact_third_order_beats_the_published() -> None:
    levels = GRIDS["karras"](160)
    x = X * levels[0].scale
    truth = GAUSS.exact(x, levels[0], levels[-1])
    published, exact = ((stepped(s, levels, x, 2) - truth).norm() for s in (DPMpp3M(), DPMpp3M("exact")))
    assert exact < published / 3


# -- ends -------------------------------------------------------------------------------------------------------------

ENDS = {
    "flow": uniform(Flow(), 12),
    "cosine": uniform(Cosine(), 12),
    "zero terminal snr": trailing(zero_terminal_snr(scaled_linear()), 12),
    "karras": karras(12, 0.002, 80.0),
    "two steps": uniform(Flow(), 2),
    "one step": uniform(Flow(), 1),
    "twenty": uniform(Flow(), 20),
}


@pytest.mark.parametrize("grid", ENDS)
@pytest.mark.parametrize("name", ALL)
def test_finite_from_alpha_0_to_sigma_0(name: str, grid: str) -> None:
    levels = ENDS[grid]
    states = list(trajectory(MIX, X * levels[0].scale, levels, ALL[name], NOISE, {}))
    assert all(s.x.isfinite().all() for s in states)
    assert states[-1].x.abs().max() < 10


@pytest.mark.parametrize("name", ODE)
def test_the_first_step_from_alpha_0_is_ddim_s(name: str) -> None:
    levels = uniform(Flow(), 12)
    first = next(iter(trajectory(MIX, X, levels, ODE[name], NOISE, {})))
    expected = next(iter(trajectory(MIX, X, levels, DDIM(), NOISE, {})))
    assert torch.allclose(first.x, expected.x, rtol=1e-11)


@pytest.mark.parametrize("name", ["2m", "3m", "unipc 3", "2m sde", "3m sde"])
def test_the_last_step_to_sigma_0_is_the_answer(name: str) -> None:
    *_, last = trajectory(MIX, X, uniform(Flow(), 20), ALL[name], NOISE, {})
    assert torch.allclose(last.x, last.x0, rtol=1e-12)


# -- independence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_interleaved_trajectories_are_each_their_own(name: str) -> None:
    levels, solver, others = uniform(Flow(), 9), ALL[name], Noise((8, 9, 10), dtype=F64)
    one = trajectory(MIX, X, levels, solver, NOISE, {})
    two = trajectory(MIX, others(0, (3, 3)), levels, solver, others, {})
    for a, b in zip(one, two, strict=True):
        last = a.x, b.x
    assert torch.equal(last[0], sample(MIX, X, levels, solver, NOISE, {}))
    assert torch.equal(last[1], sample(MIX, others(0, (3, 3)), levels, solver, others, {}))


@pytest.mark.parametrize("name", ALL)
def test_a_row_does_not_feel_its_mates(name: str) -> None:
    levels = uniform(Flow(), 9)
    together = sample(MIX, X, levels, ALL[name], NOISE, {})
    alone = sample(MIX, X[1:2], levels, ALL[name], Noise(SEEDS[1:2], dtype=F64), {})
    assert torch.equal(together[1:2], alone)


def stacked(*grids: Level) -> Level:
    """Grids of one length, a row each: (N+1, B)."""
    return Level(torch.stack([g.alpha for g in grids], 1), torch.stack([g.sigma for g in grids], 1))


@pytest.mark.parametrize(
    "name,dtype,tolerance", [*((n, F64, 1e-9) for n in ALL), *((n, torch.float32, 2e-4) for n in ODE)]
)
def test_a_level_a_row_is_as_each_row_alone(name: str, dtype: torch.dtype, tolerance: float) -> None:
    grids = (uniform(Flow(), 7), uniform(Cosine(), 7, 0.999, 0.01), karras(7, 0.05, 20.0))
    noise = Noise(SEEDS, dtype=dtype)
    x = noise(0, (3, 3)) * torch.stack([g[0].scale for g in grids])[:, None].to(dtype)
    rows = sample(MIX, x, stacked(*grids), ALL[name], noise, {})
    for i, levels in enumerate(grids):
        alone = sample(MIX, x[i : i + 1], levels, ALL[name], Noise(SEEDS[i : i + 1], dtype=dtype), {})
        assert torch.allclose(rows[i : i + 1], alone, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ALL)
def test_a_row_that_stands_still_stays(name: str) -> None:
    """A clean first frame, one that waits at pure noise before it moves, one that stops half way."""
    moving = uniform(Flow(), 8)
    at = {"clean": [8] * 9, "waits": [0, 0, 0, 1, 2, 4, 6, 7, 8], "stops": [0, 2, 4, 5, 5, 5, 5, 5, 5]}
    levels = stacked(*(moving[torch.tensor(i)] for i in at.values()))
    states = [X, *(s.x for s in trajectory(MIX, X, levels, ALL[name], NOISE, {}))]
    assert all(s.isfinite().all() for s in states)
    assert torch.equal(states[-1][0], X[0])
    assert torch.equal(states[2][1], X[1])
    if not isinstance(ALL[name], UniPC):  # whose corrector still moves it once
        assert torch.equal(states[-1][2], states[3][2])


@pytest.mark.parametrize("name", ["2m", "3m", "unipc 3", "deis 3", "ipndm 4 exact", "2m sde"])
def test_levels_can_be_learned(name: str) -> None:
    """The gradient of the end with respect to the grid is that of finite differences."""
    values = torch.tensor([0.9, 0.7, 0.55, 0.35, 0.2], dtype=F64)

    solver = DPMpp2M(eta=1.0, s_noise=0.0) if name == "2m sde" else ALL[name]  # a path itself has no slope

    def end(u: Tensor) -> Tensor:
        return sample(MIX, X, Level(1 - u, u), solver, NOISE, {}).sum()

    learned = values.clone().requires_grad_()
    end(learned).backward()
    assert learned.grad is not None
    for i in range(len(values)):
        nudge = torch.zeros(5, dtype=F64)
        nudge[i] = 1e-6
        slope = (end(values + nudge) - end(values - nudge)) / 2e-6
        assert learned.grad[i] == pytest.approx(slope.item(), rel=1e-5, abs=1e-6)


# -- the SDE ----------------------------------------------------------------------------------------------------------


SDE_GRIDS: dict[str, Callable[[int], Level]] = {
    "cosine": lambda n: uniform(Cosine(), n),
    "flow": lambda n: uniform(Flow(), n),
    "karras": lambda n: uniform(Karras(0.02, 30.0), n),
}


def marginal(level: Level) -> Tensor:
    """The variance of x at a level, (3,)."""
    return level.alpha.square() * VAR + level.sigma.square()


def variance(solver: Solver[Any], levels: Level) -> Tensor:
    """The variance at the end, (3,), without sampling: the solver is linear here, so row 0 is the start's share and row
    i + 1 that of step i's noise, each run alone.
    """
    grid, n, still = list(levels), len(levels) - 1, GaussianOracle(torch.zeros(3, dtype=F64), VAR)
    x, state = torch.zeros(n + 1, 3, dtype=F64), solver.init(X)
    x[0] = marginal(levels[0]).sqrt()
    for i, (cur, nxt) in enumerate(pairwise(grid)):
        impulse = torch.zeros_like(x)
        impulse[i + 1] = 1.0
        step = Step(i, i == n - 1, cur, nxt, lambda z=impulse: z, lambda a, b, z=impulse: z, n)
        x, state, _ = solver.step(lambda y, level: still(y, level), x, state, step)
    return x.square().sum(0)


@pytest.mark.parametrize("grid", SDE_GRIDS)
@pytest.mark.parametrize("name", SDE)
def test_sde_variance_converges_to_the_data_s(name: str, grid: str) -> None:
    grids = (SDE_GRIDS[grid](n) for n in (60, 240))
    coarse, fine = ((variance(SDE[name], g) / marginal(g[-1]) - 1).abs().max() for g in grids)
    assert fine < coarse / 3
    assert fine < 0.03


@pytest.mark.parametrize("name,grid", [("2m sde", "cosine"), ("2m sde half", "karras"), ("3m sde", "flow")])
def test_sde_moments(name: str, grid: str) -> None:
    """The sampled mean and variance are those of the scheme: its Brownian increments are normal and independent."""
    levels, noise, n = SDE_GRIDS[grid](25), Noise((1, 2), dtype=F64), 2000
    x = noise(0, (2, n // 2, 3)) * marginal(levels[0]).sqrt()
    end = sample(GaussianOracle(MEAN, VAR), x + levels[0].alpha * MEAN, levels, SDE[name], noise, {}).reshape(n, 3)
    expected = variance(SDE[name], levels)
    assert ((end.mean(0) - MEAN).abs() < 4 * (expected / n).sqrt()).all()
    assert ((end.var(0) / expected - 1).abs() < 4 * math.sqrt(2 / n)).all()


@pytest.mark.parametrize("name", ["2m sde", "3m sde"])
def test_more_steps_refine_the_same_sample(name: str) -> None:
    """The path of a seed is fixed, so pictures converge as steps double; with fresh noise they would not."""
    ends, noise = [], Noise((1,), dtype=F64)
    for n in (20, 40, 80):
        levels = uniform(Cosine(), n, 0.98, 0.02)
        ends.append(sample(GAUSS, noise(0, (1, 100, 3)), levels, SDE[name], noise, {}))
    gaps = [(b - a).square().mean().sqrt() for a, b in pairwise(ends)]
    assert gaps[1] < 0.75 * gaps[0]
    assert gaps[1] < 0.2 * VAR.mean().sqrt()


def test_s_noise_scales_the_noise_alone() -> None:
    levels = Level(torch.tensor([0.6, 0.8], dtype=F64), torch.tensor([0.8, 0.6], dtype=F64))
    none, half, full = (sample(GAUSS, X, levels, DPMpp2M(eta=1.0, s_noise=s), NOISE, {}) for s in (0.0, 0.5, 1.0))
    assert torch.allclose(half - none, (full - none) / 2)
    assert (full - none).abs().max() > 0.1


# -- parts and refusals -----------------------------------------------------------------------------------------------


def test_vandermonde_weights_integrate_powers() -> None:
    nodes, moments = [0.0, -0.7, 1.3, 2.0], [1.0, 0.3, -0.2, 5.0]
    weights = vandermonde(nodes, moments)
    for i, b in enumerate(moments):
        assert sum(w * r**i for w, r in zip(weights, nodes, strict=True)) == pytest.approx(b)


@pytest.mark.parametrize(
    "make,said",
    [
        (lambda: DPMpp2M("midpiont"), "did you mean midpoint"),
        (lambda: DPMpp3M("half"), "unknown third"),
        (lambda: DPMpp2M(eta=-1.0), "expected 0 or more"),
        (lambda: DPMpp2M(eta=math.inf), "and finite"),
        (lambda: DPMpp3M(eta=math.nan), "and finite"),
        (lambda: DPMpp3M(eta=1.0, s_noise=math.inf), "and finite"),
        (lambda: DPMpp2M(s_noise=0.5), "no effect with eta = 0"),
        (lambda: DPMpp2M(final="never"), "unknown final"),
        (lambda: UniPC(4), "1 to 3"),
        (lambda: UniPC(2, "bh3"), "did you mean"),
        (lambda: DEIS(0), "1 to 3"),
        (lambda: IPNDM(5), "1 to 4"),
        (lambda: IPNDM(2, "odd"), "unknown weights"),
    ],
)
def test_wrong_values_are_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


@pytest.mark.parametrize("name", ["2m", "3m", "unipc 2", "deis 2", "ipndm 4"])
@pytest.mark.parametrize("rows", [False, True])
def test_a_grid_from_data_to_noise_is_refused(name: str, rows: bool) -> None:
    levels = Level(torch.tensor([1.0, 0.5], dtype=F64), torch.tensor([0.0, 0.5], dtype=F64))
    if rows:
        levels = stacked(levels, levels, levels)
    with pytest.raises(UsageError, match="from noise to data"):
        sample(GAUSS, X, levels, ODE[name], NOISE, {})


def test_rising_noise_is_refused_by_the_sde() -> None:
    levels = Level(torch.tensor([0.8, 0.6], dtype=F64), torch.tensor([0.6, 0.8], dtype=F64))
    with pytest.raises(UsageError, match="rising"):
        sample(GAUSS, X, levels, DPMpp2M(eta=1.0), NOISE, {})


@pytest.mark.parametrize("name", ["2m", "3m", "unipc 2", "deis 2", "ipndm 4"])
def test_a_prescribed_eps_is_refused(name: str) -> None:
    def cfgpp(x: Tensor, level: Level, cond: object) -> Posterior:
        return Posterior(x, eps=x)

    with pytest.raises(UsageError, match="CFG"):
        sample(cfgpp, X, uniform(Flow(), 4), ODE[name], NOISE, {})
