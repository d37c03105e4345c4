r"""Grids: where a trajectory stops on its way from noise to data, N+1 levels for N steps, on the CPU in float64.

Two kinds.  Over a *schedule* (``uniform``, ``normal``, ``sgm_uniform``) or a *table* (``leading``, ``trailing``,
``linspace`` …) t or the network's index is placed; the latter carry that index in ``Level.index``, rounded where other
tools round it, since their pictures depend on it.  Over a *range of noise* (``karras``, ``exponential``, ``beta`` …)
sigma/alpha is placed.
The last level is clean, sigma = 0, unless ``last`` says otherwise.  img2img and resuming run a tail, ``levels[k:]``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mezzotint.diffusion.betainc import beta_quantile
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.levels import (
    Array,
    Coordinate,
    Rounding,
    clean,
    custom,
    from_values,
    indexed,
    joined,
    noise_range,
    rising,
    variance_exploding,
    variance_preserving,
    without_cleanest,
)
from mezzotint.diffusion.schedule import Flow, Schedule, TableSchedule, positive, vp_level
from mezzotint.errors import UsageError

__all__ = [
    "MAX_STEPS",
    "Between",
    "Coordinate",
    "Last",
    "Rounding",
    "at_indices",
    "beta",
    "beta_index",
    "check_steps",
    "clean",
    "custom",
    "ddim_uniform",
    "exponential",
    "flow",
    "from_values",
    "indexed",
    "joined",
    "karras",
    "kl_optimal",
    "lcm",
    "leading",
    "linspace",
    "logsnr_uniform",
    "noise_range",
    "normal",
    "rising",
    "sgm_uniform",
    "simple",
    "trailing",
    "uniform",
    "variance_exploding",
    "variance_preserving",
    "without_cleanest",
]

MAX_STEPS = 100_000

Between = Literal["nearest", "linear", "log"]
"""How a fractional table index becomes a level: the nearest entry (ties to even), sigma/alpha linear in it, or logsnr
linear in it.
"""

Last = Literal["zero", "sigma_min"]
"""How a table's grid ends: at sigma = 0, or at the table's entry 0."""


def check_steps(n: int, limit: int = MAX_STEPS, why: str = "") -> int:
    """n, or UsageError unless 1 <= n <= limit."""
    if not 1 <= n <= limit:
        raise UsageError(f"{n} steps were asked for; expected 1 to {limit}{why}")
    return n


# -- over a schedule: t is placed -------------------------------------------------------------------------------------


def uniform(schedule: Schedule, n: int, start: float = 1.0, stop: float = 0.0) -> Level:
    """t evenly spaced from start to stop, N+1 levels; the last is the schedule's own at ``stop``."""
    check_steps(n)
    return schedule.level(torch.linspace(start, stop, n + 1, dtype=torch.float64))


def sgm_uniform(schedule: Schedule, n: int) -> Level:
    """``uniform`` with its last level replaced by sigma = 0 (ComfyUI's and A1111's "SGM uniform")."""
    levels = uniform(schedule, n)
    return joined(levels[:-1], clean(None if levels.index is None else 0))


def normal(schedule: Schedule, n: int) -> Level:
    """N levels with t evenly spaced down to the schedule's cleanest, then sigma = 0; ``uniform`` where that is clean.

    The default of A1111 and ComfyUI ("automatic", "normal").
    """
    check_steps(n)
    end = schedule.level(torch.zeros((), dtype=torch.float64))
    if end.sigma == 0:
        return uniform(schedule, n)
    levels = schedule.level(torch.linspace(1, 0, n, dtype=torch.float64))
    return joined(levels, clean(None if levels.index is None else 0))


def flow(
    n: int, shift: float = 1.0, u_min: float | None = None, u_max: float = 1.0, terminal: float | None = None
) -> Level:
    r"""Rectified-flow levels (1-u, u): u evenly spaced from u_max to u_min, shifted by :math:`su/(1+(s-1)u)`, then 0.

    u_min: u_max/N where None, which makes it ``uniform(Flow(shift), n)``.  diffusers' FlowMatchEuler without given
    sigmas has 1/1000, itself shifted once before (so that a static shift acts twice on it):
    ``Flow(shift).level(1/1000).sigma``.
    terminal: where the last u above 0 shall lie, the rest stretched linearly to match (LTX-Video), or None.
    Esser et al., 2024, Scaling Rectified Flow Transformers, eq. 23.
    Raises UsageError for values outside (0, 1], a u_min that is not below u_max where n > 1, and a terminal of 1.
    """
    check_steps(n)
    u_min = u_max / n if u_min is None else u_min
    for name, value in (("u_max", u_max), ("u_min", u_min), ("terminal", u_min if terminal is None else terminal)):
        if not 0 < value <= 1:
            raise UsageError(f"{name} is {value}; expected 0 < {name} <= 1")
    if n > 1 and u_min >= u_max:
        raise UsageError(f"u_min {u_min} is not below u_max {u_max}, and {n} steps must fall; lower u_min")
    if terminal == 1:
        raise UsageError("terminal is 1, where all is noise; expected 0 < terminal < 1")
    u = Flow(shift).level(torch.linspace(u_max, u_min, n, dtype=torch.float64)).sigma
    if terminal is not None and n > 1:
        u = 1 - (1 - u) * (1 - terminal) / (1 - u[-1])
    return from_values(np.append(u.numpy(), 0.0), "rectified")


# -- over a table: the network's index is placed ----------------------------------------------------------------------


def at_indices(
    table: TableSchedule, index: Array | Sequence[float], last: Last = "zero", between: Between = "nearest"
) -> Level:
    """N levels at falling indices, each carried, then the end.

    Args: index: (N,).   Returns: (N+1,), alpha^2 + sigma^2 = 1.
    Raises UsageError where an index lies outside the table or does not fall.
    """
    value = np.rint(index) if between == "nearest" else np.asarray(index, np.float64)
    check_steps(len(value))
    if value.max() > len(table) - 1 or value.min() < 0:
        raise UsageError(
            f"index {value.max():g} lies outside the table's 0 to {len(table) - 1}; use a smaller offset or fewer steps"
        )
    if np.any(value[1:] >= value[:-1]):
        raise UsageError(
            f"{len(value)} steps repeat an entry of a table of {len(table)}; use fewer steps, or a grid over sigma"
        )
    levels = table.at(torch.as_tensor(value.copy()))
    if between == "linear":
        ratio = torch.as_tensor(np.interp(value, np.arange(len(table)), (1 / table.alpha_bar - 1).sqrt().numpy()))
        levels = Level(*_vp_of_ratio(ratio), levels.index)
    return joined(levels, clean(0) if last == "zero" else table.at(torch.zeros(1, dtype=torch.float64)))


def _vp_of_ratio(ratio: Tensor) -> tuple[Tensor, Tensor]:
    level = vp_level(-2 * ratio.log())
    return level.alpha, level.sigma


def _check_table_steps(table: TableSchedule, n: int) -> int:
    return check_steps(n, len(table), ", the number of entries of this model's noise table")


def leading(table: TableSchedule, n: int, offset: int = 0, last: Last = "zero") -> Level:
    """Indices k (T // N) + offset: starts well below the noisiest entry, at (N-1)(T // N).

    offset: diffusers' ``steps_offset``, 1 in Stable Diffusion.  last: ``sigma_min`` is its ``set_alpha_to_one=False``.
    Lin et al., 2024, Common Diffusion Noise Schedules and Sample Steps are Flawed, table 2 (why not to).
    """
    _check_table_steps(table, n)
    return at_indices(table, np.arange(n, dtype=np.float64)[::-1] * (len(table) // n) + offset, last)


def trailing(table: TableSchedule, n: int, last: Last = "zero") -> Level:
    """Indices round(T - k T/N) - 1: starts at the noisiest entry.  Lin et al., 2024, table 2."""
    _check_table_steps(table, n)
    return at_indices(table, np.rint(len(table) - np.arange(n) * (len(table) / n)) - 1, last)


def linspace(table: TableSchedule, n: int, last: Last = "zero", between: Between = "nearest") -> Level:
    """N indices evenly spaced from T-1 to 0.

    between: ``nearest`` is diffusers' DDPM, DDIM and UnCLIP; ``linear`` its Euler and Heun, which keep fractional
    indices; ``log`` k-diffusion's DiscreteSchedule, ``normal`` here.   Lin et al., 2024, table 2.
    """
    _check_table_steps(table, n)
    return at_indices(table, np.linspace(0, len(table) - 1, n)[::-1] if n > 1 else [len(table) - 1.0], last, between)


def simple(table: TableSchedule, n: int) -> Level:
    """Indices T - 1 - floor(k T/N) (ComfyUI's and A1111's "simple")."""
    _check_table_steps(table, n)
    return at_indices(table, len(table) - 1 - np.floor(np.arange(n) * (len(table) / n)))


def ddim_uniform(table: TableSchedule, n: int, last: Last = "zero") -> Level:
    """Indices 1 + k (T // N), as many as the table holds (ComfyUI's "ddim_uniform"): where N does not divide T there
    are more than N.
    """
    _check_table_steps(table, n)
    return at_indices(table, np.arange(1, len(table), max(len(table) // n, 1), dtype=np.float64)[::-1], last)


def beta_index(table: TableSchedule, n: int, a: float = 0.6, b: float = 0.6) -> Level:
    """Indices round((T-1) x) at the beta distribution's quantiles x of 1 - k/N: dense at both ends.

    Lee et al., 2024, Beta Sampling is All You Need.
    """
    _check_table_steps(table, n)
    return at_indices(table, (len(table) - 1) * beta_quantile(1 - np.arange(n) / n, a, b))


def lcm(table: TableSchedule, n: int, original: int = 50) -> Level:
    """Every floor(k M/N)-th, from the noisiest, of the M = ``original`` indices that an LCM was distilled on.

    Those are i (T // M) - 1, i = 1 … M.

    Luo et al., 2023, Latent Consistency Models, sec. 4.3.  Raises UsageError for more than ``original`` steps.
    """
    check_steps(original, len(table), ", the number of entries of this model's noise table")
    check_steps(n, original, ", the steps this consistency model was distilled on")
    trained = np.arange(original, 0, -1, dtype=np.float64) * (len(table) // original) - 1
    return at_indices(table, trained[np.floor(np.linspace(0, original, n, endpoint=False)).astype(int)])


# -- over a range of noise: sigma/alpha is placed ---------------------------------------------------------------------


def _ramp(n: int, low: float, high: float) -> Array:
    """0 … 1 in N points for a range that must be 0 < low < high; low = high for one point."""
    check_steps(n)
    positive("sigma_min", low)
    positive("sigma_max", high)
    if low > high:
        raise UsageError(f"sigma_min {low} is above sigma_max {high}; swap them")
    if low == high and n > 1:
        raise UsageError(f"sigma_min and sigma_max are both {low}, and {n} steps must fall; lower sigma_min")
    return np.linspace(0, 1, n)


def _ended(values: Array, last: float, coordinate: Coordinate) -> Level:
    """The values and the last one; rounding may not lift u above 1, nor the last value above the one before it.

    Raises UsageError for values that do not fall, as where a parameter is so extreme that neighbours round alike.
    """
    values = np.minimum(values, 1.0) if coordinate == "rectified" else values
    if not np.all(values[1:] < values[:-1]):
        raise UsageError(f"the grid's {len(values)} levels do not all differ; widen its range, or use fewer steps")
    if not 0 <= last <= values[-1] * (1 + 1e-9):
        raise UsageError(f"the grid's last level {last} is not between 0 and the one before it, {values[-1]:g}")
    return from_values(np.append(values, min(last, values[-1])), coordinate)


def _check_rho(rho: float, sigma_min: float, sigma_max: float) -> None:
    """UsageError unless sigma's powers 1/rho are finite, and the smaller keeps three digits beside the larger."""
    positive("rho", rho)
    low, high = math.log(sigma_min), math.log(sigma_max)
    least = math.ceil(100 * max((high - low) / 30, abs(low) / 700, abs(high) / 700)) / 100  # exp(700) is finite
    if rho < least:
        raise UsageError(f"rho is {rho}; expected {least} or more for sigma from {sigma_min} to {sigma_max}")


def karras(
    n: int, sigma_min: float, sigma_max: float, rho: float = 7.0, last: float = 0.0, coordinate: Coordinate = "ratio"
) -> Level:
    r""":math:`\sigma_k = (\sigma_{max}^{1/\rho} + \tfrac{k}{N-1}(\sigma_{min}^{1/\rho}-\sigma_{max}^{1/\rho}))^\rho`,
    then ``last``.

    Karras et al., 2022, Elucidating the Design Space of Diffusion-Based Generative Models, eq. 5.
    Raises UsageError for a rho so small that the powers do not fit float64.
    """
    ramp = _ramp(n, sigma_min, sigma_max)
    _check_rho(rho, sigma_min, sigma_max)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return _ended((high + ramp * (low - high)) ** rho, last, coordinate)


def exponential(
    n: int, sigma_min: float, sigma_max: float, rho: float = 1.0, last: float = 0.0, coordinate: Coordinate = "ratio"
) -> Level:
    r""":math:`\ln\sigma_k = \ln\sigma_{min} + (1-\tfrac{k}{N-1})^\rho \ln(\sigma_{max}/\sigma_{min})`, then ``last``.

    rho: 1 is log-linear; others are k-diffusion's "polyexponential".
    """
    ramp = _ramp(n, sigma_min, sigma_max)
    positive("rho", rho)
    return _ended(np.exp((1 - ramp) ** rho * math.log(sigma_max / sigma_min) + math.log(sigma_min)), last, coordinate)


def beta(
    n: int,
    sigma_min: float,
    sigma_max: float,
    a: float = 0.6,
    b: float = 0.6,
    last: float = 0.0,
    coordinate: Coordinate = "ratio",
) -> Level:
    r""":math:`\sigma_k = \sigma_{min} + (\sigma_{max}-\sigma_{min})\,I^{-1}_{1-k/(N-1)}(a,b)`, then ``last``.

    The way diffusers' ``use_beta_sigmas`` places sigma; ``beta_index`` is the paper's.  Lee et al., 2024, Beta Sampling
    is All You Need.
    """
    ramp = _ramp(n, sigma_min, sigma_max)
    return _ended(sigma_min + (sigma_max - sigma_min) * beta_quantile(1 - ramp, a, b), last, coordinate)


def kl_optimal(
    n: int, sigma_min: float, sigma_max: float, last: float = 0.0, coordinate: Coordinate = "ratio"
) -> Level:
    r"""The angle :math:`\arctan\sigma` evenly spaced, then ``last``.

    Sabour et al., 2024, Align Your Steps, theorem 3.1.
    """
    ramp = _ramp(n, sigma_min, sigma_max)
    return _ended(np.tan((1 - ramp) * math.atan(sigma_max) + ramp * math.atan(sigma_min)), last, coordinate)


def logsnr_uniform(n: int, logsnr_min: float, logsnr_max: float, last: Last = "zero") -> Level:
    """logsnr evenly spaced, alpha^2 + sigma^2 = 1.

    last: ``zero`` has N levels from logsnr_min to logsnr_max, then sigma = 0; ``sigma_min`` N+1 of them, as
    DPM-Solver's paper has it.
    Lu et al., 2022, DPM-Solver, sec. 3.3.  Raises UsageError unless logsnr_min < logsnr_max are finite.
    """
    check_steps(n)
    if not -math.inf < logsnr_min < logsnr_max < math.inf:
        raise UsageError(
            f"logsnr from {logsnr_min} to {logsnr_max}; expected finite numbers, the first below the second"
        )
    if last == "sigma_min":
        return vp_level(torch.linspace(logsnr_min, logsnr_max, n + 1, dtype=torch.float64))
    return joined(vp_level(torch.linspace(logsnr_min, logsnr_max, n, dtype=torch.float64)), clean())
