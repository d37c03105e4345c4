"""Other tools' names of samplers and schedules, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mezzotint.diffusion.aliases import GRID_ROWS, ROWS, resolve
from mezzotint.errors import MezzotintError

INVOKEAI = {"euler_a": "euler_ancestral", "unipc": "uni_pc", "dpmpp_2m_sde": "dpmpp_2m_sde", "lms": "lms"}


def named(sampler: str, schedule: str) -> tuple[str | None, str | None]:
    """(--solver, --grid) of a sampler and a schedule, (None, None) where the names are not known here."""
    text = sampler if schedule in ("", "Automatic", "automatic") else f"{sampler} {schedule}"
    if _known(text):
        return text, None
    return (sampler, schedule) if _known(sampler, grid=schedule) else (None, None)


def comfyui(sampler: str, schedule: str) -> tuple[str | None, str | None]:
    """The same of ComfyUI's, whose schedules are named by an option."""
    text = f"{sampler}:scheduler={schedule}" if schedule else sampler
    known = _known(sampler, scheduler=schedule) if schedule else _known(sampler)
    return (text, None) if known else (None, None)


def invokeai(scheduler: str) -> tuple[str | None, str | None]:
    """The same of InvokeAI's, where ``_k`` at the end is Karras' schedule."""
    stem = scheduler.removesuffix("_k")
    return comfyui(INVOKEAI.get(stem, stem), "karras" if stem != scheduler else "")


def _known(name: str, **options: str) -> bool:
    try:
        resolve(name, options)
    except (MezzotintError, ValueError, TypeError):
        return False
    return True


def a1111(solver: Mapping[str, Any], grid: Mapping[str, Any]) -> tuple[str, str]:
    """(Sampler, Schedule type) of a solver and a grid as AUTOMATIC1111's web UI calls them; ours where it has none."""
    samplers = [
        row.name
        for row in ROWS
        if row.tool == "a1111"
        and row.solver == solver["name"]
        and all(solver.get(k, v) == v for k, v in row.presets.items())
    ]
    schedules = [row.name for row in GRID_ROWS if row.tool == "a1111" and row.grid == grid["name"]]
    return (samplers or [str(solver["name"])])[0], (schedules or [str(grid["name"])])[0]
