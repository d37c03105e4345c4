"""diffusers' scheduler classes and their flags, as solvers and grids.

Only what concerns sampling is read here: the noise table, prediction type and clipping belong to the model.  What
diffusers does beside its documentation is written down where it is reproduced; four things are not.  Three no grid can
hold: DDIM and PNDM with "linspace" step to an index they do not start the next step from (here they start from it),
DDPM's fixed_large adds noise to the finished picture where the last index is above 0, and Euler's churn disturbs x
after the network has seen it.  And DEIS with ``use_flow_sigmas`` never leaves its last sigma, so that its pictures keep
that much noise; here the last step ends clean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import torch

from mezzotint.diffusion import grid
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.options import Options
from mezzotint.diffusion.placement import GRIDS, Grid, Ramp, fed, table_of, turned
from mezzotint.diffusion.schedule import Flow, Schedule, TableSchedule, from_alpha_bar
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.ddim import DDIM
from mezzotint.diffusion.solver.deis import DEIS
from mezzotint.diffusion.solver.dpm import DPMpp2M, DPMpp3M
from mezzotint.diffusion.solver.euler import Euler, EulerAncestral
from mezzotint.diffusion.solver.heun import Heun
from mezzotint.diffusion.solver.inversion import DDIMInversion
from mezzotint.diffusion.solver.lcm import LCM
from mezzotint.diffusion.solver.multistep import Final
from mezzotint.diffusion.solver.named import BASES, SOLVERS, VARIANTS
from mezzotint.diffusion.solver.pndm import PNDM
from mezzotint.diffusion.solver.unclip import UnCLIP
from mezzotint.diffusion.solver.unipc import UniPC
from mezzotint.errors import UsageError

Spacing = Literal["linspace", "leading", "trailing"]
SPACINGS: tuple[Spacing, ...] = get_args(Spacing)
RAMPS: dict[str, Ramp] = {
    "karras": grid.karras,
    "exponential": grid.exponential,
    "beta": grid.beta,
    "lu": grid.exponential,  # evenly spaced lambda is evenly spaced ln sigma
}
ROUNDED: dict[str, grid.Rounding] = {"karras": "nearest", "lu": "nearest", "exponential": "down", "beta": "down"}
"""What multistep schedulers feed the network: rounded for two ramps, cut to a whole number for the others.

Where that number is whole but for their float32, theirs may be 1 lower: 998 for the noisiest entry of Stable
Diffusion's table.
"""

NEARLY = 2.0**-24
"""Of alpha^2 in the last entry of a table with zero terminal SNR, in Euler's, DPM-Solver's and UniPC's classes."""


@dataclass(frozen=True)
class Read:
    """What a class and its flags come to, with our names of both."""

    solver: Solver[Any]
    grid: Grid
    solver_name: str
    grid_name: str


def _ramp(o: Options, names: tuple[str, ...]) -> str | None:
    """Which of the ``use_…`` flags is set; UsageError for two."""
    flags = {"lu": "use_lu_lambdas"}
    on = [name for name in names if o.flag(flags.get(name, f"use_{name}_sigmas"), False)]
    if len(on) > 1:
        raise UsageError(f"sigmas of {' and '.join(on)} were both asked for; choose one")
    return on[0] if on else None


def _spacing(o: Options, default: Spacing) -> tuple[Spacing, int]:
    spacing = o.choice("timestep_spacing", default, SPACINGS)
    return spacing, o.integer("steps_offset", 0) if spacing == "leading" else 0


def _final(o: Options) -> grid.Last:
    return "sigma_min" if o.choice("final_sigmas_type", "zero", ("zero", "sigma_min")) == "sigma_min" else "zero"


# -- grids ------------------------------------------------------------------------------------------------------------


def spaced(
    schedule: Schedule, n: int, *, spacing: Spacing, offset: int, last: grid.Last, between: grid.Between = "nearest"
) -> Level:
    """Indices of the table by one of the three spacings; ``between`` is linspace's."""
    table = table_of(schedule, spacing)
    if spacing == "leading":
        return grid.leading(table, n, offset, last)
    return grid.trailing(table, n, last) if spacing == "trailing" else grid.linspace(table, n, last, between)


def ramped(
    schedule: Schedule,
    n: int,
    *,
    base: Grid,
    ramp: str,
    sigma_min: float | None,
    sigma_max: float | None,
    last: grid.Last,
) -> Level:
    """Euler's and Heun's sigmas: a ramp between the ends of the spacing ``base``, at fractional indices."""
    levels = base(schedule, n)
    low, high = grid.noise_range(levels[:-1])
    low, high = low if sigma_min is None else sigma_min, high if sigma_max is None else sigma_max
    end = float(levels.sigma[-1] / levels.alpha[-1]) if last == "sigma_min" else 0.0
    return fed(schedule, RAMPS[ramp](n, low, high, last=end, coordinate="ratio"), "none")


def multistep(schedule: Schedule, n: int, *, spacing: Spacing, offset: int, last: grid.Last) -> Level:
    """DPM-Solver's, UniPC's and DEIS's indices: linspace and leading place N+1 and leave the cleanest out."""
    extra = 0 if spacing == "trailing" else 1
    levels = spaced(schedule, n + extra, spacing=spacing, offset=offset, last=last)
    return grid.without_cleanest(levels) if extra else levels


def multistep_ramped(schedule: Schedule, n: int, *, ramp: str, last: grid.Last) -> Level:
    """The same schedulers' sigmas: a ramp over the whole table, at whole indices."""
    table = table_of(schedule, ramp)
    low, high = grid.noise_range(table.at(torch.tensor([0.0, len(table) - 1], dtype=torch.float64)))
    levels = RAMPS[ramp](n, low, high, last=low if last == "sigma_min" else 0.0, coordinate="ratio")
    return grid.indexed(levels, table, ROUNDED[ramp])


def short_of_noise(schedule: Schedule, n: int, *, base: Grid) -> Level:
    """A grid on a table whose last entry is not alpha = 0 but ``NEARLY``, as the classes have it that count in
    sigma/alpha: 4096, not infinity."""
    return base(_ended(schedule), n)


def _ended(schedule: Schedule) -> Schedule:
    """The table that ends at ``NEARLY`` in place of alpha = 0; where that is not below the entry before, as it is."""
    if not isinstance(schedule, TableSchedule) or schedule.alpha_bar[-1] > 0 or schedule.alpha_bar[-2] <= NEARLY:
        return schedule
    return from_alpha_bar([*schedule.alpha_bar[:-1].tolist(), NEARLY])


def flow_ramped(
    schedule: Schedule, n: int, *, shift: float, u_min: float | None, terminal: float | None, ramp: str
) -> Level:
    """FlowMatchEuler's sigmas: a ramp in u between the ends of the shifted grid."""
    u = grid.flow(n, shift, u_min, terminal=terminal).sigma
    return RAMPS[ramp](n, float(u[-2]), float(u[0]), last=0.0, coordinate="rectified")


def flow_plain(schedule: Schedule, n: int, *, shift: float, u_min: float | None, terminal: float | None) -> Level:
    """FlowMatchEuler's sigmas without a ramp."""
    return grid.flow(n, shift, u_min, terminal=terminal)


def flow_multistep(schedule: Schedule, n: int, *, shift: float, top: float, low: float) -> Level:
    """``use_flow_sigmas``: u evenly spaced from ``top`` down to ``low`` in N steps, the last left out, then shifted.

    The network is told 1000 u cut to a whole number, and of u = 1 what is just below.
    """
    levels = grid.flow(n, shift, u_min=top - (top - low) * (n - 1) / n, u_max=top)
    return Level(levels.alpha, levels.sigma, (levels.sigma.clamp(max=1 - 1e-6) * 1000).floor())


def _flow(o: Options) -> tuple[Grid, str]:
    """The grid of the FlowMatch classes: a static shift, which acts twice on the last u, or a dynamic one by ``mu``."""
    terminal = o.optional("shift_terminal")
    if o.flag("use_dynamic_shifting", False):
        mu = o.number("mu", 0.0)
        exponential = o.choice("time_shift_type", "exponential", ("exponential", "linear")) == "exponential"
        shift, u_min = math.exp(mu) if exponential else mu, None
    else:
        shift = o.number("shift", 1.0)
        u_min = float(Flow(shift).level(torch.tensor(1 / 1000, dtype=torch.float64)).sigma)
    ramp = _ramp(o, ("karras", "exponential", "beta"))
    if ramp is None:
        return partial(flow_plain, shift=shift, u_min=u_min, terminal=terminal), "flow"
    return partial(flow_ramped, shift=shift, u_min=u_min, terminal=terminal, ramp=ramp), ramp


def _sigmas(o: Options) -> tuple[Grid, str]:
    """The grid of EulerDiscrete and HeunDiscrete."""
    (spacing, offset), last = _spacing(o, "linspace"), _final(o)
    base = partial(spaced, spacing=spacing, offset=offset, last=last, between="linear")
    ramp = _ramp(o, ("karras", "exponential", "beta"))
    if ramp is None:
        return base, spacing
    low, high = o.optional("sigma_min"), o.optional("sigma_max")
    return partial(ramped, base=base, ramp=ramp, sigma_min=low, sigma_max=high, last=last), ramp


def _multistep(o: Options, last: grid.Last, flow_top: float) -> tuple[Grid, str]:
    """The grid of the multistep classes; flow_top: where ``use_flow_sigmas`` starts."""
    if o.flag("use_flow_sigmas", False):
        low = 1 / 1000 if flow_top == 1 else 0.0
        return partial(flow_multistep, shift=o.number("flow_shift", 1.0), top=flow_top, low=low), "flow"
    ramp = _ramp(o, ("karras", "exponential", "beta", "lu"))
    if ramp is not None:
        return partial(multistep_ramped, ramp=ramp, last=last), "exponential" if ramp == "lu" else ramp
    spacing, offset = _spacing(o, "linspace")
    return partial(multistep, spacing=spacing, offset=offset, last=last), spacing


def _whole(o: Options, to_one: bool, default: Spacing = "leading") -> tuple[Grid, str]:
    """The grid of DDPM, DDIM and PNDM; to_one: the default of ``set_alpha_to_one``, whether the last alpha is 1."""
    last: grid.Last = "zero" if o.flag("set_alpha_to_one", to_one) else "sigma_min"
    spacing, offset = _spacing(o, default)
    return partial(spaced, spacing=spacing, offset=offset, last=last), spacing


# -- classes ----------------------------------------------------------------------------------------------------------


def _ddpm(o: Options) -> Read:
    kind = o.choice("variance_type", "fixed_small", ("fixed_small", "fixed_large", "fixed_small_log", "learned_range"))
    spacing, offset = _spacing(o, "leading")
    variance = {"learned_range": "learned", "fixed_small_log": "fixed_small"}.get(kind, kind)
    place = partial(spaced, spacing=spacing, offset=offset, last="zero")
    return Read(SOLVERS["ddpm"](Options({"variance": variance})), place, "ddpm", spacing)


def _ddim(o: Options) -> Read:
    return Read(DDIM(o.number("eta", 0.0)), *_named(_whole(o, True), "ddim"))


def _ddim_inverse(o: Options) -> Read:
    place, name = _whole(o, True)
    return Read(DDIMInversion(), partial(turned, base=place), "ddim-inversion", name)


def _named(placed: tuple[Grid, str], solver: str) -> tuple[Grid, str, str]:
    return placed[0], solver, placed[1]


def _short(placed: tuple[Grid, str]) -> tuple[Grid, str]:
    """The same placement on a table that ends short of alpha = 0."""
    return partial(short_of_noise, base=placed[0]), placed[1]


def _pndm(o: Options) -> Read:
    """Its Runge-Kutta start halves an index; here it halves the angle atan(sigma/alpha): the table is not known yet."""
    of: Literal["eps", "v"] = "v" if o.word("prediction_type", "epsilon") == "v_prediction" else "eps"
    start: Literal["heun", "runge-kutta"] = "heun" if o.flag("skip_prk_steps", False) else "runge-kutta"
    return Read(PNDM(start, of), *_named(_whole(o, False), "pndm"))


def _euler(o: Options) -> Read:
    return Read(Euler(), *_named(_short(_sigmas(o)), "euler"))


def _euler_ancestral(o: Options) -> Read:
    spacing, offset = _spacing(o, "linspace")
    place = partial(spaced, spacing=spacing, offset=offset, last="zero", between="linear")
    return Read(EulerAncestral(), *_named(_short((place, spacing)), "euler-ancestral"))


def _heun(o: Options) -> Read:
    return Read(Heun(), *_named(_sigmas(o), "heun"))


def _order_at_end(o: Options, default: Final) -> Final:
    if o.flag("euler_at_final", False):
        return "euler"
    return default if o.flag("lower_order_final", True) else "full"


def _dpm(o: Options) -> Read:
    sde = o.choice("algorithm_type", "dpmsolver++", ("dpmsolver++", "sde-dpmsolver++")) == "sde-dpmsolver++"
    order = o.integer("solver_order", 2)
    if order not in ((2,) if sde else (1, 2, 3)):
        raise UsageError(f"solver_order is {order}; expected {'2 with an SDE' if sde else '1, 2 or 3'}")
    place = _short(_multistep(o, _final(o), 1 - 1 / 1000))
    if order == 1:
        return Read(DDIM(), *_named(place, "ddim"))
    variant, final, eta = o.choice("solver_type", "midpoint", VARIANTS), _order_at_end(o, "short"), float(sde)
    if order == 3:
        return Read(DPMpp3M("published", variant, eta, final=final), *_named(place, "dpmpp-3m"))
    return Read(DPMpp2M(variant, eta, final=final), *_named(place, "dpmpp-2m-sde" if sde else "dpmpp-2m"))


def _unipc(o: Options) -> Read:
    basis, order = o.choice("solver_type", "bh2", BASES), o.integer("solver_order", 2)
    final: Final = "lower" if o.flag("lower_order_final", True) else "full"
    return Read(UniPC(order, basis, final), *_named(_short(_multistep(o, _final(o), 1.0)), "unipc"))


def _deis(o: Options) -> Read:
    """It always ends at the table's smallest sigma."""
    order, final = o.integer("solver_order", 2), _order_at_end(o, "short")
    return Read(DEIS(order, final), *_named(_multistep(o, "sigma_min", 1 - 1 / 1000), "deis"))


def _lcm(o: Options) -> Read:
    place = GRIDS["lcm"](Options({"original": o.integer("original_inference_steps", 50)}))
    return Read(LCM(o.number("timestep_scaling", 10.0)), place, "lcm", "lcm")


def _unclip(o: Options) -> Read:
    return Read(UnCLIP(), partial(spaced, spacing="linspace", offset=0, last="zero"), "unclip", "linspace")


def _flow_euler(o: Options) -> Read:
    place = _flow(o)
    if o.flag("stochastic_sampling", False):
        return Read(LCM(sigma_data=0.0), *_named(place, "lcm"))
    return Read(Euler(), *_named(place, "euler"))


def _flow_heun(o: Options) -> Read:
    return Read(Heun("rectified"), *_named(_flow(o), "heun"))


def _flow_ancestral(o: Options) -> Read:
    solver = EulerAncestral(o.number("eta", 1.0), o.number("s_noise", 1.0), "rectified")
    return Read(solver, *_named(_flow(o), "euler-ancestral"))


CLASSES: dict[str, Callable[[Options], Read]] = {
    "DDIMInverseScheduler": _ddim_inverse,
    "DDIMScheduler": _ddim,
    "DDPMScheduler": _ddpm,
    "DEISMultistepScheduler": _deis,
    "DPMSolverMultistepScheduler": _dpm,
    "EulerAncestralDiscreteScheduler": _euler_ancestral,
    "EulerDiscreteScheduler": _euler,
    "FlowMatchEulerDiscreteScheduler": _flow_euler,
    "FlowMatchHeunDiscreteScheduler": _flow_heun,
    "HeunDiscreteScheduler": _heun,
    "LCMScheduler": _lcm,
    "LTXEulerAncestralRFScheduler": _flow_ancestral,
    "PNDMScheduler": _pndm,
    "UnCLIPScheduler": _unclip,
    "UniPCMultistepScheduler": _unipc,
}
"""A reader of flags a class.  IPNDMScheduler is left out: it ignores the model's table."""
