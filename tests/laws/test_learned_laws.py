"""Laws of learned solvers and grids, whatever their numbers are."""

from __future__ import annotations

import copy
import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from every_solver import F64, GAUSS, MIX, NOISE, SEEDS, cosine, first_state, flow, karras
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.sample import sample, trajectory
from mezzotint.diffusion.solver.dpm import DPMpp3M
from mezzotint.diffusion.solver.learned import Learned, backbone, shifted
from mezzotint.diffusion.spread import ending_in_data, moved, rectified
from mezzotint.errors import UsageError
from mezzotint.fewstep.parameters import Layout, differentiable, fixed

STEPS = 6
GRIDS = {
    "flow, all of it": flow(STEPS),
    "flow, above data": flow(STEPS, 1.0, 0.01),
    "variance preserving": cosine(STEPS, 0.98, 0.02),
    "karras": karras(STEPS),
}


def wild(n: int = STEPS, seed: int = 3) -> Learned:
    """A solver with numbers drawn at random."""
    theta = 0.3 * torch.randn(Layout(n).size, generator=torch.Generator().manual_seed(seed), dtype=F64)
    return fixed(theta, rectified(flow(n, 1.0, 0.01)))[0]


def ends(levels: Level, solver: Learned, x: Tensor | None = None, noise: Noise = NOISE) -> Tensor:
    return sample(MIX, first_state(levels, noise) if x is None else x, levels, solver, noise, {})


@pytest.mark.parametrize("grid", GRIDS)
def test_all_zero_is_dpm_solver_3m_as_published(grid: str) -> None:
    levels = GRIDS[grid]
    x = first_state(levels)
    want = sample(MIX, x, levels, DPMpp3M("published", final="full"), NOISE, {})
    torch.testing.assert_close(ends(levels, backbone(STEPS)), want, atol=1e-12, rtol=1e-12)


def test_steps_are_the_published_formula() -> None:
    """Written out from the paper at alpha = 1, in its own terms, with weights of answers in place of differences."""
    levels, solver = Level(*(getattr(karras(STEPS), k) for k in ("alpha", "sigma"))), wild()
    states = [first_state(levels), *(s.x for s in trajectory(MIX, first_state(levels), levels, solver, NOISE, {}))]
    lam = [-math.log(s) for s in levels.sigma.tolist()]
    v = [MIX(x, shifted(levels[j], solver.shifts[j]), {}).mean for j, x in enumerate(states[:-1])]
    for n in range(STEPS):
        h = lam[n + 1] - lam[n]
        phi1 = math.exp(-h) - 1
        phi2 = phi1 / h + 1
        phi3 = phi2 / h - 0.5
        want = levels.sigma[n + 1] / levels.sigma[n] * states[n] - phi1 * v[n]
        if n == 1:
            want = want - phi1 / 2 * (v[1] - v[0]) / ((lam[1] - lam[0]) / h)
        if n >= 2:
            r0, r1 = (lam[n] - lam[n - 1]) / h, (lam[n - 1] - lam[n - 2]) / h
            d10, d11 = (v[n] - v[n - 1]) / r0, (v[n - 1] - v[n - 2]) / r1
            want = want + phi2 * (d10 + r0 / (r0 + r1) * (d10 - d11)) - phi3 * (d10 - d11) / (r0 + r1)
        for j in range(n + 1):
            want = want + solver.answers[n][j] * v[j] + solver.states[n][j] * states[j] / levels[j].scale
        torch.testing.assert_close(states[n + 1], want, atol=1e-9, rtol=1e-9)


def test_all_zero_with_gradients_is_the_same_on_a_learned_grid() -> None:
    base = rectified(flow(STEPS, 1.0, 0.01))
    theta = torch.zeros(Layout(STEPS).size, dtype=F64, requires_grad=True)
    solver, levels = differentiable(theta, base)
    plain = ending_in_data(base)
    want = sample(MIX, first_state(plain), plain, DPMpp3M("published", final="full"), NOISE, {})
    torch.testing.assert_close(ends(levels, solver, first_state(plain)), want, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("grid", ["flow", "karras"])
def test_the_backbones_measured_order_is_the_declared_one(grid: str) -> None:
    made, errors = {"flow": lambda n: flow(n, 0.98, 0.02), "karras": lambda n: karras(n, 80.0, 0.02)}[grid], []
    for n in (100, 200):
        levels = made(n)
        x = first_state(levels)
        end = sample(GAUSS, x, levels, backbone(n), NOISE, {})
        errors.append((end - GAUSS.exact(x, levels[0], levels[-1])).abs().max())
    assert Learned.order - 0.3 < math.log2(errors[0] / errors[1]) < Learned.order + 0.7


@pytest.mark.parametrize("grid", GRIDS)
def test_finite_from_pure_noise_to_data(grid: str) -> None:
    for state in trajectory(MIX, first_state(GRIDS[grid]), GRIDS[grid], wild(), NOISE, {}):
        assert bool(state.x.isfinite().all() and state.x0.isfinite().all())


def test_the_scale_of_a_grid_changes_nothing() -> None:
    levels = GRIDS["flow, above data"]
    k = 2 + torch.sin(torch.arange(STEPS + 1, dtype=F64))
    scaled = Level(k * levels.alpha, k * levels.sigma)
    x = first_state(levels)
    want = k[-1] * ends(Level(levels.alpha, levels.sigma), wild(), x)
    torch.testing.assert_close(ends(scaled, wild(), k[0] * x), want, atol=1e-9, rtol=1e-9)


def test_interleaved_trajectories_are_each_their_own() -> None:
    levels, solver = GRIDS["flow, above data"], wild()
    noises = Noise((1,), dtype=F64), Noise((2,), dtype=F64)
    starts = [first_state(levels, noise) for noise in noises]
    walks = [trajectory(MIX, x, levels, solver, noise, {}) for x, noise in zip(starts, noises, strict=True)]
    for a, b in zip(*walks, strict=True):
        last = a.x, b.x
    for got, x, noise in zip(last, starts, noises, strict=True):
        assert torch.equal(got, ends(levels, solver, x, noise))


def test_rows_are_independent() -> None:
    levels, solver = GRIDS["karras"], wild()
    x = first_state(levels)
    batch = ends(levels, solver, x)
    mates = ends(levels, solver, torch.cat((x[:1], 30 * x[1:].flip(0))))
    assert torch.equal(mates[0], batch[0]) and not torch.equal(mates[1], batch[1])
    for i, seed in enumerate(SEEDS):
        alone = ends(levels, solver, x[i : i + 1], Noise((seed,), dtype=F64))
        torch.testing.assert_close(alone[0], batch[i], atol=1e-9, rtol=1e-9)


def test_levels_of_rows_are_levels_of_a_batch() -> None:
    levels = GRIDS["flow, above data"]
    rows = Level(*(v[:, None].expand(-1, 3) for v in (levels.alpha, levels.sigma)))
    x = first_state(levels)
    got = sample(MIX, x, rows, wild(), NOISE, {})
    torch.testing.assert_close(got, ends(Level(levels.alpha, levels.sigma), wild(), x), atol=1e-9, rtol=1e-9)


def test_a_step_is_a_pure_function_and_a_solver_is_frozen() -> None:
    from test_solver_laws import steps_of

    levels, solver = GRIDS["karras"], wild()
    x, state = first_state(levels), solver.init(first_state(levels))
    for step in steps_of(levels, shape=(3, 3)):
        kept = copy.deepcopy((x, state))
        first = solver.step(lambda y, level: MIX(y, level), x, state, step)
        again = solver.step(lambda y, level: MIX(y, level), *kept, step)
        assert torch.equal(first[0], again[0]) and torch.equal(x, kept[0])
        x, state = first[:2]
    with pytest.raises(FrozenInstanceError):
        solver.shifts = ()  # type: ignore[misc]
    assert solver == wild() and solver != wild(seed=4)


def test_every_number_of_a_solver_has_an_effect() -> None:
    base = rectified(flow(4, 0.99, 0.01))
    plain = ends(ending_in_data(base), backbone(4))
    for k in range(Layout(4).size):
        theta = torch.zeros(Layout(4).size, dtype=F64)
        theta[k] = 0.05
        solver, u = fixed(theta, base)
        assert not torch.equal(ends(ending_in_data(u), solver), plain), k


def test_the_gradient_is_the_finite_difference() -> None:
    base = rectified(flow(4, 1.0, 0.01))
    theta = 0.05 * torch.randn(Layout(4).size, generator=torch.Generator().manual_seed(1), dtype=F64)
    x = first_state(ending_in_data(base))

    def value(t: Tensor) -> Tensor:
        solver, levels = differentiable(t, base)
        return ends(levels, solver, x).square().sum()

    asked = theta.clone().requires_grad_()
    (found,) = torch.autograd.grad(value(asked), asked)
    for k in range(len(theta)):
        d = torch.zeros_like(theta)
        d[k] = 1e-5
        want = (value(theta + d) - value(theta - d)) / 2e-5
        assert found[k].item() == pytest.approx(want.item(), rel=1e-4, abs=1e-4), k


@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0])
def test_a_learned_grid_falls_whatever_its_logits(strength: float) -> None:
    base = rectified(karras(8))
    logits = strength * torch.tensor([1.0, -1, 1, -1, 0, 1, -1, 1], dtype=F64)
    u = moved(base, logits)
    assert u[0] == base[0] and u[-1] == base[-1] and bool((u[1:] <= u[:-1]).all())
    assert bool((u[1:] < u[:-1]).all()) or strength == 30
    if strength == 0:
        torch.testing.assert_close(u, base, atol=1e-14, rtol=0)


def test_levels_of_a_learned_grid_end_in_data() -> None:
    u = rectified(flow(5, 1.0, 0.01))
    levels = ending_in_data(u)
    assert levels.alpha[0] == 0 and levels.alpha[-1] == 1 and 0 < levels.sigma[-1] < 0.02
    torch.testing.assert_close(rectified(levels), u)


def test_a_shift_keeps_the_scale_and_moves_lambda() -> None:
    level = Level(torch.tensor(0.6, dtype=F64), torch.tensor(1.7, dtype=F64))
    there = shifted(level, 0.4)
    assert there.scale.item() == pytest.approx(level.scale.item())
    assert (there.logsnr - level.logsnr).item() == pytest.approx(0.8)
    noise = Level(torch.zeros((), dtype=F64), torch.ones((), dtype=F64))
    assert shifted(noise, 0.4) == noise and shifted(level, 0.0) is level


def test_other_numbers_of_steps_and_late_beginnings_are_refused() -> None:
    levels = GRIDS["karras"]
    with pytest.raises(UsageError, match="learned for 6 steps, the grid has 5"):
        ends(levels[1:], wild())
    walk = trajectory(MIX, first_state(levels), levels[2:], wild(), NOISE, {}, first=2)
    with pytest.raises(UsageError, match="cannot begin at step 2"):
        next(walk)
    with pytest.raises(UsageError, match="for each step"):
        Learned(((0.0,),), ((0.0, 0.0),), (0.0,))
