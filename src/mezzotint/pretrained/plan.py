"""How a model will be sampled: the words of the command line and the model's presets, resolved to grid and solver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mezzotint.diffusion.aliases import Choice as Resolved
from mezzotint.diffusion.aliases import from_diffusers, resolve
from mezzotint.diffusion.denoiser import Cond, Posterior
from mezzotint.diffusion.level import Level
from mezzotint.diffusion.noise import Noise
from mezzotint.diffusion.options import Value
from mezzotint.diffusion.sample import start, trajectory
from mezzotint.diffusion.schedule import mu_shift
from mezzotint.diffusion.solver.base import Solver
from mezzotint.errors import UsageError, unknown
from mezzotint.files import sha256
from mezzotint.pretrained.spec import QUALITIES, Choice, Sampling, Spec
from mezzotint.pretrained.stage_model import parametrisation_of, schedule_of

if TYPE_CHECKING:
    from mezzotint.pretrained.distilled import Distilled
    from mezzotint.pretrained.ruled import Ruled
    from mezzotint.pretrained.weak import Weak


@dataclass(frozen=True)
class Plan:
    """A resolved way to sample, rehearsed.

    solver_choice, grid_choice: names and options in full, for receipts.  asked: the levels at which the denoiser
        is asked, every time in each step.
    interval: low < sigma/alpha <= high, where guidance is on; None is everywhere.
    guidance: by what it is guided, None in the usual way.   cache: threshold of first-block caching, None for none.
    candidates: drafts of which the best is made.   draft: how they are drawn; None where there is one.
    classifier_scale: how far the ranker moves every estimate to what the prompt names; 0 is off.
    """

    solver: Solver[Any]
    levels: Level
    solver_choice: Choice
    grid_choice: Choice
    scale: float
    asked: tuple[tuple[Level, ...], ...]
    interval: tuple[float, float] | None = None
    guidance: Distilled | Weak | Ruled | None = None
    cache: float | None = None
    candidates: int = 1
    draft: Plan | None = None
    classifier_scale: float = 0.0

    @property
    def steps(self) -> int:
        """Intervals of the grid."""
        return len(self.levels) - 1

    @property
    def calls(self) -> tuple[int, ...]:
        """Of the denoiser, in each step."""
        return tuple(map(len, self.asked))


def preset(spec: Spec, quality: str) -> Sampling:
    """A model's preset; where it has only ``standard``, draft takes half of its steps and one candidate, and best
    twice as many steps.

    Raises UsageError for an unknown quality.
    """
    if quality not in QUALITIES:
        raise unknown("quality", quality, QUALITIES)
    if quality in spec.sampling:
        return spec.sampling[quality]
    standard = spec.sampling["standard"]
    if quality == "draft":
        return replace(standard, steps=max(1, standard.steps // 2), candidates=1)
    return replace(standard, steps=2 * standard.steps)


def named(text: str) -> tuple[str, dict[str, Value]]:
    """ "name:key=value,key=value" -> the name and its options.  Raises UsageError."""
    name, colon, rest = text.partition(":")
    options: dict[str, Value] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = (s.strip() for s in part.partition("="))
        if not (key and equals and value) or key in options:
            raise UsageError(f"{text!r}: expected NAME:key=value,key=value, each key once")
        options[key] = _number(value)
    return name.strip(), options


def _number(text: str) -> Value:
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return text


def _grid_options(choice: Choice) -> dict[str, Value]:
    """Empty for the solver's own grid."""
    return {"grid" if key == "name" else key: value for key, value in choice.items()}


def _options(chosen: Sampling, solver: str | None, grid: str | None) -> tuple[str, dict[str, Value]]:
    """The solver's name and all options: a solver that has no grid of its own gets the model's."""
    name, options = named(chosen.solver if solver is None else solver)
    if grid is not None:
        label, more = named(grid)
        return name, options | {"grid": label} | more
    if solver is None or resolve(name, options).grid_name == "auto":
        return name, _grid_options(chosen.grid) | options
    return name, options


def plan(
    spec: Spec,
    *,
    quality: str = "standard",
    solver: str | None = None,
    grid: str | None = None,
    steps: int | None = None,
    scale: float | None = None,
) -> Plan:
    """The plan of some words; what is None is the preset's.

    Args: solver, grid: "NAME" or "NAME:key=value,…", by any name of ``diffusion.aliases``.
    Raises UsageError: an unknown name, a value out of range, an option without effect, a solver or a model that cannot
    run on the grid.
    """
    chosen = preset(spec, quality)
    name, options = _options(chosen, solver, grid)
    own = bool(chosen.scheduler) and solver is None and grid is None
    choice = from_diffusers(shifted(chosen.scheduler, spec)) if own else resolve(name, options)
    levels = choice.grid(schedule_of(spec), chosen.steps if steps is None else steps)
    parametrisation_of(spec)(levels[:-1])
    guidance = chosen.scale if scale is None else scale
    if not math.isfinite(guidance):
        raise UsageError(f"scale is {guidance}; expected a finite number, 1 is off")
    solver_choice, grid_choice = receipt_choices(choice)
    return Plan(
        solver=choice.solver,
        levels=levels,
        solver_choice=solver_choice,
        grid_choice=grid_choice,
        scale=float(guidance),
        asked=rehearse(choice.solver, levels, torch.zeros(1, 1) if spec.net.get("variance") == "learned" else None),
    )


def receipt_choices(choice: Resolved) -> tuple[Choice, Choice]:
    """What a receipt says of a resolved name: the solver with all its settings, the grid with its options."""
    settings: dict[str, Any] = json_safe(asdict(choice.solver)) if is_dataclass(choice.solver) else {}
    return {"name": choice.solver_name, **settings}, {"name": choice.grid_name, **json_safe(dict(choice.placed))}


def shifted(scheduler: Mapping[str, Any], spec: Spec) -> Mapping[str, Any]:
    """A scheduler's configuration with the shift of this size of picture, where it has one."""
    if scheduler.get("use_dynamic_shifting") is not True or "mu" in scheduler:
        return scheduler
    patch = int(spec.net.get("patch", 1))
    known = {"base_tokens": "base_image_seq_len", "max_tokens": "max_image_seq_len", "base_mu": "base_shift"}
    said = {ours: scheduler[theirs] for ours, theirs in {**known, "max_mu": "max_shift"}.items() if theirs in scheduler}
    tokens = (spec.shape[-2] // patch) * (spec.shape[-1] // patch)
    return {**scheduler, "mu": math.log(mu_shift(tokens, **said))}


def guided_calls(spec: Spec, scale: float) -> int:
    """Network calls for each of the solver's: guidance makes two of one, but where it is distilled into the network."""
    return 1 if scale in (0.0, 1.0) or spec.net.get("guidance") == "distilled" else 2


def rehearse(solver: Solver[Any], levels: Level, logvar: Tensor | None = None) -> tuple[tuple[Level, ...], ...]:
    """The levels at which the solver asks in each step, seen by running it on one number with a denoiser that only
    writes them down.

    logvar: what stands for a learned variance, of models that have one.   Raises UsageError where it cannot run on the
    grid.
    """
    asked: list[list[Level]] = []

    def noting(x: Tensor, level: Level, cond: Cond) -> Posterior:
        asked[-1].append(level)
        return Posterior(torch.zeros_like(x), logvar)

    noise = Noise((0,))
    walk = trajectory(noting, start(noise, (1,), levels), levels, solver, noise, {})
    for i in range(len(levels) - 1):
        asked.append([])
        try:
            finite = bool(next(walk).x.isfinite().all())
        except ZeroDivisionError:
            finite = False
        if not finite:
            raise UsageError(
                f"{type(solver).__name__} is not finite in step {i} of this grid; choose another solver or grid"
            )
    return tuple(map(tuple, asked))


def json_safe(value: Any) -> Any:
    """A value with what JSON cannot hold (infinity, NaN, objects) as text."""
    if isinstance(value, dict):
        return {str(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def levels_hash(levels: Level) -> str:
    """SHA-256 of a grid: alpha, sigma and, where there is one, the index, as little-endian float64, in a row."""
    parts = [levels.alpha, levels.sigma, *([] if levels.index is None else [levels.index])]
    return sha256(b"".join(np.asarray(part, "<f8").tobytes() for part in parts))
