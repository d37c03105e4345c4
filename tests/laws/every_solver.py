"""The registry of solvers that the laws run over: one more solver is one more line here."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.oracle import GaussianOracle, MixtureOracle
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.churn import Churn
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.ddpm import DDPM
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.ipndm import IPNDM
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.pndm import PNDM
from mezzotint.diffusion.solver.unclip import UnCLIP
from mezzotint.diffusion.solver.unipc import UniPC

F64 = torch.float64
CHURN = Churn(amount=3.0, s_noise=1.0)

ODE: dict[str, Solver[Any]] = {
    "ddim": DDIM(),
    "euler": Euler(),
    "euler-ancestral eta 0": EulerAncestral(0.0),
    "heun": Heun(),
    "heun rectified": Heun("rectified"),
    "pndm": PNDM(),
    "pndm v": PNDM(of="v"),
    "pndm runge-kutta": PNDM("runge-kutta", "v"),
    "dpm++2m": DPMpp2M(),
    "dpm++2m heun": DPMpp2M("heun"),
    "dpm++3m": DPMpp3M(),
    "dpm++3m exact": DPMpp3M("exact"),
    "unipc": UniPC(),
    "unipc 3 bh1": UniPC(3, "bh1"),
    "deis": DEIS(),
    "deis 3": DEIS(3),
    "ipndm": IPNDM(),
    "ipndm exact": IPNDM(3, "exact"),
}
SDE: dict[str, Solver[Any]] = {
    "ddim eta 1": DDIM(1.0),
    "ddim eta 0.4": DDIM(0.4),
    "ddpm": DDPM(),
    "unclip": UnCLIP(),
    "euler churn": Euler(CHURN),
    "heun churn": Heun("rectified", CHURN),
    "euler-ancestral": EulerAncestral(),
    "euler-ancestral rectified": EulerAncestral(coordinate="rectified"),
    "dpm++2m sde": DPMpp2M(eta=1.0),
    "dpm++3m sde": DPMpp3M(eta=1.0),
}
OTHER: dict[str, Solver[Any]] = {"ddpm large": DDPM("fixed_large"), "lcm": LCM()}
"""Neither solves the ODE nor keeps the data's moments: an upper bound of the variance; a jump to x0 and back."""

ALL = {**ODE, **SDE, **OTHER}
NEEDS_ALPHA = {"heun", "pndm"}
"""Undefined at alpha = 0, and say so."""

TAKES_EPS = {"ddim", "ddim eta 1", "ddim eta 0.4", "euler", "euler churn"} | {n for n in ALL if "ancestral" in n}
"""Renoise with the denoiser's own eps (CFG++)."""

MEAN, VAR = torch.tensor([0.5, -1.0, 2.0], dtype=F64), torch.tensor([0.49, 0.1, 1.3], dtype=F64)
GAUSS = GaussianOracle(MEAN, VAR)
MIX = MixtureOracle(torch.tensor([0.3, 0.7], dtype=F64), torch.stack((MEAN, -MEAN)), VAR / 10)
SEEDS = (3, 4, 5)
NOISE = Noise(SEEDS, dtype=F64)


def with_index(levels: Level) -> Level:
    """A grid that carries an index, as consistency models need."""
    return Level(levels.alpha, levels.sigma, 1000 * levels.sigma / (levels.alpha + levels.sigma))


def flow(n: int, start: float = 1.0, stop: float = 0.0) -> Level:
    t = torch.linspace(start, stop, n + 1, dtype=F64)
    return with_index(Level(1 - t, t))


def cosine(n: int, start: float = 1.0, stop: float = 0.0) -> Level:
    t = torch.linspace(start, stop, n + 1, dtype=F64) * math.pi / 2
    alpha = torch.where(t >= math.pi / 2, 0.0, t.cos())
    return with_index(Level(alpha, t.sin()))


def karras(n: int, high: float = 80.0, low: float = 0.002) -> Level:
    ramp = torch.linspace(1, 0, n + 1, dtype=F64)
    sigma = (low ** (1 / 7) + ramp * (high ** (1 / 7) - low ** (1 / 7))) ** 7
    return with_index(Level(torch.ones_like(sigma), sigma))


def begin(name: str, n: int = 12, stop: float = 0.0) -> Level:
    """A flow grid from as far as the solver goes."""
    return flow(n, 0.98 if name in NEEDS_ALPHA else 1.0, stop)


def first_state(levels: Level, noise: Noise = NOISE, shape: tuple[int, ...] = (3,)) -> Tensor:
    return noise(0, (len(noise.seeds), *shape)) * levels[0].scale.item()
