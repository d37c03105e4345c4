"""DPM-Solver++, UniPC, DEIS and iPNDM give diffusers' trajectories: same network, same levels, same noise."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from diffusers import (
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    IPNDMScheduler,
    UniPCMultistepScheduler,
)
from networks import PREDICTION, RAW, agree, denoiser, v_network
from stepping import draw, stepped
from torch import Tensor

from mezzotint.diffusion.denoiser import Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.parametrisation import Indexed, V
from mezzotint.diffusion.schedule import TableSchedule
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.unipc import UniPC

STEPS = (10, 20, 50)
KINDS = ("eps", "v", "flow")
Config = dict[str, Any]


def scheduler_for(make: Callable[..., Any], kind: str, config: Config, extra: Config, steps: int) -> Any:
    """A diffusers scheduler with its timesteps, for a model that predicts eps, v or flow."""
    if kind == "flow":
        scheduler = make(prediction_type="flow_prediction", use_flow_sigmas=True, **extra)
    else:
        scheduler = make(prediction_type=PREDICTION[kind], **config, **extra)
    scheduler.set_timesteps(steps)
    return scheduler


def levels_of(scheduler: Any, kind: str) -> Level:
    """The levels a scheduler visits, carrying the indices it gives its network."""
    sigma = scheduler.sigmas.double()
    if kind == "flow":
        return Level(1 - sigma, sigma)
    alpha = 1 / (1 + sigma.square()).sqrt()
    return Level(alpha, alpha * sigma, torch.cat((scheduler.timesteps, torch.zeros(1))).double())


def theirs(scheduler: Any, kind: str, x: Tensor, noisy: bool) -> list[Tensor]:
    """The states after each of the scheduler's steps; a flow network is told its exact level, not the rounded one."""
    states = []
    for i, t in enumerate(scheduler.timesteps):
        index = 1000 * scheduler.sigmas[i].double() if kind == "flow" else t
        given = {"variance_noise": draw(i)} if noisy else {}
        x = scheduler.step(RAW[kind](x, index), t, x, return_dict=False, **given)[0]
        states.append(x)
    return states


def compare(
    make: Callable[..., Any], solver: Solver[Any], kind: str, steps: int, x: Tensor, table: TableSchedule,
    config: Config, noisy: bool = False, **extra: Any,
) -> None:  # fmt: skip
    scheduler = scheduler_for(make, kind, config, extra, steps)
    levels = levels_of(scheduler, kind)
    agree(stepped(denoiser(kind, table), x, levels, solver), theirs(scheduler, kind, x, noisy))


ODE: dict[str, tuple[Config, Solver[Any]]] = {
    "2m": ({}, DPMpp2M()),
    "2m heun": ({"solver_type": "heun"}, DPMpp2M("heun")),
    "2m karras": ({"use_karras_sigmas": True}, DPMpp2M()),
    "2m sigma_min": ({"final_sigmas_type": "sigma_min"}, DPMpp2M()),
    "2m sigma_min full": ({"final_sigmas_type": "sigma_min", "lower_order_final": False}, DPMpp2M(final="full")),
    "2m sigma_min euler": ({"final_sigmas_type": "sigma_min", "euler_at_final": True}, DPMpp2M(final="euler")),
    "3m": ({"solver_order": 3}, DPMpp3M()),
    "3m heun": ({"solver_order": 3, "solver_type": "heun"}, DPMpp3M(variant="heun")),
    "3m karras": ({"solver_order": 3, "use_karras_sigmas": True}, DPMpp3M()),
    "3m full": ({"solver_order": 3, "lower_order_final": False}, DPMpp3M(final="full")),
    "3m sigma_min euler": (
        {"solver_order": 3, "final_sigmas_type": "sigma_min", "euler_at_final": True},
        DPMpp3M(final="euler"),
    ),
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ODE)
def test_dpm(name: str, kind: str, steps: int, x: Tensor, table: TableSchedule, config: Config) -> None:
    extra, solver = ODE[name]
    if kind == "flow" and "karras" in name:
        extra = {**extra, "use_karras_sigmas": False, "flow_shift": 3.0}  # it knows no Karras grid of flow levels
    compare(DPMSolverMultistepScheduler, solver, kind, steps, x, table, config, **extra)


SDE: dict[str, tuple[Config, Solver[Any]]] = {
    "2m": ({}, DPMpp2M(eta=1.0)),
    "2m heun": ({"solver_type": "heun"}, DPMpp2M("heun", eta=1.0)),
    "2m karras": ({"use_karras_sigmas": True}, DPMpp2M(eta=1.0)),
    "2m sigma_min euler": ({"final_sigmas_type": "sigma_min", "euler_at_final": True}, DPMpp2M(eta=1.0, final="euler")),
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SDE)
def test_dpm_sde(name: str, kind: str, steps: int, x: Tensor, table: TableSchedule, config: Config) -> None:
    extra, solver = SDE[name]
    if kind == "flow" and "karras" in name:
        extra = {"flow_shift": 3.0}
    algorithm = {"algorithm_type": "sde-dpmsolver++"}
    compare(DPMSolverMultistepScheduler, solver, kind, steps, x, table, config, noisy=True, **algorithm, **extra)


# To sigma = 0 diffusers' bh1 gives NaN (an infinite B(h) times no correction), and so do flow levels that end twice at
# sigma_min where the order does not fall.
UNIPC: dict[str, tuple[Config, Solver[Any]]] = {
    "2 bh2": ({}, UniPC(2)),
    "2 bh1": ({"solver_type": "bh1", "final_sigmas_type": "sigma_min"}, UniPC(2, "bh1")),
    "3 bh2": ({"solver_order": 3}, UniPC(3)),
    "3 bh1": ({"solver_order": 3, "solver_type": "bh1", "final_sigmas_type": "sigma_min"}, UniPC(3, "bh1")),
    "1": ({"solver_order": 1}, UniPC(1)),
    "3 karras": ({"solver_order": 3, "use_karras_sigmas": True}, UniPC(3)),
    "3 full": (
        {"solver_order": 3, "lower_order_final": False, "final_sigmas_type": "sigma_min"},
        UniPC(3, final="full"),
    ),
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind,name", [p for p in product(KINDS, UNIPC) if p != ("flow", "3 full")])
def test_unipc(name: str, kind: str, steps: int, x: Tensor, table: TableSchedule, config: Config) -> None:
    extra, solver = UNIPC[name]
    compare(UniPCMultistepScheduler, solver, kind, steps, x, table, config, **extra)


def exact_deis(**config: Any) -> DEISMultistepScheduler:
    """The scheduler with its levels in float64: in float32 its third-order weights lose four digits to cancellation."""
    scheduler = DEISMultistepScheduler(**config)
    set_timesteps = scheduler.set_timesteps

    def doubled(steps: int) -> None:
        set_timesteps(steps)
        scheduler.sigmas = scheduler.sigmas.double()

    scheduler.set_timesteps = doubled
    return scheduler


TAB: dict[str, tuple[Config, Solver[Any]]] = {
    "1": ({"solver_order": 1}, DEIS(1)),
    "2": ({}, DEIS(2)),
    "3": ({"solver_order": 3}, DEIS(3)),
    "3 full": ({"solver_order": 3, "lower_order_final": False}, DEIS(3, final="full")),
    "2 karras": ({"use_karras_sigmas": True}, DEIS(2)),
}


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TAB)
def test_deis(name: str, kind: str, steps: int, x: Tensor, table: TableSchedule, config: Config) -> None:
    extra, solver = TAB[name]
    if kind == "flow" and "karras" in name:
        extra = {"flow_shift": 3.0}
    compare(exact_deis, solver, kind, steps, x, table, config, **extra)


@pytest.mark.parametrize("steps", STEPS)
def test_ipndm(steps: int, x: Tensor) -> None:
    """Its own levels, predicting v; at its first, alpha = 0, diffusers drops the answer, so both begin after it."""
    scheduler = IPNDMScheduler()
    scheduler.set_timesteps(steps)
    scheduler.set_begin_index(1)
    levels = Level(scheduler.alphas[1:].double(), scheduler.betas[1:].double(), 1000 * scheduler.betas[1:].double())
    model = Preconditioned(lambda y, index, cond: v_network(y, index), Indexed(V, lambda logsnr: logsnr))
    theirs, y = [], x
    for i, t in enumerate(scheduler.timesteps[1:]):
        y = scheduler.step(v_network(y, 1000 * scheduler.betas[1 + i].double()), t, y, return_dict=False)[0]
        theirs.append(y)
    agree(stepped(model, x, levels, IPNDM(4)), theirs)
