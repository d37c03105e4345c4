"""Tables and grids equal those diffusers publishes."""

from __future__ import annotations

import math
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from mezzotint.diffusion import grid
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import (
    Flow,
    TableSchedule,
    cosine_table,
    linear,
    mu_shift,
    scaled_linear,
    zero_terminal_snr,
)

LATENT = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
STEPS = (1, 7, 10, 20, 30, 50)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (linear(), {}),
        (scaled_linear(), LATENT),
        (cosine_table(), {"beta_schedule": "squaredcos_cap_v2"}),
        (zero_terminal_snr(linear()), {"rescale_betas_zero_snr": True}),
        (zero_terminal_snr(scaled_linear()), {**LATENT, "rescale_betas_zero_snr": True}),
    ],
    ids=["linear", "scaled-linear", "cosine", "linear-zero-snr", "scaled-linear-zero-snr"],
)
def test_published_tables(ours: TableSchedule, theirs: dict[str, Any]) -> None:
    peer = diffusers.DDPMScheduler(**theirs)
    assert (ours.alpha_bar - peer.alphas_cumprod).abs().max() < 1e-6
    whole = ours.at(torch.arange(1000))
    assert (whole.alpha - peer.alphas_cumprod.sqrt()).abs().max() < 1e-6
    assert (whole.sigma - (1 - peer.alphas_cumprod).sqrt()).abs().max() < 4e-6  # 1 - abar loses digits in their float32


def test_terminal_of_sigma_space() -> None:
    peer = diffusers.EulerDiscreteScheduler(**LATENT, rescale_betas_zero_snr=True)
    level = zero_terminal_snr(scaled_linear(), terminal=2**-24).at(torch.tensor(999))
    assert float(level.sigma / level.alpha) == pytest.approx(float(peer.sigmas[0]), rel=1e-5)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", STEPS)
def test_rounded_indices(table: TableSchedule, config: dict[str, Any], spacing: str, n: int) -> None:
    peer = diffusers.DDPMScheduler(**config, timestep_spacing=spacing)
    peer.set_timesteps(n)
    if n == 1 and spacing == "linspace":
        peer.timesteps = torch.tensor([999])  # numpy's linspace(0, 999, 1) is 0: one step from almost clean data
    levels = getattr(grid, spacing)(table, n)
    assert levels.index is not None
    assert levels.index[:-1].tolist() == peer.timesteps.tolist()


def test_leading_offset(table: TableSchedule, config: dict[str, Any]) -> None:
    peer = diffusers.DDIMScheduler(**config, steps_offset=1)
    peer.set_timesteps(20)
    levels = grid.leading(table, 20, offset=1, last="sigma_min")
    assert levels.index is not None
    assert levels.index[:-1].tolist() == peer.timesteps.tolist()
    assert float(levels.alpha[-1]) == pytest.approx(float(peer.alphas_cumprod[0].sqrt()), abs=1e-6)


def in_sigma_space(table: TableSchedule, spacing: str, n: int) -> Level:
    """What diffusers' Euler and Heun schedulers start their sigmas from."""
    if spacing == "linspace":
        return grid.linspace(table, n, between="linear")
    return grid.leading(table, n, 1) if spacing == "leading" else grid.trailing(table, n)


@pytest.mark.parametrize("ramp", ["none", "karras", "exponential", "beta"])
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", [7, 10, 20, 50])
def test_sigma_grids(table: TableSchedule, config: dict[str, Any], spacing: str, ramp: str, n: int) -> None:
    flag = {} if ramp == "none" else {f"use_{ramp}_sigmas": True}
    peer = diffusers.EulerDiscreteScheduler(**config, timestep_spacing=spacing, steps_offset=1, **flag)
    peer.set_timesteps(n)
    levels = in_sigma_space(table, spacing, n)
    if ramp != "none":
        low, high = grid.noise_range(levels)
        levels = grid.indexed(getattr(grid, ramp)(n, low, high), table)
    assert levels.index is not None
    assert torch.allclose((levels.sigma / levels.alpha).float(), peer.sigmas, rtol=1e-4)  # theirs rounds 1 - abar_0
    assert torch.allclose(levels.index[:-1].float(), peer.timesteps.float(), atol=2e-3)


def test_final_sigma_min(table: TableSchedule, config: dict[str, Any]) -> None:
    peer = diffusers.EulerDiscreteScheduler(**config, timestep_spacing="trailing", final_sigmas_type="sigma_min")
    peer.set_timesteps(10)
    levels = grid.trailing(table, 10, last="sigma_min")
    assert torch.allclose((levels.sigma / levels.alpha).float(), peer.sigmas, rtol=1e-4)


@pytest.mark.parametrize("n", [2, 10, 25, 50])
def test_unclip_grid(n: int) -> None:
    peer = diffusers.UnCLIPScheduler()
    peer.set_timesteps(n)
    levels = grid.linspace(cosine_table(), n)
    assert levels.index is not None
    assert levels.index[:-1].tolist() == peer.timesteps.tolist()


@pytest.mark.parametrize("n", [1, 2, 4, 8, 20, 50])
def test_lcm_grid(table: TableSchedule, n: int) -> None:
    peer = diffusers.LCMScheduler()
    peer.set_timesteps(n)
    levels = grid.lcm(table, n)
    assert levels.index is not None
    assert levels.index[:-1].tolist() == peer.timesteps.tolist()


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("n", [1, 10, 20, 50])
def test_flow_grid_of_stable_diffusion_3(shift: float, n: int) -> None:
    """A static shift acts twice on the last level above 0, a documented value of ``u_min`` here."""
    peer = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    peer.set_timesteps(n)
    u_min = float(Flow(shift).level(torch.tensor(1 / 1000)).sigma)
    assert torch.allclose(grid.flow(n, shift, u_min).sigma.float(), peer.sigmas, atol=1e-6)


@pytest.mark.parametrize("terminal", [None, 0.1])
def test_flow_grid_with_dynamic_shift(terminal: float | None) -> None:
    peer = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=terminal)
    shift = mu_shift(1024)
    peer.set_timesteps(20, mu=math.log(shift), sigmas=list(np.linspace(1, 1 / 20, 20)))
    assert torch.allclose(grid.flow(20, shift, terminal=terminal).sigma.float(), peer.sigmas, atol=1e-6)


@pytest.mark.parametrize("ramp", ["karras", "exponential", "beta"])
def test_flow_grids_over_u(ramp: str) -> None:
    peer = diffusers.FlowMatchEulerDiscreteScheduler(**{f"use_{ramp}_sigmas": True})
    peer.set_timesteps(20)
    levels = getattr(grid, ramp)(20, 1 / 1000, 1.0, coordinate="rectified")
    assert torch.allclose(levels.sigma.float(), peer.sigmas, atol=1e-6)
    assert torch.equal(levels.alpha, 1 - levels.sigma)
