"""``--grid auto``: a plan on a grid optimised for its model, solver and number of steps, made once and then kept."""

from __future__ import annotations

from dataclasses import replace

import torch

from mezzotint.diffusion.spread import ending_in_data
from mezzotint.errors import UsageError
from mezzotint.files import user_path
from mezzotint.pretrained.few import check_plan
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.frontier import measured
from mezzotint.pretrained.learned import Asked, is_learned, plan_of
from mezzotint.pretrained.plan import Plan, rehearse
from mezzotint.pretrained.spaced import grid_path, read_grid, write_grid
from mezzotint.pretrained.spec import Spec
from mezzotint.pretrained.stage_model import schedule_of

AUTO, FROM = "auto", "auto:from="


def planned(described: Described, spec: Spec, asked: Asked) -> tuple[Plan, str]:
    """(the plan of some words, a note or ""): what a frontier recommends where they name a quality alone, and on an
    optimised grid where they have ``--grid auto``.

    That is the one that ``calibrate`` found by how the model's trajectories bend (GITS), for these steps and scale,
    else the one of DMN, which needs no call of the network; "auto:from=FILE" is that of a file, or of a receipt.
    Raises as ``plan_of``; UsageError for a solver that draws noise, and for what a distilled model was not made for.
    """
    asked, said = measured(described, spec, asked)
    plan, remark = _on_its_grid(described, spec, asked)
    check_plan(described.name, spec, plan)
    return plan, "; ".join(filter(None, (said, remark)))


def _on_its_grid(described: Described, spec: Spec, asked: Asked) -> tuple[Plan, str]:
    if asked.grid is None or not (asked.grid == AUTO or asked.grid.startswith(FROM)):
        return plan_of(described, spec, asked)
    if is_learned(asked.solver):
        raise UsageError("a learned solver has its own grid; leave --grid out")
    plan, note = plan_of(described, spec, replace(asked, grid=None))
    by, u = _grid(described, spec, plan, asked.grid)
    levels = ending_in_data(torch.tensor(u, dtype=torch.float64))
    choice = {"name": AUTO, "by": by, "u": list(u)}
    logvar = torch.zeros(1, 1) if spec.net.get("variance") == "learned" else None
    return replace(plan, levels=levels, grid_choice=choice, asked=rehearse(plan.solver, levels, logvar)), note


def _grid(described: Described, spec: Spec, plan: Plan, words: str) -> tuple[str, tuple[float, ...]]:
    """(method, u)."""
    if words != AUTO:
        return read_grid(user_path(words.removeprefix(FROM)))
    bent = grid_path(described.weights_sha256, "gits", plan.steps, plan.scale)
    if bent.is_file():
        return read_grid(bent)
    own = grid_path(described.weights_sha256, "dmn", dict(plan.solver_choice), plan.steps, dict(spec.schedule))
    if not own.is_file():
        write_grid(own, "dmn", _dmn(spec, plan))
    return read_grid(own)


def _dmn(spec: Spec, plan: Plan) -> tuple[float, ...]:
    from mezzotint.fewstep.bases import bases
    from mezzotint.fewstep.dmn import dmn, suited

    start = next(u for name, u in bases(schedule_of(spec), plan.steps).items() if name.startswith("karras"))
    return tuple(dmn(suited(plan.solver, start), start).tolist())
