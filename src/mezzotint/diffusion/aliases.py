"""Names of solvers and grids: ours, and those of diffusers, A1111's web UI and ComfyUI, each resolved to a solver and a
grid.

``ROWS`` is the one table.  A row's default grid and presets are what that tool does under that name; options change
them, and an option that changes nothing is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from mezzotint.diffusion import alias_diffusers
from mezzotint.diffusion.options import Options, Value
from mezzotint.diffusion.placement import GRIDS, Grid, discarding, ending_above, rounded, turned
from mezzotint.diffusion.solver.base import Solver
from mezzotint.diffusion.solver.named import SOLVERS
from mezzotint.errors import UsageError, unknown

Tool = Literal["mezzotint", "a1111", "comfyui", "diffusers"]

Wrap = Literal["above", "discard", "whole"]


@dataclass(frozen=True)
class Choice:
    """A resolved name: the solver, and the grid builder to call with a model's schedule and a number of steps.

    solver_name, grid_name: our short names of both.  placed: the grid's options that are not its defaults; of a
    diffusers class, under ``scheduler``, its name and flags.  Solver and both say all of it again.
    """

    solver: Solver[Any]
    grid: Grid
    solver_name: str
    grid_name: str
    placed: Mapping[str, Value]


@dataclass(frozen=True)
class Row:
    """One name of one tool.  presets: of the solver's options; placed: of its own grid's; wrap: of any grid's."""

    tool: Tool
    name: str
    solver: str
    grid: str = "auto"
    presets: Mapping[str, Value] = field(default_factory=dict)
    placed: Mapping[str, Value] = field(default_factory=dict)
    wrap: Wrap | None = None


@dataclass(frozen=True)
class GridRow:
    """One grid's name in one tool."""

    tool: Tool
    name: str
    grid: str
    wrap: Wrap | None = None


def _discard(base: Grid) -> Grid:
    return partial(discarding, base=base)


def _round(base: Grid) -> Grid:
    return partial(rounded, base=base)


def _above(base: Grid) -> Grid:
    return partial(ending_above, base=base)


WRAPS: Mapping[Wrap, Callable[[Grid], Grid]] = {"whole": _round, "above": _above, "discard": _discard}
"""Options of every grid, in the order they are done: the network is fed whole indices; it ends above sigma = 0; the
level before the last is left out."""

OWN_GRIDS = {"lcm": "lcm", "unclip": "linspace"}
KEPT: Mapping[str, Value] = {"final": "full"}
"""k-diffusion's samplers keep their order to the end; where sigma = 0 ends the grid the last step is of first order
anyway.
"""

ABOVE: Mapping[str, Value] = {"last": "sigma_min"}

ROWS: tuple[Row, ...] = (
    *(Row("mezzotint", name, name, OWN_GRIDS.get(name, "auto")) for name in SOLVERS),
    Row("a1111", "DDIM", "ddim", "ddim-uniform", placed=ABOVE),
    Row("a1111", "DPM++ 2M", "dpmpp-2m", "karras", KEPT),
    Row("a1111", "DPM++ 2M SDE", "dpmpp-2m-sde", "exponential", KEPT),
    Row("a1111", "DPM++ 2M SDE Heun", "dpmpp-2m-sde", "exponential", {**KEPT, "variant": "heun"}),
    Row("a1111", "DPM++ 3M SDE", "dpmpp-3m-sde", "exponential", {**KEPT, "variant": "heun"}, wrap="discard"),
    Row("a1111", "Euler", "euler", "uniform"),
    Row("a1111", "Euler a", "euler-ancestral", "uniform"),
    Row("a1111", "Heun", "heun", "uniform"),
    Row("a1111", "LCM", "lcm", "lcm"),
    Row("a1111", "PLMS", "pndm", "ddim-uniform", placed=ABOVE),
    Row("a1111", "UniPC", "unipc", "ddim-uniform", {"order": 3, "basis": "bh1"}),
    Row("comfyui", "ddim", "euler", "uniform"),
    Row("comfyui", "ddpm", "ddpm", "uniform"),
    Row("comfyui", "deis", "deis", "uniform", {"order": 3, **KEPT}),
    Row("comfyui", "dpmpp_2m", "dpmpp-2m", "uniform", KEPT),
    Row("comfyui", "dpmpp_2m_sde", "dpmpp-2m-sde", "uniform", KEPT),
    Row("comfyui", "dpmpp_2m_sde_gpu", "dpmpp-2m-sde", "uniform", KEPT),
    Row("comfyui", "dpmpp_2m_sde_heun", "dpmpp-2m-sde", "uniform", {**KEPT, "variant": "heun"}),
    Row("comfyui", "dpmpp_2m_sde_heun_gpu", "dpmpp-2m-sde", "uniform", {**KEPT, "variant": "heun"}),
    Row("comfyui", "dpmpp_3m_sde", "dpmpp-3m-sde", "uniform", {**KEPT, "variant": "heun"}),
    Row("comfyui", "dpmpp_3m_sde_gpu", "dpmpp-3m-sde", "uniform", {**KEPT, "variant": "heun"}),
    Row("comfyui", "euler", "euler", "uniform"),
    Row("comfyui", "euler_ancestral", "euler-ancestral", "uniform"),
    Row("comfyui", "heun", "heun", "uniform"),
    Row("comfyui", "ipndm", "ipndm", "uniform"),
    Row("comfyui", "ipndm_v", "ipndm", "uniform", {"weights": "exact"}),
    Row("comfyui", "lcm", "lcm", "uniform", {"sigma_data": 0.0}),
    Row("comfyui", "uni_pc", "unipc", "uniform", {"order": 3, "basis": "bh1"}),
    Row("comfyui", "uni_pc_bh2", "unipc", "uniform", {"order": 3}),
    *(Row("diffusers", name, "") for name in alias_diffusers.CLASSES),
)
"""Every name a solver goes by.

ComfyUI's and A1111's grids come with the name of a scheduler (``GRID_ROWS``) or by default.
"""

GRID_ROWS: tuple[GridRow, ...] = (
    *(GridRow("mezzotint", name, name) for name in GRIDS),
    GridRow("a1111", "Beta", "beta-sigma"),
    GridRow("a1111", "DDIM", "ddim-uniform"),
    GridRow("a1111", "Exponential", "exponential"),
    GridRow("a1111", "Karras", "karras"),
    GridRow("a1111", "KL Optimal", "kl-optimal", "above"),
    GridRow("a1111", "Normal", "uniform"),
    GridRow("a1111", "Polyexponential", "polyexponential"),
    GridRow("a1111", "SGM Uniform", "sgm-uniform"),
    GridRow("a1111", "Simple", "simple"),
    GridRow("a1111", "Uniform", "uniform"),
    GridRow("comfyui", "beta", "beta"),
    GridRow("comfyui", "ddim_uniform", "ddim-uniform"),
    GridRow("comfyui", "exponential", "exponential", "whole"),
    GridRow("comfyui", "karras", "karras", "whole"),
    GridRow("comfyui", "kl_optimal", "kl-optimal", "whole"),
    GridRow("comfyui", "normal", "uniform", "whole"),
    GridRow("comfyui", "sgm_uniform", "sgm-uniform", "whole"),
    GridRow("comfyui", "simple", "simple"),
)
"""Every name a grid goes by.  ComfyUI feeds the network whole indices, A1111 fractional ones."""

GRID_OPTIONS: dict[str, Tool] = {"grid": "mezzotint", "scheduler": "comfyui", "schedule_type": "a1111"}
"""The option each tool names its grid with."""

OPTION_ALIASES = {"s_tmin": "s_min", "s_tmax": "s_max"}


def resolve(name: str, options: Mapping[str, Value] | None = None) -> Choice:
    """The solver and grid a name stands for.

    name: ours ("dpmpp-2m"), A1111's ("DPM++ 2M Karras", with or without its grid), ComfyUI's ("dpmpp_2m") or a
    diffusers
        class ("EulerDiscreteScheduler").  Where tools share one, ours is meant, unless the grid's option is another's.
    options: the solver's and the grid's, among them the grid itself: ``grid``, ComfyUI's ``scheduler``, A1111's
        ``schedule_type``; for a diffusers class its own flags (``alias_diffusers``).
    Raises UsageError for an unknown name (with the nearest), for values out of range, and for options without effect.
    """
    o = Options(_renamed(options or {}))
    given = [key for key in GRID_OPTIONS if o.has(key)]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} both name a grid; give one of them")
    row, label = _find(name, GRID_OPTIONS[given[0]] if given else None)
    if row.tool == "diffusers":
        choice = _of_class(row.name, o)
    else:
        choice = _own(row, label, given[0] if given else "grid", o)
    o.check(name)
    return choice


def from_diffusers(config: Mapping[str, object]) -> Choice:
    """The same for a model's ``scheduler_config.json``: what describes the noise table, or has no effect, is passed
    over.

    Raises UsageError where the class is missing, not known, or set to what has no counterpart here.
    """
    name = config.get("_class_name")
    if not isinstance(name, str):
        raise UsageError("a scheduler configuration needs the name of its class under '_class_name'; this one has none")
    if name not in alias_diffusers.CLASSES:
        raise unknown("scheduler", name, alias_diffusers.CLASSES)
    values = {key: value for key, value in config.items() if isinstance(value, int | float | str)}
    return _of_class(name, Options(values))


def _of_class(name: str, o: Options) -> Choice:
    read = alias_diffusers.CLASSES[name](o)
    return Choice(read.solver, read.grid, read.solver_name, read.grid_name, {"scheduler": name, **o.taken})


def choices() -> dict[str, tuple[str, ...]]:
    """Every name: of solvers by tool, and of grids by tool under "<tool> grids"."""
    tools: tuple[Tool, ...] = ("mezzotint", "a1111", "comfyui", "diffusers")
    names: dict[str, tuple[str, ...]] = {t: tuple(row.name for row in ROWS if row.tool == t) for t in tools}
    return names | {f"{t} grids": tuple(row.name for row in GRID_ROWS if row.tool == t) for t in tools[:-1]}


def _renamed(options: Mapping[str, Value]) -> dict[str, Value]:
    for alias, name in OPTION_ALIASES.items():
        if alias in options and name in options:
            raise UsageError(f"{alias} and {name} are the same option; give one of them")
    return {OPTION_ALIASES.get(key, key): value for key, value in options.items()}


def _solver_key(name: str) -> str:
    return "".join(name.lower().split())


def _grid_key(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _find(name: str, tool: Tool | None) -> tuple[Row, str | None]:
    """The row of a name, and the grid's name where it ends with one ("DPM++ 2M Karras")."""
    found = [row for row in ROWS if _solver_key(row.name) == _solver_key(name)]
    if found:
        return min(found, key=lambda row: (row.tool != tool, row.name != name)), None
    for label in sorted({row.name for row in GRID_ROWS} | {"Automatic"}, key=len, reverse=True):
        stem = name.rstrip()[: -len(label)]
        if name.lower().rstrip().endswith(label.lower()) and stem.endswith(" "):
            return _find(stem.strip(), tool or "a1111")[0], label
    raise unknown("solver", name, sorted({row.name.lower() for row in ROWS if row.tool != "diffusers"}))


def _own(row: Row, label: str | None, option: str, o: Options) -> Choice:
    """The solver of a row and the grid of its label, of its option, or its own."""
    o.preset(row.presets)
    solver = SOLVERS[row.solver](o)
    asked = o.word(option, label or "")
    if label is not None and o.has(option):
        raise UsageError(
            f"the name of the solver ends with a grid, {label}, and {option} names another; give one of them"
        )
    if _grid_key(asked) in ("", "automatic"):
        grid_name, wraps = row.grid, [row.wrap]
        o.preset(row.placed)
    else:
        found = _find_grid(asked, GRID_OPTIONS[option] if label is None else row.tool)
        grid_name, wraps = found.grid, [found.wrap, row.wrap]
    o.preset({wrap: True for wrap in wraps if wrap})
    before = o.taken
    grid = GRIDS[grid_name](o)
    for name, wrap in WRAPS.items():
        grid = wrap(grid) if o.flag(name, False) else grid
    placed = {name: value for name, value in o.taken.items() if name not in before}
    turns = row.solver == "ddim-inversion"  # from data to noise
    return Choice(solver, partial(turned, base=grid) if turns else grid, row.solver, grid_name, placed)


def _find_grid(name: str, tool: Tool) -> GridRow:
    found = [row for row in GRID_ROWS if _grid_key(row.name) == _grid_key(name)]
    if not found:
        raise unknown("grid", name, sorted({row.name for row in GRID_ROWS}))
    return min(found, key=lambda row: row.tool != tool)
