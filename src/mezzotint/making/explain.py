"""``explain``: what a run would do, step by step, without a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzotint.pretrained.folder import describe
from mezzotint.pretrained.model import Model, parametrisation_of
from mezzotint.pretrained.plan import plan
from mezzotint.pretrained.store import find


@dataclass(frozen=True)
class Row:
    """One level of the grid.  c_noise: what the network is told.  calls: the solver's, in the step that starts here."""

    i: int
    alpha: float
    sigma: float
    logsnr: float
    c_noise: float
    calls: int


@dataclass(frozen=True)
class Explanation:
    """How a model would be sampled.  calls: of the network, a picture; guidance makes two of each of the solver's."""

    model: str
    solver: dict[str, Any]
    grid: dict[str, Any]
    order: int
    steps: int
    scale: float
    calls: int
    rows: tuple[Row, ...]


def explain(
    model: str | Path | Model = "fashion",
    *,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
) -> Explanation:
    """The grid, its noise levels and the number of network calls; arguments and errors as for ``generate``."""
    described = model.described if isinstance(model, Model) else describe(find(str(model)))
    made = plan(described.spec, quality=quality, solver=solver, grid=grid, steps=steps, scale=scale)
    levels = made.levels
    noise = parametrisation_of(described.spec)(levels[:-1]).noise
    rows = tuple(
        Row(i, a, s, ell, c, n)
        for i, (a, s, ell, c, n) in enumerate(
            zip(
                levels.alpha.tolist(),
                levels.sigma.tolist(),
                levels.logsnr.tolist(),
                [*noise.tolist(), float("nan")],
                [*made.calls, 0],
                strict=True,
            )
        )
    )
    times = 1 if made.scale in (0, 1) else 2
    return Explanation(
        model=described.name,
        solver=dict(made.solver_choice),
        grid=dict(made.grid_choice),
        order=made.solver.order,
        steps=made.steps,
        scale=made.scale,
        calls=times * sum(made.calls),
        rows=rows,
    )
