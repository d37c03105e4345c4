"""Grid builders: settings chosen first, called later with a model's schedule and a number of steps.

Each is a plain function of (schedule, n, *, settings); ``functools.partial`` fixes the settings, so a builder can be
compared by its parts, printed and pickled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, get_args

import torch

from mezzotint.diffusion import grid
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.options import Options
from mezzotint.diffusion.schedule import Flow, Schedule, TableSchedule
from mezzotint.errors import UsageError

LASTS: tuple[grid.Last, ...] = get_args(grid.Last)
BETWEENS: tuple[grid.Between, ...] = get_args(grid.Between)
FLOW_TABLE = 1000
"""Rectified-flow models count u in thousandths: the smallest u other tools know is the shifted 1/1000."""


class Grid(Protocol):
    """(a model's schedule, N) -> N+1 levels.  Raises UsageError where the two do not fit."""

    def __call__(self, schedule: Schedule, n: int, /) -> Level: ...


class Ramp(Protocol):
    """(N, smallest, largest sigma/alpha or u) -> N+1 levels, as ``grid.karras``."""

    def __call__(
        self, n: int, sigma_min: float, sigma_max: float, *, last: float, coordinate: grid.Coordinate
    ) -> Level: ...


def table_of(schedule: Schedule, name: str) -> TableSchedule:
    """The schedule as a table; UsageError where it is none."""
    if not isinstance(schedule, TableSchedule):
        kind = type(schedule).__name__
        raise UsageError(
            f"the grid {name} places the indices of a noise table, and this model's schedule is {kind};"
            " use uniform, karras, exponential or beta-sigma"
        )
    return schedule


def auto(schedule: Schedule, n: int) -> Level:
    """``trailing`` on a table (Lin et al., 2024, sec. 3.2), else ``uniform``."""
    return grid.trailing(schedule, n) if isinstance(schedule, TableSchedule) else grid.normal(schedule, n)


def over_table(schedule: Schedule, n: int, *, name: str, place: Callable[[TableSchedule, int], Level]) -> Level:
    """A placement of indices."""
    return place(table_of(schedule, name), n)


def ends(schedule: Schedule, sigma_min: float | None, sigma_max: float | None) -> tuple[float, float]:
    """The range of a ramp: as asked, else the schedule's own in sigma/alpha, or (rectified flow) in u."""
    if isinstance(schedule, Flow):
        if sigma_max is not None and sigma_max > 1:
            raise UsageError(
                f"sigma_max {sigma_max:g} is above 1, where a rectified flow is pure noise; give at most 1"
            )
        low = float(schedule.level(torch.tensor(1 / FLOW_TABLE, dtype=torch.float64)).sigma)
        return low if sigma_min is None else sigma_min, 1.0 if sigma_max is None else sigma_max
    ratio = [
        float(level.sigma / level.alpha) for level in schedule.level(torch.tensor([0.0, 1.0], dtype=torch.float64))
    ]
    if sigma_min is None and ratio[0] == 0:
        raise UsageError("this model's schedule starts at sigma = 0, so this grid needs sigma_min; or use uniform")
    if sigma_max is None and ratio[1] == float("inf"):
        raise UsageError(
            "this model's schedule ends at alpha = 0, so this grid needs sigma_max; or use uniform or trailing"
        )
    return ratio[0] if sigma_min is None else sigma_min, ratio[1] if sigma_max is None else sigma_max


def over_range(
    schedule: Schedule,
    n: int,
    *,
    ramp: Ramp,
    sigma_min: float | None = None,
    sigma_max: float | None = None,
    rounding: grid.Rounding = "none",
    last: grid.Last = "zero",
) -> Level:
    """A ramp over the schedule's noise; its levels carry the index where the schedule is a table.

    last: ``zero`` has N levels of the ramp, then sigma = 0; ``sigma_min`` N+1 of them.
    """
    low, high = ends(schedule, sigma_min, sigma_max)
    coordinate: grid.Coordinate = "rectified" if isinstance(schedule, Flow) else "ratio"
    above = last == "sigma_min"
    levels = ramp(n + above, low, high, last=0.0, coordinate=coordinate)
    return fed(schedule, levels[:-1] if above else levels, rounding)


def fed(schedule: Schedule, levels: Level, rounding: grid.Rounding) -> Level:
    """The levels with the index the network will be fed, where the schedule is a table."""
    return grid.indexed(levels, schedule, rounding) if isinstance(schedule, TableSchedule) else levels


def rounded(schedule: Schedule, n: int, *, base: Grid) -> Level:
    """A grid whose network is fed whole indices, as ComfyUI does."""
    return fed(schedule, base(schedule, n), "nearest")


def discarding(schedule: Schedule, n: int, *, base: Grid) -> Level:
    """One step more, less the level before the last: k-diffusion's "discard next-to-last sigma"."""
    return grid.without_cleanest(base(schedule, n + 1))


def ending_above(schedule: Schedule, n: int, *, base: Grid) -> Level:
    """One step more, less the last level, so that it ends above sigma = 0."""
    return base(schedule, n + 1)[:-1]


def turned(schedule: Schedule, n: int, *, base: Grid) -> Level:
    """A grid from data to noise."""
    return grid.rising(base(schedule, n))


def over_flow(schedule: Schedule, n: int, *, shift: float | None, u_min: float | None, terminal: float | None) -> Level:
    """``grid.flow``, with the schedule's own shift where none is asked for."""
    own = schedule.shift if isinstance(schedule, Flow) else 1.0
    return grid.flow(n, own if shift is None else shift, u_min, terminal=terminal)


# -- by name ----------------------------------------------------------------------------------------------------------


def _last(o: Options) -> grid.Last:
    return o.choice("last", "zero", LASTS)


def _ranged(o: Options, ramp: Ramp) -> Grid:
    low, high = o.optional("sigma_min"), o.optional("sigma_max")
    return partial(over_range, ramp=ramp, sigma_min=low, sigma_max=high, last=_last(o))


def _table(name: str, place: Callable[[TableSchedule, int], Level]) -> Grid:
    return partial(over_table, name=name, place=place)


def _linspace(o: Options) -> Grid:
    between = o.choice("between", "nearest", BETWEENS)
    return _table("linspace", partial(grid.linspace, last=_last(o), between=between))


def _beta_shape(o: Options) -> tuple[float, float]:
    return o.number("alpha", 0.6), o.number("beta", 0.6)


def _beta_index(o: Options) -> Grid:
    a, b = _beta_shape(o)
    return _table("beta", partial(grid.beta_index, a=a, b=b))


def _beta_sigma(o: Options) -> Grid:
    a, b = _beta_shape(o)
    return _ranged(o, partial(grid.beta, a=a, b=b))


GRIDS: dict[str, Callable[[Options], Grid]] = {
    "auto": lambda o: auto,
    "uniform": lambda o: grid.normal,
    "sgm-uniform": lambda o: grid.sgm_uniform,
    "leading": lambda o: _table("leading", partial(grid.leading, offset=o.integer("offset", 0), last=_last(o))),
    "trailing": lambda o: _table("trailing", partial(grid.trailing, last=_last(o))),
    "linspace": _linspace,
    "simple": lambda o: _table("simple", grid.simple),
    "ddim-uniform": lambda o: _table("ddim-uniform", partial(grid.ddim_uniform, last=_last(o))),
    "lcm": lambda o: _table("lcm", partial(grid.lcm, original=o.integer("original", 50))),
    "beta": _beta_index,
    "beta-sigma": _beta_sigma,
    "karras": lambda o: _ranged(o, partial(grid.karras, rho=o.number("rho", 7.0))),
    "exponential": lambda o: _ranged(o, grid.exponential),
    "polyexponential": lambda o: _ranged(o, partial(grid.exponential, rho=o.number("rho", 1.0))),
    "kl-optimal": lambda o: _ranged(o, grid.kl_optimal),
    "flow": lambda o: partial(
        over_flow, shift=o.optional("shift"), u_min=o.optional("u_min"), terminal=o.optional("terminal")
    ),
}
"""Every grid by its short name: a reader of its options."""
