"""Every solver by its short name: a reader of its options."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

from mezzotint.diffusion.levels import Coordinate
from mezzotint.diffusion.options import Options
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.churn import NO_CHURN, Churn
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.ddpm import DDPM, Variance
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M, Third, Variant
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.inversion import DDIMInversion
from mezzotint.diffusion.solver.ipndm import IPNDM, Weights
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.multistep import Final
from mezzotint.diffusion.solver.pndm import PNDM, Extrapolated, Start
from mezzotint.diffusion.solver.unclip import UnCLIP
from mezzotint.diffusion.solver.unipc import Basis, UniPC

COORDINATES: tuple[Coordinate, ...] = get_args(Coordinate)
VARIANCES: tuple[Variance, ...] = get_args(Variance)
VARIANTS: tuple[Variant, ...] = get_args(Variant)
FINALS: tuple[Final, ...] = get_args(Final)
BASES: tuple[Basis, ...] = get_args(Basis)
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
STARTS: tuple[Start, ...] = get_args(Start)
EXTRAPOLATED: tuple[Extrapolated, ...] = get_args(Extrapolated)


def _churn(o: Options) -> Churn:
    amount = o.number("s_churn", 0.0)
    if amount == 0:
        return NO_CHURN
    return Churn(amount, o.number("s_min", 0.0), o.number("s_max", math.inf), o.number("s_noise", 1.0))


def _s_noise(o: Options, eta: float) -> float:
    return o.number("s_noise", 1.0) if eta else 1.0


def _ancestral(o: Options) -> Solver[Any]:
    eta = o.number("eta", 1.0)
    return EulerAncestral(eta, _s_noise(o, eta), o.choice("coordinate", "ratio", COORDINATES))


def _dpm_2m(o: Options, eta: float) -> Solver[Any]:
    variant, final = o.choice("variant", "midpoint", VARIANTS), o.choice("final", "short", FINALS)
    return DPMpp2M(variant, eta, _s_noise(o, eta), final)


def _dpm_3m(o: Options, eta: float, third: Third) -> Solver[Any]:
    variant, final = o.choice("variant", "midpoint", VARIANTS), o.choice("final", "short", FINALS)
    return DPMpp3M(third, variant, eta, _s_noise(o, eta), final)


def _unipc(o: Options) -> Solver[Any]:
    basis, final = o.choice("basis", "bh2", BASES), o.choice("final", "lower", FINALS)
    return UniPC(o.integer("order", 2), basis, final)


def _ipndm(o: Options) -> Solver[Any]:
    weights, final = o.choice("weights", "even", WEIGHTS), o.choice("final", "full", FINALS)
    return IPNDM(o.integer("order", 4), weights, final)


def _lcm(o: Options) -> Solver[Any]:
    data = o.number("sigma_data", 0.5)
    return LCM(o.number("timestep_scaling", 10.0) if data else 10.0, data)


SOLVERS: dict[str, Callable[[Options], Solver[Any]]] = {
    "ddim": lambda o: DDIM(o.number("eta", 0.0)),
    "ddim-inversion": lambda o: DDIMInversion(o.integer("iterations", 1)),
    "ddpm": lambda o: DDPM(o.choice("variance", "fixed_small", VARIANCES)),
    "deis": lambda o: DEIS(o.integer("order", 2), o.choice("final", "short", FINALS)),
    "dpmpp-2m": lambda o: _dpm_2m(o, 0.0),
    "dpmpp-2m-sde": lambda o: _dpm_2m(o, o.number("eta", 1.0)),
    "dpmpp-3m": lambda o: _dpm_3m(o, 0.0, "published"),
    "dpmpp-3m-exact": lambda o: _dpm_3m(o, 0.0, "exact"),
    "dpmpp-3m-sde": lambda o: _dpm_3m(o, o.number("eta", 1.0), "published"),
    "euler": lambda o: Euler(_churn(o)),
    "euler-ancestral": _ancestral,
    "heun": lambda o: Heun(o.choice("coordinate", "ratio", COORDINATES), _churn(o)),
    "ipndm": _ipndm,
    "lcm": _lcm,
    "pndm": lambda o: PNDM(o.choice("start", "heun", STARTS), o.choice("of", "eps", EXTRAPOLATED)),
    "unclip": lambda o: UnCLIP(),
    "unipc": _unipc,
}
