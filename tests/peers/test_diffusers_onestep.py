"""Trajectories equal those of diffusers' schedulers, given the same network, the same start and the same noise."""

from __future__ import annotations

import math
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import (
    scheduling_ddim,
    scheduling_ddpm,
    scheduling_euler_ancestral_discrete,
    scheduling_lcm,
    scheduling_ltx_euler_ancestral_rf,
    scheduling_unclip,
)
from networks import (
    PREDICTION,
    RAW,
    WithVariance,
    agree,
    denoiser,
    flow_network,
    learned_variance,
    ours,
    replay,
    theirs,
)
from torch import Tensor

from mezzotint.diffusion import grid
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import Flow, TableSchedule, cosine_table, zero_terminal_snr
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.ddpm import DDPM
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.inversion import DDIMInversion
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.pndm import PNDM
from mezzotint.diffusion.solver.unclip import UnCLIP

steps = pytest.mark.parametrize("n", [10, 20, 50])
kinds = pytest.mark.parametrize("kind", ["eps", "v"])


def settings(config: dict[str, Any], kind: str, **more: Any) -> dict[str, Any]:
    return {**config, "prediction_type": PREDICTION[kind], **more}


# -- variance preserving, rounded indices -----------------------------------------------------------------------------


@steps
@kinds
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
def test_ddpm(
    n: int,
    kind: str,
    spacing: str,
    variance: str,
    table: TableSchedule,
    config: dict[str, Any],
    x: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replay(monkeypatch, scheduling_ddpm)
    peer = diffusers.DDPMScheduler(
        **settings(config, kind), clip_sample=False, variance_type=variance, timestep_spacing=spacing
    )
    peer.set_timesteps(n)
    states = ours(denoiser(kind, table), x, getattr(grid, spacing)(table, n), DDPM(variance))
    want = theirs(peer, RAW[kind], x)
    if variance == "fixed_large" and spacing == "trailing":
        states, want = states[:-1], want[:-1]  # theirs adds noise of variance beta to the last picture, where sigma = 0
    agree(states, want)


@steps
def test_ddpm_with_learned_variance(
    n: int, table: TableSchedule, config: dict[str, Any], x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay(monkeypatch, scheduling_ddpm)
    peer = diffusers.DDPMScheduler(**settings(config, "eps"), clip_sample=False, variance_type="learned_range")
    peer.set_timesteps(n)
    model = WithVariance(denoiser("eps", table), table)
    agree(ours(model, x, grid.leading(table, n), DDPM("learned")), theirs(peer, both_outputs, x))


def both_outputs(x: Tensor, index: Tensor) -> Tensor:
    return torch.cat((RAW["eps"](x, index), learned_variance(x, index)), 1)


@steps
@kinds
@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(("spacing", "offset", "last"), [("leading", 1, "sigma_min"), ("trailing", 0, "zero")])
def test_ddim(
    n: int,
    kind: str,
    eta: float,
    spacing: str,
    offset: int,
    last: grid.Last,
    table: TableSchedule,
    config: dict[str, Any],
    x: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With linspace diffusers steps to t - T//N and goes on as if at the next index: not a trajectory, so not a
    grid.
    """
    replay(monkeypatch, scheduling_ddim)
    peer = diffusers.DDIMScheduler(
        **settings(config, kind),
        clip_sample=False,
        set_alpha_to_one=last == "zero",
        steps_offset=offset,
        timestep_spacing=spacing,
    )
    peer.set_timesteps(n)
    levels = grid.leading(table, n, offset, last) if spacing == "leading" else grid.trailing(table, n, last)
    agree(ours(denoiser(kind, table), x, levels, DDIM(eta)), theirs(peer, RAW[kind], x, eta=eta))


@steps
def test_ddim_from_zero_terminal_snr(n: int, table: TableSchedule, config: dict[str, Any], x: Tensor) -> None:
    peer = diffusers.DDIMScheduler(
        **settings(config, "v"), clip_sample=False, timestep_spacing="trailing", rescale_betas_zero_snr=True
    )
    peer.set_timesteps(n)
    stretched = zero_terminal_snr(table)
    levels = grid.trailing(stretched, n)
    assert levels.alpha[0] == 0
    agree(ours(denoiser("v", stretched), x, levels, DDIM()), theirs(peer, RAW["v"], x))


@steps
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_ddim_inversion(n: int, spacing: str, table: TableSchedule, config: dict[str, Any], x: Tensor) -> None:
    """Theirs lists each level's target and starts from abar = 1 one gap below the first."""
    peer = diffusers.DDIMInverseScheduler(**settings(config, "eps"), clip_sample=False, timestep_spacing=spacing)
    peer.set_timesteps(n)
    levels = grid.rising(getattr(grid, spacing)(table, n))
    agree(ours(denoiser("eps", table), x, levels, DDIMInversion()), theirs(peer, RAW["eps"], x))


@steps
@kinds
@pytest.mark.parametrize("start", ["heun", "runge-kutta"])
def test_pndm(n: int, kind: str, start: str, table: TableSchedule, config: dict[str, Any], x: Tensor) -> None:
    peer = diffusers.PNDMScheduler(**settings(config, kind), skip_prk_steps=start == "heun", steps_offset=1)
    peer.set_timesteps(n)
    levels = grid.leading(table, n, 1, "sigma_min")
    want = theirs(peer, RAW[kind], x)
    want = want[1:] if start == "heun" else [*want[3:12:4], *want[12:]]  # states between stages are no step's
    agree(ours(denoiser(kind, table), x, levels, PNDM(start, kind, middle=table)), want)


@steps
@kinds
def test_lcm(
    n: int, kind: str, table: TableSchedule, config: dict[str, Any], x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay(monkeypatch, scheduling_lcm)
    peer = diffusers.LCMScheduler(**settings(config, kind))
    peer.set_timesteps(n)
    agree(ours(denoiser(kind, table), x, grid.lcm(table, n), LCM()), theirs(peer, RAW[kind], x))


@steps
@pytest.mark.parametrize("learned", [True, False])
def test_unclip(n: int, learned: bool, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Theirs with its table in double precision: its last step scales by beta_0/(1 - abar_0), 1.0005 in float32 and 1
    in truth.
    """
    replay(monkeypatch, scheduling_unclip)
    table = cosine_table()
    kind = "learned_range" if learned else "fixed_small_log"
    peer = diffusers.UnCLIPScheduler(variance_type=kind, clip_sample=False)
    peer.betas = torch.tensor(table.betas, dtype=torch.float64)
    peer.alphas = 1 - peer.betas
    peer.alphas_cumprod = peer.alphas.cumprod(0)
    peer.set_timesteps(n)
    base = denoiser("eps", table)
    states = ours(WithVariance(base, table) if learned else base, x, grid.linspace(table, n), UnCLIP())
    want, y = [], x
    for t, after in zip(peer.timesteps, [*peer.timesteps[1:], None], strict=True):
        out = (both_outputs if learned else RAW["eps"])(y, t)
        y = peer.step(out, t, y, prev_timestep=after, return_dict=False)[0]
        want.append(y)
    agree(states, want)


# -- sigma space ------------------------------------------------------------------------------------------------------


def sigma_grid(table: TableSchedule, spacing: str, ramp: str, n: int) -> Level:
    """diffusers' sigmas: a spacing over the table, or a ramp between that spacing's ends, with alpha = 1."""
    levels = {
        "linspace": lambda: grid.linspace(table, n, between="linear"),
        "leading": lambda: grid.leading(table, n, 1),
        "trailing": lambda: grid.trailing(table, n),
    }[spacing]()
    if ramp != "none":
        levels = grid.indexed(getattr(grid, ramp)(n, *grid.noise_range(levels)), table)
    return grid.variance_exploding(levels)


def sigma_settings(config: dict[str, Any], kind: str, spacing: str, ramp: str) -> dict[str, Any]:
    flag = {} if ramp == "none" else {f"use_{ramp}_sigmas": True}
    return settings(config, kind, timestep_spacing=spacing, steps_offset=1, **flag)


grids = pytest.mark.parametrize(
    ("spacing", "ramp"),
    [(s, "none") for s in ("linspace", "leading", "trailing")]
    + [("linspace", r) for r in ("karras", "exponential", "beta")],
)


@steps
@kinds
@grids
def test_euler(
    n: int, kind: str, spacing: str, ramp: str, table: TableSchedule, config: dict[str, Any], x: Tensor
) -> None:
    peer = diffusers.EulerDiscreteScheduler(**sigma_settings(config, kind, spacing, ramp))
    peer.set_timesteps(n)
    y = x * float(peer.init_noise_sigma)
    agree(ours(denoiser(kind, table), y, sigma_grid(table, spacing, ramp, n), Euler()), theirs(peer, RAW[kind], y))


@steps
@kinds
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_euler_ancestral(
    n: int,
    kind: str,
    spacing: str,
    table: TableSchedule,
    config: dict[str, Any],
    x: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replay(monkeypatch, scheduling_euler_ancestral_discrete)
    peer = diffusers.EulerAncestralDiscreteScheduler(**sigma_settings(config, kind, spacing, "none"))
    peer.set_timesteps(n)
    y = x * float(peer.init_noise_sigma)
    states = ours(denoiser(kind, table), y, sigma_grid(table, spacing, "none", n), EulerAncestral())
    agree(states, theirs(peer, RAW[kind], y))


@steps
@kinds
@grids
def test_heun(
    n: int, kind: str, spacing: str, ramp: str, table: TableSchedule, config: dict[str, Any], x: Tensor
) -> None:
    peer = diffusers.HeunDiscreteScheduler(**sigma_settings(config, kind, spacing, ramp))
    peer.set_timesteps(n)
    y = x * float(peer.init_noise_sigma)
    want = theirs(peer, RAW[kind], y)
    assert len(want) == 2 * n - 1
    states = ours(denoiser(kind, table), y, sigma_grid(table, spacing, ramp, n), Heun())
    agree(states, [*want[1::2], want[-1]])


@pytest.mark.parametrize("solver", [Euler(), EulerAncestral(), Heun()])
def test_the_pictures_do_not_depend_on_the_scale_of_the_grid(solver: Any, table: TableSchedule, x: Tensor) -> None:
    """The variance-preserving grid gives what diffusers' sigma-space grid gives, so aliases may use either."""
    levels = grid.trailing(table, 20)
    exploding = grid.variance_exploding(levels)
    a = ours(denoiser("eps", table), x, levels, solver)
    b = ours(denoiser("eps", table), x / levels.alpha[0], exploding, solver)
    agree([p / s for p, s in zip(a, levels.alpha[1:], strict=True)], b)


# -- rectified flow ---------------------------------------------------------------------------------------------------


def flow_scheduler(name: str, n: int, shift: float, ramp: str) -> tuple[Any, Level]:
    flag = {} if ramp == "none" else {f"use_{ramp}_sigmas": True}
    peer = getattr(diffusers, name)(shift=shift, **flag)
    peer.set_timesteps(n)
    u_min = float(Flow(shift).level(torch.tensor(1 / 1000)).sigma)
    levels = grid.flow(n, shift, u_min)
    if ramp != "none":
        levels = getattr(grid, ramp)(n, float(levels.sigma[-2]), 1.0, coordinate="rectified")
    return peer, levels


@steps
@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("ramp", ["none", "karras", "exponential", "beta"])
def test_flow_euler(n: int, shift: float, ramp: str, x: Tensor) -> None:
    peer, levels = flow_scheduler("FlowMatchEulerDiscreteScheduler", n, shift, ramp)
    agree(ours(denoiser("flow"), x, levels, Euler()), theirs(peer, flow_network, x))


@steps
def test_flow_euler_with_dynamic_shift(n: int, x: Tensor) -> None:
    peer = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    peer.set_timesteps(n, mu=0.9, sigmas=list(np.linspace(1, 1 / n, n)))
    agree(ours(denoiser("flow"), x, grid.flow(n, math.exp(0.9)), Euler()), theirs(peer, flow_network, x))


@steps
def test_flow_heun(n: int, x: Tensor) -> None:
    peer, levels = flow_scheduler("FlowMatchHeunDiscreteScheduler", n, 3.0, "none")
    want = theirs(peer, flow_network, x)
    agree(ours(denoiser("flow"), x, levels, Heun("rectified")), [*want[1::2], want[-1]])


@steps
@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_flow_euler_ancestral(n: int, eta: float, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    replay(monkeypatch, scheduling_ltx_euler_ancestral_rf)
    peer = diffusers.LTXEulerAncestralRFScheduler(eta=eta)
    levels = grid.uniform(Flow(2.0), n)
    peer.set_timesteps(sigmas=levels.sigma.tolist())
    peer.timesteps = peer.timesteps[:-1]
    agree(ours(denoiser("flow"), x, levels, EulerAncestral(eta, coordinate="rectified")), theirs(peer, flow_network, x))
