"""Our solvers give k-diffusion's pictures: the same network, levels and noise, the states compared."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import k_diffusion_wheel
import pytest
import torch
from networks import agree, denoiser
from stepping import draw, stepped
from torch import Tensor

from mezzotint.diffusion.grid import karras
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import TableSchedule
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.ipndm import IPNDM

SIGMA_MIN, SIGMA_MAX = 0.03, 14.6


@pytest.fixture(scope="module")
def kd() -> ModuleType:
    if not k_diffusion_wheel.WHEEL.exists() and "CI" not in os.environ:
        pytest.skip("k-diffusion's wheel is not here; python tests/peers/k_diffusion_wheel.py fetches it")
    return k_diffusion_wheel.load()


def theirs(kd: ModuleType, sampler: str, model: Any, x: Tensor, levels: Level, options: dict[str, Any]) -> list[Tensor]:
    """The states after each step of one of k-diffusion's samplers, noise given where it takes any."""
    states: list[Tensor] = []
    drawn = iter(range(10**6))
    given = {"noise_sampler": lambda a, b: draw(next(drawn))} if sampler.endswith(("ancestral", "sde")) else {}

    def seen(y: Tensor, sigma: Tensor) -> Tensor:
        return model(y, Level(torch.ones_like(sigma), sigma), {}).mean

    end = getattr(kd, f"sample_{sampler}")(
        seen, x, levels.sigma, disable=True, callback=lambda info: states.append(info["x"]), **given, **options
    )
    return [*states[1:], end]


SAMPLERS: dict[str, tuple[str, dict[str, Any], Solver[Any]]] = {
    "euler": ("euler", {}, Euler()),
    "euler ancestral": ("euler_ancestral", {}, EulerAncestral()),
    "euler ancestral, half": ("euler_ancestral", {"eta": 0.5, "s_noise": 0.9}, EulerAncestral(0.5, 0.9)),
    "heun": ("heun", {}, Heun()),
    "2m": ("dpmpp_2m", {}, DPMpp2M(final="full")),
    "2m sde": ("dpmpp_2m_sde", {}, DPMpp2M(eta=1.0, final="full")),
    "2m sde, heun": ("dpmpp_2m_sde", {"solver_type": "heun"}, DPMpp2M("heun", eta=1.0, final="full")),
    "2m sde, half": ("dpmpp_2m_sde", {"eta": 0.5, "s_noise": 0.9}, DPMpp2M(eta=0.5, s_noise=0.9, final="full")),
    "2m sde, none": ("dpmpp_2m_sde", {"eta": 0.0}, DPMpp2M(final="full")),
    "3m sde": ("dpmpp_3m_sde", {}, DPMpp3M(variant="heun", eta=1.0, final="full")),
    "3m sde, half": (
        "dpmpp_3m_sde",
        {"eta": 0.5, "s_noise": 0.9},
        DPMpp3M(variant="heun", eta=0.5, s_noise=0.9, final="full"),
    ),
    "3m sde, none": ("dpmpp_3m_sde", {"eta": 0.0}, DPMpp3M(variant="heun", final="full")),
    "lms": ("lms", {}, IPNDM(4, "exact")),
    "lms 2": ("lms", {"order": 2}, IPNDM(2, "exact")),
}


@pytest.mark.parametrize("steps", [10, 20, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["eps", "v", "flow"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_trajectory(name: str, kind: str, steps: int, kd: ModuleType, table: TableSchedule, x: Tensor) -> None:
    sampler, options, solver = SAMPLERS[name]
    model = denoiser(kind, table)
    levels = karras(steps, SIGMA_MIN, SIGMA_MAX)
    x = x * SIGMA_MAX
    agree(stepped(model, x, levels, solver), theirs(kd, sampler, model, x, levels, options))


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_karras_grid(steps: int, kd: ModuleType) -> None:
    ours, peer = karras(steps, SIGMA_MIN, SIGMA_MAX).sigma, kd.get_sigmas_karras(steps, SIGMA_MIN, SIGMA_MAX)
    assert torch.allclose(ours.float(), peer, rtol=1e-5)
