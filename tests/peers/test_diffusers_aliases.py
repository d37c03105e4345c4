"""A diffusers class name and its flags resolve to that scheduler's own levels, indices and trajectory."""

from __future__ import annotations

import math
from typing import Any

import diffusers
import pytest
import torch
from networks import PREDICTION, RAW, agree, denoiser, ours, theirs
from torch import Tensor

from mezzotint.diffusion.aliases import from_diffusers, resolve
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.schedule import Flow, Schedule, TableSchedule

SIGMA_FLAGS: list[dict[str, Any]] = [
    {},
    {"timestep_spacing": "leading", "steps_offset": 1},
    {"timestep_spacing": "trailing"},
    {"use_karras_sigmas": True},
    {"use_exponential_sigmas": True},
    {"use_beta_sigmas": True},
]
CASES: list[tuple[str, dict[str, Any]]] = [
    *(("EulerDiscreteScheduler", flags) for flags in SIGMA_FLAGS),
    ("EulerDiscreteScheduler", {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 9.0}),
    *(("EulerAncestralDiscreteScheduler", flags) for flags in SIGMA_FLAGS[:3]),
    *(("DPMSolverMultistepScheduler", flags) for flags in SIGMA_FLAGS),
    ("DPMSolverMultistepScheduler", {"use_lu_lambdas": True}),
    ("DPMSolverMultistepScheduler", {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}),
    *(("UniPCMultistepScheduler", flags) for flags in SIGMA_FLAGS),
    *(("DEISMultistepScheduler", flags) for flags in SIGMA_FLAGS),
]


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
@pytest.mark.parametrize(("name", "flags"), CASES, ids=str)
@pytest.mark.parametrize("n", [7])
def test_levels(name: str, flags: dict[str, Any], n: int, table: TableSchedule, config: dict[str, Any]) -> None:
    peer = getattr(diffusers, name)(**config, **flags)
    peer.set_timesteps(n)
    levels = resolve(name, flags).grid(table, n)
    assert levels.index is not None
    assert torch.allclose((levels.sigma / levels.alpha).float(), peer.sigmas, rtol=1e-4)
    gap = (levels.index[:-1] - peer.timesteps).abs()
    assert gap[1:].max() < 2e-3
    assert gap[0] < 2e-3 or (gap[0] == 1 and "Multistep" in name)  # cut to a whole number just below one


FLOWS: list[tuple[str, dict[str, Any]]] = [
    ("FlowMatchEulerDiscreteScheduler", {}),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, "use_karras_sigmas": True}),
    ("FlowMatchEulerDiscreteScheduler", {"use_beta_sigmas": True, "shift_terminal": 0.1}),
    ("FlowMatchHeunDiscreteScheduler", {"shift": 2.0}),
    ("DPMSolverMultistepScheduler", {"use_flow_sigmas": True, "flow_shift": 3.0}),
    ("UniPCMultistepScheduler", {"use_flow_sigmas": True, "flow_shift": 3.0}),
]


@pytest.mark.parametrize(("name", "flags"), FLOWS, ids=str)
@pytest.mark.parametrize("n", [7, 20])
def test_flow_levels(name: str, flags: dict[str, Any], n: int) -> None:
    peer = getattr(diffusers, name)(**flags)
    peer.set_timesteps(n)
    levels = resolve(name, flags).grid(Flow(), n)
    want = peer.sigmas if "Heun" not in name else torch.cat((peer.sigmas[:1], peer.sigmas[1::2]))
    assert torch.allclose(levels.sigma.float(), want, atol=2e-6)  # UniPC starts at 1 - 1e-6


def test_dynamic_shift() -> None:
    levels = resolve("FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True, "mu": 0.9}).grid(Flow(), 10)
    peer = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    peer.set_timesteps(sigmas=[1 - k / 10 for k in range(10)], mu=0.9)
    assert torch.allclose(levels.sigma.float(), peer.sigmas, atol=1e-6)
    assert float(levels.sigma[5]) == pytest.approx(math.exp(0.9) / (math.exp(0.9) + 1))


WALKS: list[tuple[str, str, dict[str, Any]]] = [
    ("DDIMScheduler", "eps", {"steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False}),
    ("DDIMScheduler", "v", {"timestep_spacing": "trailing", "clip_sample": False}),
    ("PNDMScheduler", "eps", {"skip_prk_steps": True, "steps_offset": 1}),
    ("PNDMScheduler", "v", {"skip_prk_steps": True}),
    ("EulerDiscreteScheduler", "v", {"use_karras_sigmas": True}),
    ("DPMSolverMultistepScheduler", "eps", {"use_karras_sigmas": True, "euler_at_final": True}),
    ("DPMSolverMultistepScheduler", "eps", {"solver_order": 3, "lower_order_final": False}),
    ("DPMSolverMultistepScheduler", "v", {"solver_order": 1}),
    ("DPMSolverMultistepScheduler", "v", {"solver_type": "heun", "timestep_spacing": "trailing"}),
    ("UniPCMultistepScheduler", "eps", {"solver_order": 3}),
    ("UniPCMultistepScheduler", "v", {"use_karras_sigmas": True, "timestep_spacing": "leading"}),
    ("DEISMultistepScheduler", "eps", {"solver_order": 3, "timestep_spacing": "trailing"}),
]


def same_scale(states: list[Tensor], levels: Level, name: str) -> list[Tensor]:
    """Our states as diffusers scales them: alpha = 1 for Euler, alpha^2 + sigma^2 = 1 for the others."""
    scale = levels.alpha if name.startswith("Euler") else levels.scale
    return [x / s for x, s in zip(states, scale[1:], strict=True)]


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
@pytest.mark.parametrize(("name", "kind", "flags"), WALKS, ids=str)
def test_a_model_folder_is_sampled_alike(
    name: str, kind: str, flags: dict[str, Any], table: TableSchedule, config: dict[str, Any], x: Tensor
) -> None:
    """The whole configuration file, with what describes the model in it, gives the scheduler's own trajectory."""
    peer = getattr(diffusers, name)(**config, prediction_type=PREDICTION[kind], **flags)
    peer.set_timesteps(20)
    choice = from_diffusers(dict(peer.config, _class_name=name))
    levels = choice.grid(table, 20)
    start = x if not name.startswith("Euler") else x * float(peer.init_noise_sigma)
    first = levels.alpha[0] if name.startswith("Euler") else levels.scale[0]
    states = ours(denoiser(kind, table), start * first, levels, choice.solver)
    want = theirs(peer, RAW[kind], start)
    agree(same_scale(states, levels, name), want[-20:])


@pytest.mark.parametrize("name", ["DDPMScheduler", "LCMScheduler", "UnCLIPScheduler", "HeunDiscreteScheduler"])
def test_every_class_reads_its_defaults(name: str, table: TableSchedule) -> None:
    schedule: Schedule = table
    peer = getattr(diffusers, name)()
    choice = from_diffusers(dict(peer.config, _class_name=name))
    assert len(choice.grid(schedule, 10)) == 11
