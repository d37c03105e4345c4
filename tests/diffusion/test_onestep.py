"""What is particular to the one-step solvers, beside the laws every solver keeps."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from mezzotint.diffusion import grid
from mezzotint.diffusion.denoiser import Cond, Posterior, Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.parametrisation import EPS
from mezzotint.diffusion.sample import FIRST_DRAW, sample, start, trajectory
from mezzotint.diffusion.schedule import Cosine, Flow, linear, scaled_linear
from mezzotint.diffusion.solver.churn import MAX_GAMMA, Churn
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.ddpm import DDPM
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.inversion import DDIMInversion
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.pndm import PNDM
from mezzotint.diffusion.solver.unclip import UnCLIP
from mezzotint.errors import UsageError

F64 = torch.float64
NOISE = Noise((5, 6), dtype=F64)
GAUSS = GaussianOracle(torch.tensor([0.5, -1.0, 2.0], dtype=F64), torch.tensor([0.49, 0.1, 1.3], dtype=F64))
EDM_GRID = grid.karras(18, 0.002, 80.0)


def ours(solver, levels: Level, denoiser=GAUSS, x: Tensor | None = None) -> Tensor:
    return sample(denoiser, start(NOISE, (3,), levels) if x is None else x, levels, solver, NOISE, {})


def algorithm_2(levels: Level, churn: float, band: tuple[float, float], s_noise: float, corrected: bool) -> Tensor:
    """Karras et al., 2022, alg. 2, as printed: alpha = 1, D from the oracle."""
    t = levels.sigma.tolist()
    n = len(t) - 1
    x = start(NOISE, (3,), levels)

    def d(y: Tensor, sigma: float) -> Tensor:
        one = torch.ones((), dtype=F64)
        return (y - GAUSS(y, Level(one, one * sigma)).mean) / sigma

    for i in range(n):
        gamma = min(churn / n, math.sqrt(2) - 1) if band[0] <= t[i] <= band[1] else 0.0
        hat = t[i] + gamma * t[i]
        x_hat = x + math.sqrt(hat**2 - t[i] ** 2) * s_noise * NOISE(FIRST_DRAW + i, (2, 3))
        slope = d(x_hat, hat)
        x = x_hat + (t[i + 1] - hat) * slope
        if t[i + 1] != 0 and corrected:
            x = x_hat + (t[i + 1] - hat) * (slope + d(x, t[i + 1])) / 2
    return x


@pytest.mark.parametrize("churn", [0.0, 5.0, 40.0])
@pytest.mark.parametrize("band", [(0.0, math.inf), (0.05, 50.0)])
def test_churned_heun_and_euler_are_edms_algorithm_2(churn: float, band: tuple[float, float]) -> None:
    settings = Churn(churn, *band, s_noise=1.003)
    for solver, corrected in ((Heun(churn=settings), True), (Euler(settings), False)):
        want = algorithm_2(EDM_GRID, churn, band, 1.003, corrected)
        torch.testing.assert_close(ours(solver, EDM_GRID), want, atol=1e-9, rtol=1e-9)


def test_churn_does_not_depend_on_the_scale_of_the_grid() -> None:
    settings = Churn(20.0, 0.05, 50.0, 1.01)
    preserving = grid.variance_preserving(EDM_GRID)
    x = start(NOISE, (3,), EDM_GRID)
    a = ours(Heun(churn=settings), EDM_GRID, x=x)
    b = ours(Heun(churn=settings), preserving, x=x * preserving.alpha[0])
    torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def test_churn_works_from_alpha_zero() -> None:
    levels = grid.uniform(Flow(), 20)
    out = ours(Heun("rectified", Churn(20.0)), levels)
    assert bool(out.isfinite().all())
    assert not torch.allclose(out, ours(Heun("rectified"), levels))


def test_a_churned_level_loses_its_index() -> None:
    seen: list[Level] = []

    def spy(x: Tensor, level: Level, cond: Cond) -> Posterior:
        seen.append(level)
        return GAUSS(x, level)

    ours(Euler(Churn(100.0, s_max=5.0)), grid.trailing(scaled_linear(), 4), spy)
    assert seen[0].index is not None
    assert seen[-1].index is None
    sigma = grid.trailing(scaled_linear(), 4).sigma[3]
    assert float(seen[-1].sigma) == pytest.approx(float(sigma) * (1 + MAX_GAMMA))


# -- DDPM -------------------------------------------------------------------------------------------------------------


def with_variance(fraction: float):
    def denoise(x: Tensor, level: Level, cond: Cond) -> Posterior:
        mean = GAUSS(x, level).mean
        return Posterior(mean, torch.full_like(mean, fraction))

    return denoise


@pytest.mark.parametrize("n", [1000, 40])
def test_the_reverse_variance_is_the_published_one(n: int) -> None:
    """beta and beta-tilde from the products alone, Ho et al., 2020, eq. 7; in one step from the same x."""
    table = linear()
    levels = grid.linspace(table, n)[5:7] if n == 40 else grid.linspace(table, n)[500:502]
    assert levels.index is not None
    t, s = (table.alpha_bar[int(i)] for i in levels.index)
    beta = 1 - t / s
    tilde = (1 - s) / (1 - t) * beta
    x = start(NOISE, (3,), levels)
    z = NOISE(FIRST_DRAW, (2, 3))
    x0 = GAUSS(x, levels[0]).mean
    mean = s.sqrt() * beta / (1 - t) * x0 + (t / s).sqrt() * (1 - s) / (1 - t) * x
    for solver, variance, denoiser in (
        (DDPM(), tilde, GAUSS),
        (DDPM("fixed_large"), beta, GAUSS),
        (DDPM("learned"), tilde, with_variance(0.0)),
        (DDPM("learned"), beta, with_variance(1.0)),
        (DDPM("learned"), (tilde * beta).sqrt(), with_variance(0.5)),
        (UnCLIP(), (tilde * beta).sqrt(), with_variance(0.5)),
        (UnCLIP(), tilde, GAUSS),
    ):
        want = mean + variance.sqrt() * z
        torch.testing.assert_close(ours(solver, levels, denoiser, x), want, atol=1e-10, rtol=1e-8)


def test_fixed_small_is_ddim_with_eta_1() -> None:
    levels = grid.trailing(scaled_linear(), 20)
    torch.testing.assert_close(ours(DDPM(), levels), ours(DDIM(1.0), levels))


def test_a_learned_variance_needs_a_network_that_learns_it() -> None:
    with pytest.raises(UsageError, match="does not learn its variance"):
        ours(DDPM("learned"), grid.trailing(scaled_linear(), 4))


# -- Euler ancestral --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_in_sigma_it_is_k_diffusions_formula(eta: float) -> None:
    """sigma_up = min(s', eta sqrt(s'^2 (s^2 - s'^2) / s^2)), sigma_down = sqrt(s'^2 - sigma_up^2), on alpha = 1."""
    x, sigma = start(NOISE, (3,), EDM_GRID), EDM_GRID.sigma.tolist()
    for i, level in enumerate(list(EDM_GRID)[:-1]):
        a, b = sigma[i], sigma[i + 1]
        up = min(b, eta * math.sqrt(b * b * (a * a - b * b) / (a * a)))
        down = math.sqrt(b * b - up * up)
        slope = (x - GAUSS(x, level).mean) / a
        x = x + slope * (down - a) + up * NOISE(FIRST_DRAW + i, (2, 3))
    torch.testing.assert_close(ours(EulerAncestral(eta), EDM_GRID), x, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EulerAncestral(-1),
        lambda: EulerAncestral(1.2, coordinate="rectified"),
        *(lambda eta=eta: DDIM(eta) for eta in (-1.0, 1.01, math.inf, math.nan)),
    ],
)
def test_eta_out_of_range(make) -> None:
    with pytest.raises(UsageError, match="eta is"):
        make()


# -- starting from pure noise -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [Heun(), PNDM(), PNDM("runge-kutta")])
def test_those_that_cannot_start_at_alpha_zero_say_so(solver) -> None:
    with pytest.raises(UsageError, match="cannot start at alpha = 0") as caught:
        ours(solver, grid.uniform(Flow(), 8))
    assert "\n" not in str(caught.value)


def test_lcm_needs_an_index_unless_it_does_not_scale() -> None:
    levels = grid.karras(4, 1.0, 14.0)
    with pytest.raises(UsageError, match="carries none"):
        ours(LCM(), levels)
    assert bool(ours(LCM(sigma_data=0.0), levels).isfinite().all())
    indexed = grid.indexed(levels, scaled_linear())
    torch.testing.assert_close(ours(LCM(), indexed), ours(LCM(sigma_data=0.0), indexed), atol=1e-4, rtol=0)


# -- inversion --------------------------------------------------------------------------------------------------------

PICTURES = torch.tensor([[0.2, -1.1, 2.5], [1.3, -0.8, 0.4]], dtype=F64)


def there_and_back(n: int, inversion: DDIMInversion) -> tuple[Tensor, Tensor]:
    down = grid.trailing(scaled_linear(), n)
    noise = ours(inversion, grid.rising(down), x=PICTURES)
    return noise, ours(DDIM(), down, x=noise)


def test_inversion_and_ddim_meet_as_steps_grow() -> None:
    errors = [float((there_and_back(n, DDIMInversion())[1] - PICTURES).abs().max()) for n in (50, 100, 200, 400)]
    assert errors[-1] < 0.02
    for coarse, fine in pairwise(errors):
        assert 1.6 < coarse / fine < 2.4  # first order


def test_inverted_noise_is_the_odes() -> None:
    noise, _ = there_and_back(800, DDIMInversion())
    down = grid.trailing(scaled_linear(), 800)
    want = GAUSS.exact(PICTURES, down[-1], down[0])
    torch.testing.assert_close(noise, want, atol=0.01, rtol=0)


@pytest.mark.parametrize("n", [10, 20])
def test_iterated_inversion_is_exact_at_any_number_of_steps(n: int) -> None:
    loose = (there_and_back(n, DDIMInversion())[1] - PICTURES).abs().max()
    tight = (there_and_back(n, DDIMInversion(40))[1] - PICTURES).abs().max()
    assert tight < 1e-8 < loose


def test_inversion_asks_the_network_about_the_next_level() -> None:
    """As usually run: the network sees the state it has and the index it goes to, and sigma = 0 is a fine start."""
    table, seen = scaled_linear(), []

    def network(x: Tensor, logsnr: Tensor, cond: Cond) -> Tensor:
        seen.append((x.clone(), float(logsnr[0])))
        return 0.1 * x

    up = grid.rising(grid.trailing(table, 4))
    states = list(trajectory(Preconditioned(network, EPS), PICTURES, up, DDIMInversion(), NOISE, {}))
    torch.testing.assert_close(seen[0][0], PICTURES)
    torch.testing.assert_close(seen[1][0], states[0].x)
    assert [s for _, s in seen] == pytest.approx(up.logsnr[1:].tolist())


def test_inversion_refuses_a_falling_grid() -> None:
    with pytest.raises(UsageError, match="rises"):
        ours(DDIMInversion(), grid.trailing(scaled_linear(), 4))
    with pytest.raises(UsageError, match="iterations"):
        DDIMInversion(0)


# -- PNDM -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start_with", "most"), [("heun", 11), ("runge-kutta", 10 + 3 * 3)])
def test_pndm_calls(start_with, most: int) -> None:
    calls = []

    def counting(x: Tensor, level: Level, cond: Cond) -> Posterior:
        calls.append(level)
        return GAUSS(x, level)

    ours(PNDM(start_with), grid.trailing(scaled_linear(), 10), counting)
    assert len(calls) == most


def test_pndm_halves_in_the_schedule_it_is_given() -> None:
    seen = []

    def spy(x: Tensor, level: Level, cond: Cond) -> Posterior:
        seen.append(level)
        return GAUSS(x, level)

    table = scaled_linear()
    ours(PNDM("runge-kutta", middle=table), grid.trailing(table, 10), spy)
    assert [round(float(level.index)) for level in seen[:5]] == [999, 949, 949, 899, 899]
    seen.clear()
    levels = grid.uniform(Cosine(), 10, 0.9, 0.1)
    ours(PNDM("runge-kutta"), levels, spy)
    half = Cosine().level(torch.tensor(0.86, dtype=F64))
    assert float(seen[1].logsnr) == pytest.approx(float(half.logsnr))
