"""``explain``: what a run would do, step by step, without a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mezzotint.conditioning.prompts import Prompts
from mezzotint.config import DEFAULT_MODEL
from mezzotint.making.calls import plan_calls
from mezzotint.making.classified import classifier_scale
from mezzotint.making.ranked import competing
from mezzotint.making.request import Sampling
from mezzotint.making.spaced import planned
from mezzotint.making.table import table
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.learned import Asked
from mezzotint.pretrained.model import Model
from mezzotint.pretrained.plan import Plan, plan
from mezzotint.pretrained.stage_model import parametrisation_of
from mezzotint.pretrained.store import find
from mezzotint.pretrained.system import describe_system

GUIDED = {0.0: "the null alone", 1.0: "off"}


def named(choice: dict[str, Any]) -> str:
    """A name and its options: "karras (rho 7)"; the many numbers of a learned solver are left out."""
    options = ", ".join(f"{k} {v}" for k, v in choice.items() if k != "name" and not isinstance(v, list))
    return f"{choice['name']} ({options})" if options else str(choice["name"])


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
class StageExplanation:
    """How one stage would be sampled.

    calls: of its network, a picture, drafts among them; guidance makes two of each of the solver's.
    candidates, draft_steps: how many drafts are drawn, in how many steps; 1 and 0 where there are none.
    classifier_scale: how far the ranker moves every estimate; 0 is off.
    """

    model: str
    solver: dict[str, Any]
    grid: dict[str, Any]
    order: int
    steps: int
    scale: float
    calls: int
    rows: tuple[Row, ...]
    candidates: int = 1
    draft_steps: int = 0
    classifier_scale: float = 0.0

    def __str__(self) -> str:
        """For people."""
        drafts = [f"drafts   {self.candidates} of {self.draft_steps} steps, of which the best is made"]
        ranker = [f"ranker   moves every estimate to what is named, scale {self.classifier_scale:g}"]
        guided = GUIDED.get(self.scale, "on, two network calls for each of the solver's")
        rows = [("level", "alpha", "sigma", "logSNR", "told to network", "calls")]
        for r in self.rows:
            told = "-" if math.isnan(r.c_noise) else f"{r.c_noise:.4f}"
            calls = str(r.calls) if r.calls else "-"
            rows.append((str(r.i), f"{r.alpha:.5f}", f"{r.sigma:.5f}", f"{r.logsnr:+.3f}", told, calls))
        return "\n".join(
            [
                f"model    {self.model}",
                f"solver   {named(self.solver)}, order {self.order}",
                f"grid     {named(self.grid)}, {self.steps} steps",
                f"guidance scale {self.scale:g} ({guided})",
                *(ranker if self.classifier_scale else []),
                *(drafts if self.draft_steps else []),
                f"calls    {self.calls} of the network a picture",
                "",
                table(rows),
            ]
        )


@dataclass(frozen=True)
class Explanation:
    """How a model would be sampled.  main: the number of the stage that the words are for.  calls: of all networks.

    remark: why it is not sampled as the words say, or ""."""

    model: str
    stages: tuple[StageExplanation, ...]
    main: int
    calls: int
    remark: str = ""

    def __str__(self) -> str:
        """For people."""
        if len(self.stages) == 1:
            return str(self.stages[0])
        heads = (f"stage {k + 1} of {len(self.stages)} of {self.model}\n{s}" for k, s in enumerate(self.stages))
        return "\n\n".join([*heads, f"{self.calls} calls a picture in all"])


def explain(
    model: str | Path | Model = DEFAULT_MODEL,
    *,
    quality: str = "standard",
    steps: int | None = None,
    scale: float | None = None,
    solver: str | None = None,
    grid: str | None = None,
) -> Explanation:
    """The grid, its noise levels and the number of network calls; arguments and errors as for ``generate``."""
    system = model.system if isinstance(model, Model) else describe_system(find(str(model)))
    plans = [plan(member.described.spec, quality=quality) for member in system.members]
    main = system.members[system.main].described
    by_ranker = classifier_scale(system, main.spec, Sampling(quality), None)
    asked = Asked(quality, solver, grid, steps, scale, classifier_scale=by_ranker)
    plans[system.main], remark = planned(main, main.spec, asked)
    classed = replace(plans[system.main], classifier_scale=by_ranker)
    plans[system.main] = competing(classed, system, main.spec, Sampling(quality), Prompts(), None)
    alone = len(plans) == 1
    pairs = [(member.described, made) for member, made in zip(system.members, plans, strict=True)]
    stages = tuple(_stage(system.name if alone else one.name, one, made) for one, made in pairs)
    return Explanation(system.name, stages, system.main, sum(stage.calls for stage in stages), remark)


def _stage(name: str, described: Described, made: Plan) -> StageExplanation:
    levels = made.levels
    noise = parametrisation_of(described.spec)(levels[:-1]).noise
    told, calls = [*noise.tolist(), math.nan], [*made.calls, 0]
    columns = zip(levels.alpha.tolist(), levels.sigma.tolist(), levels.logsnr.tolist(), told, calls, strict=True)
    return StageExplanation(
        model=name,
        solver=dict(made.solver_choice),
        grid=dict(made.grid_choice),
        order=made.solver.order,
        steps=made.steps,
        scale=made.scale,
        calls=plan_calls(made, described.spec),
        rows=tuple(Row(i, *column) for i, column in enumerate(columns)),
        candidates=made.candidates,
        classifier_scale=made.classifier_scale,
        draft_steps=0 if made.draft is None else made.draft.steps,
    )
