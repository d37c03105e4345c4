"""The formulas of the guidance papers, against numpy and closed forms written here a second time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.guidance import (
    APG,
    CFGPlusPlus,
    ClassifierGuided,
    EstimateGuided,
    Guided,
    Inpainted,
    Reconstruction,
    Rescaled,
    Thresholded,
    together,
)
from mezzotint.diffusion.guidance.thresholded import quantile
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle
from mezzotint.diffusion.parametrisation import EPS, FLOW, X0, V
from mezzotint.diffusion.sample import sample, trajectory
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.errors import UsageError

F64 = torch.float64


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def one(a: float, s: float) -> Level:
    return Level(torch.tensor(a, dtype=F64), torch.tensor(s, dtype=F64))


X, C, U = rand(3, 2, 5, seed=1), rand(3, 2, 5, seed=2), 0.4 * rand(3, 2, 5, seed=3) + 0.2
A, S = 0.6, 0.8


def fixed(x: Tensor, level: Level, cond: Cond) -> Posterior:
    """Answers C when told "on", U when told "off"."""
    return Posterior(torch.where(cond["on"][:, None, None] > 0, C, U).to(x.dtype))


ON, OFF = {"on": torch.ones(3)}, {"on": torch.zeros(1)}


def guided(scale: float, rule) -> Tensor:
    return Guided(fixed, scale, OFF, rule)(X, one(A, S), ON).mean


# -- rescale ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("space", ["x0", "eps", "v", "flow"])
def test_rescale_equals_lin_2024(phi: float, space: str) -> None:
    x, c, u = X.numpy(), C.numpy(), U.numpy()
    to = {
        "x0": lambda m: m,
        "eps": lambda m: (x - A * m) / S,
        "v": lambda m: A * (x - A * m) / S - S * m,
        "flow": lambda m: (x - A * m) / S - m,
    }[space]
    back = {
        "x0": lambda f: f,
        "eps": lambda f: (x - S * f) / A,
        "v": lambda f: A * x - S * f,
        "flow": lambda f: (x - S * f) / (A + S),
    }[space]
    pos, neg = to(c), to(u)
    cfg = neg + 5.0 * (pos - neg)
    axes = (1, 2)
    factor = pos.std(axes, keepdims=True) / cfg.std(axes, keepdims=True)
    want = back(phi * cfg * factor + (1 - phi) * cfg)
    got = guided(5.0, Rescaled(phi, space={"x0": X0, "eps": EPS, "v": V, "flow": FLOW}[space]))
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-12)


def test_full_rescale_has_the_contrast_of_the_conditional_answer() -> None:
    torch.testing.assert_close(guided(9.0, Rescaled(1.0)).flatten(1).std(1), C.flatten(1).std(1))


def test_rescale_of_a_flat_answer_is_finite() -> None:
    def flat(x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Posterior(torch.zeros_like(x) + cond["on"].mean())

    got = Guided(flat, 3.0, OFF, Rescaled(1.0))(X, one(A, S), ON).mean
    torch.testing.assert_close(got, torch.full_like(X, 3.0))


# -- adaptive projected guidance --------------------------------------------------------------------------------------


def test_apg_equals_plain_guidance_when_nothing_is_projected_or_clipped() -> None:
    torch.testing.assert_close(guided(5.0, APG(eta=1.0)), U + 5 * (C - U))


@pytest.mark.parametrize("eta,norm", [(0.0, math.inf), (0.3, 1.2), (1.0, 0.5), (0.0, 100.0)])
def test_apg_equals_sadat_2024(eta: float, norm: float) -> None:
    got = guided(5.0, APG(eta, norm)).numpy()
    for i in range(3):
        c, d = C[i].numpy().ravel(), (C[i] - U[i]).numpy().ravel()
        d = d * min(1.0, norm / np.linalg.norm(d))
        unit = c / np.linalg.norm(c)
        parallel = np.dot(d, unit) * unit
        want = c + (5.0 - 1) * (d - parallel + eta * parallel)
        np.testing.assert_allclose(got[i].ravel(), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("eta,norm", [(0.0, 1e-3), (0.3, 1.2), (1.0, 0.5), (0.0, 100.0)])
def test_apg_equals_diffusers(eta: float, norm: float) -> None:
    from diffusers.guiders.adaptive_projected_guidance import normalized_guidance

    want = normalized_guidance(C, U, 5.0 - 1, eta=eta, norm_threshold=norm, use_original_formulation=True)
    torch.testing.assert_close(guided(5.0, APG(eta, norm)), want)


def test_apg_of_a_zero_answer_is_finite() -> None:
    def zero(x: Tensor, level: Level, cond: Cond) -> Posterior:
        return Posterior(torch.zeros_like(x))

    assert torch.equal(Guided(zero, 3.0, OFF, APG(0.0, 1.0))(X, one(A, S), ON).mean, torch.zeros_like(X))


# -- CFG++ ------------------------------------------------------------------------------------------------------------


def test_cfg_plus_plus_step_of_ddim() -> None:
    """x_s = alpha_s g + sigma_s (x - alpha u)/sigma, with g guided and u unconditional."""
    levels = Level(torch.tensor([A, 0.9], dtype=F64), torch.tensor([S, 0.3], dtype=F64))
    got = sample(CFGPlusPlus(Guided(fixed, 0.6, OFF)), X, levels, DDIM(), Noise((0, 1, 2)), ON)
    want = 0.9 * (U + 0.6 * (C - U)) + 0.3 * (X - A * U) / S
    torch.testing.assert_close(got, want)


# -- dynamic thresholding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.01, 0.5, 0.9, 0.995, 1.0])
def test_quantile_equals_numpy(p: float) -> None:
    x = rand(4, 3, 7, seed=5)
    want = np.quantile(np.abs(x.numpy()).reshape(4, -1), p, axis=1)
    np.testing.assert_allclose(quantile(x, p).numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("p,low,high", [(0.9, 1, math.inf), (0.5, 0.1, math.inf), (0.9, 1, 1.2), (0.9, 1, 1)])
def test_threshold_equals_imagen(p: float, low: float, high: float) -> None:
    got = Thresholded(lambda x, level, cond: Posterior(x), p, low, high)(2 * X, one(1, 0), {}).mean.numpy()
    for i in range(3):
        row = 2 * X[i].numpy()
        s = min(max(np.quantile(np.abs(row), p), low), high)
        np.testing.assert_allclose(got[i], np.clip(row, -s, s) / s * low, rtol=1e-12)
        assert np.abs(got[i]).max() <= low * (1 + 1e-12)


@pytest.mark.parametrize("bad", [(0.0, 1.0, 2.0), (1.5, 1.0, 2.0), (0.9, 0.0, 2.0), (0.9, 2.0, 1.0)])
def test_threshold_refuses_nonsense(bad: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError):
        Thresholded(fixed, *bad)


# -- known region -----------------------------------------------------------------------------------------------------

MASK = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0], dtype=F64)
GAUSS = GaussianOracle(torch.tensor(0.5, dtype=F64), torch.tensor(0.8, dtype=F64))


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("plus", [False, True])
def test_known_region_is_on_its_own_path_and_ends_exactly(eta: float, plus: bool) -> None:
    t = torch.linspace(1, 0, 9, dtype=F64)
    inner = CFGPlusPlus(Guided(fixed, 0.6, OFF)) if plus else GAUSS
    z = Noise((0, 1, 2), dtype=F64)(0, X.shape)
    states = list(trajectory(Inpainted(inner, C, MASK), z, Level(1 - t, t), DDIM(eta), Noise((0, 1, 2)), ON))
    known = MASK.bool()
    assert torch.equal(states[-1].x[..., known], C[..., known])
    assert not torch.isclose(states[-1].x[..., ~known], C[..., ~known]).any()
    if eta == 0:
        for s in states:
            want = s.level.alpha * C + s.level.sigma * z
            torch.testing.assert_close(s.x[..., known], want[..., known])


def test_mask_may_be_soft() -> None:
    got = Inpainted(GAUSS, C, torch.tensor(0.25, dtype=F64))(X, one(A, S), {}).mean
    torch.testing.assert_close(got, 0.25 * C + 0.75 * GAUSS(X, one(A, S)).mean)


# -- gradients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a,s", [(0.6, 0.8), (1.0, 3.0), (0.0, 1.0)])
def test_reconstruction_on_a_gaussian_in_closed_form(a: float, s: float) -> None:
    """x0 = g x + k with g = a v/(a^2 v + s^2), so the pull is w a g A^T (A x0 - y)."""
    y, w, v = rand(3, 2, 2, seed=9), 0.7, 0.8
    g = a * v / (a * a * v + s * s)
    x0 = 0.5 + g * (X - a * 0.5)
    error = torch.zeros_like(X)
    error[..., :2] = x0[..., :2] - y
    got = Reconstruction(GAUSS, lambda x: x[..., :2], y, w)(X, one(a, s), {}).mean
    torch.testing.assert_close(got, x0 - w * a * g * error)


def test_reconstruction_draws_the_observed_part_to_the_observation() -> None:
    t = torch.linspace(1, 0, 65, dtype=F64)
    noise = Noise(tuple(range(64)))
    z = noise(0, (64, 2)).double()
    y = torch.tensor([[1.7]], dtype=F64)
    free = sample(GAUSS, z, Level(1 - t, t), DDIM(), noise, {})
    held = sample(Reconstruction(GAUSS, lambda x: x[:, :1], y, 2.0), z, Level(1 - t, t), DDIM(), noise, {})
    assert (held[:, 0] - 1.7).abs().mean() < 0.35 * (free[:, 0] - 1.7).abs().mean()
    torch.testing.assert_close(held[:, 1], free[:, 1])


def test_gradients_flow_through_for_those_who_ask() -> None:
    x = X.clone().requires_grad_()
    d = Reconstruction(GAUSS, lambda x: x[..., :2], C[..., :2])
    (g,) = torch.autograd.grad(d(x, one(A, S), {}).mean.sum(), x)
    k = A * 0.8 / (A * A * 0.8 + S * S)
    want = torch.full_like(X, k)
    want[..., :2] -= A * k * k
    torch.testing.assert_close(g, want)


def test_classifier_scale_may_differ_by_row() -> None:
    def towards_one(x: Tensor, level: Level, cond: Cond) -> Tensor:
        return -(x - 1).square().flatten(1).sum(1) / 2

    got = ClassifierGuided(GAUSS, towards_one, torch.tensor([0.0, 1.0, 2.0]))(X, one(A, S), {}).mean
    for i, s in enumerate((0.0, 1.0, 2.0)):
        torch.testing.assert_close(got[i], GAUSS(X, one(A, S)).mean[i] + s * S * S / A * (1 - X[i]))


def test_estimate_guidance_reads_what_is_its_own_and_the_denoiser_the_rest() -> None:
    def alone(x: Tensor, level: Level, cond: Cond) -> Posterior:
        assert set(cond) == {"on"}
        return fixed(x, level, cond)

    def near(x0: Tensor, cond: Cond) -> Tensor:
        assert set(cond) == {"goal"}
        return -(x0 - cond["goal"][:, None, None]).square().flatten(1).sum(1) / 2

    goal = torch.tensor([1.0, -2.0, 0.5], dtype=F64)
    with torch.inference_mode():
        got = EstimateGuided(alone, near, ("goal",), 0.7)(X, one(A, S), {**ON, "goal": goal}).mean
    torch.testing.assert_close(got, C + 0.7 * S * S / (A * A + S * S) * (goal[:, None, None] - C))


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null", [{"on": torch.zeros(1, 2)}, {"off": torch.zeros(1)}])
def test_together_refuses_conditionings_of_different_shape(null: Cond) -> None:
    with pytest.raises(UsageError, match="cannot share a batch"):
        Guided(fixed, 2.0, null, ask=together)(X, one(A, S), ON)
