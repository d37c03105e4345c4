"""Toy networks with a raw time index, seen alike by our denoisers and by a peer's scheduler, and the loops that drive
each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond, Denoiser, Posterior, Preconditioned
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.parametrisation import EPS, FLOW, Indexed, Parametrisation, V
from mezzotint.diffusion.sample import FIRST_DRAW, trajectory
from mezzotint.diffusion.schedule import TableSchedule
from mezzotint.diffusion.solver.base import Solver

SHAPE = (2, 3, 4, 5)
SEEDS = (11, 12)
TOLERANCE = 1e-4

Raw = Callable[[Tensor, Tensor], Tensor]
"""(x (B, C, H, W), time index () or (B,), 0 … 1000) -> prediction, the shape of x."""


def _mixed(x: Tensor, t: Tensor) -> Tensor:
    """A bounded nonlinear function of neighbouring pixels, of other channels and of t."""
    return torch.tanh(x.roll(1, -1) - 0.7 * x.roll(1, 1) + 0.4 * x + torch.cos(3 * t))


def _time(index: Tensor, x: Tensor) -> Tensor:
    t = torch.as_tensor(index, dtype=x.dtype) / 1000
    return t.reshape(-1, *(1,) * (x.ndim - 1))


def eps_network(x: Tensor, index: Tensor) -> Tensor:
    """Roughly the noise in x: more of x the noisier it is."""
    t = _time(index, x)
    return (0.3 + 0.65 * t) * x + 0.15 * _mixed(x, t)


def v_network(x: Tensor, index: Tensor) -> Tensor:
    """Roughly v: x less its clean part."""
    t = _time(index, x)
    return (0.6 - t) * x * 0.5 + 0.3 * _mixed(x, t)


def flow_network(x: Tensor, index: Tensor) -> Tensor:
    """Roughly eps - x0."""
    t = _time(index, x)
    return (t - 0.3) * x + 0.3 * _mixed(x, t)


RAW: dict[str, Raw] = {"eps": eps_network, "v": v_network, "flow": flow_network}
PREDICTION = {"eps": "epsilon", "v": "v_prediction"}
"""What diffusers calls them."""


def denoiser(kind: str, table: TableSchedule | None = None) -> Denoiser:
    """Our denoiser around a toy network, fed the level's index or (flow) 1000 u."""
    if kind == "flow":
        return Preconditioned(lambda x, u, cond: flow_network(x, 1000 * u), FLOW)
    base: Parametrisation = {"eps": EPS, "v": V}[kind]
    assert table is not None
    return Preconditioned(lambda x, index, cond: RAW[kind](x, index), Indexed(base, table.index))


def learned_variance(x: Tensor, index: Tensor) -> Tensor:
    """A variance interpolation in [-1, 1], (B, C, H, W)."""
    return torch.sin(2 * x + _time(index, x))


@dataclass(frozen=True)
class WithVariance:
    """A denoiser whose network also interpolates the log-variance, as improved DDPM's and unCLIP's decoders do."""

    base: Denoiser
    table: TableSchedule

    def __call__(self, x: Tensor, level: Level, cond: Cond) -> Posterior:
        index = self.table.index(level.logsnr) if level.index is None else level.index
        unit = x / level.scale
        return Posterior(self.base(x, level, cond).mean, (learned_variance(unit, index) + 1) / 2)


def noise() -> Noise:
    return Noise(SEEDS, dtype=torch.float64)


def ours(model: Denoiser, x: Tensor, levels: Level, solver: Solver[Any]) -> list[Tensor]:
    """The states after each of our steps."""
    return [s.x for s in trajectory(model, x, levels, solver, noise(), {})]


def theirs(scheduler: Any, network: Raw, x: Tensor, **step: Any) -> list[Tensor]:
    """The states after each call of a diffusers scheduler that has its timesteps."""
    states = []
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(network(seen, t), t, x, return_dict=False, **step)[0]
        states.append(x)
    return states


def replay(monkeypatch: Any, module: Any) -> None:
    """Makes a diffusers scheduler's k-th draw our k-th step's noise."""
    calls = iter(range(10**6))

    def given(shape: Any, *args: Any, **kwargs: Any) -> Tensor:
        return noise()(FIRST_DRAW + next(calls), tuple(shape))

    monkeypatch.setattr(module, "randn_tensor", given)


def distance(a: list[Tensor], b: list[Tensor]) -> float:
    """The largest difference over a trajectory, relative to the largest entry of each state."""
    assert len(a) == len(b)
    return max(((p - q).abs().max() / q.abs().max()).item() for p, q in zip(a, b, strict=True))


def agree(solver_states: list[Tensor], peer_states: list[Tensor]) -> None:
    """Fails unless two trajectories agree to TOLERANCE at every step, on numbers that are finite and not trivial."""
    assert all(p.isfinite().all() for p in peer_states)
    assert (peer_states[-1] - peer_states[0]).abs().max() > 0.1
    assert distance(solver_states, peer_states) <= TOLERANCE
