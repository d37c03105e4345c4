"""``--solver learned``: the plan of a learned solver where one was made for these words, else the default's."""

from __future__ import annotations

from dataclasses import dataclass

from mezzotint.errors import UsageError
from mezzotint.files import user_path
from mezzotint.pretrained.folder import Described
from mezzotint.pretrained.plan import Plan, plan, preset, rehearse
from mezzotint.pretrained.sidecar import SideCar, kept, read
from mezzotint.pretrained.spec import Spec

NAME, FROM = "learned", "learned:from="

INSTEAD = ": the default solver is taken, which needs more steps than it"
"""The end of every note that a learned solver is not for a run."""


@dataclass(frozen=True)
class Asked:
    """The words of a run that its plan is made of, as ``plan`` takes them.

    changed: whether its weights are not the model's own, because of what is put on or beside them.   guided: whether
    guidance is not the usual at every level.   classifier_scale: of the ranker's guidance, as it will be.   negative:
    whether there is anything to steer away from.   cache: threshold of first-block caching.
    """

    quality: str = "standard"
    solver: str | None = None
    grid: str | None = None
    steps: int | None = None
    scale: float | None = None
    changed: bool = False
    guided: bool = False
    classifier_scale: float = 0.0
    negative: bool = False
    cache: float | None = None


def unlike(asked: Asked, classifier_scale: float) -> str:
    """How a solver was made that a run differs from in more than solver, steps, scale and size; "" where it does not.

    classifier_scale: that the solver was made at.
    """
    if asked.changed:
        return "for the model without what is put on it"
    if asked.guided:
        return "with the usual guidance at every level"
    if asked.classifier_scale != classifier_scale:
        if classifier_scale == 0:
            return "without classifier guidance (--classifier-scale 0)"
        return f"at classifier scale {classifier_scale:g}, not {asked.classifier_scale:g}"
    if asked.negative:
        return "without a negative prompt"
    return "with every block of the network run (no --cache)" if asked.cache else ""


def is_learned(solver: str | None) -> bool:
    """Whether these words mean a learned solver."""
    return solver is not None and (solver == NAME or solver.startswith((f"{NAME}:",)))


def plan_of(described: Described, spec: Spec, asked: Asked) -> tuple[Plan, str]:
    """(the plan of some words, a note or "").

    "learned" is the side-car of as many steps, or of most where nobody says; "learned:from=FILE" that of a file, or of
    a receipt.   spec: at the size that is made.   Raises as ``plan``; UsageError where none was made at all, or a grid
    is given, which a learned solver has; ModelError for another model's.
    """
    if not is_learned(asked.solver):
        return _plain(spec, asked, asked.solver), ""
    if asked.grid is not None:
        raise UsageError("a learned solver has its own grid; leave --grid out")
    chosen = preset(spec, asked.quality)
    scale = float(chosen.scale if asked.scale is None else asked.scale)
    one, why = _chosen(described, asked, scale)
    why = why or _unfit(one, spec, asked, scale)
    if one is None or why:
        return _plain(spec, asked, None), f"{why}{INSTEAD}"
    solver, grid = one.choices
    return Plan(one.solver, one.levels, solver, grid, scale, rehearse(one.solver, one.levels)), ""


def _plain(spec: Spec, asked: Asked, solver: str | None) -> Plan:
    return plan(spec, quality=asked.quality, solver=solver, grid=asked.grid, steps=asked.steps, scale=asked.scale)


def _chosen(described: Described, asked: Asked, scale: float) -> tuple[SideCar | None, str]:
    """The side-car of the words, or why there is none.  Raises UsageError where there is none for the model at all."""
    assert asked.solver is not None
    if asked.solver.startswith(FROM):
        return read(user_path(asked.solver.removeprefix(FROM)), described.weights_sha256), ""
    if asked.solver != NAME:
        raise UsageError(f"{asked.solver!r}: expected learned, or learned:from=FILE")
    at_hand = kept(described)
    if not at_hand:
        raise UsageError(
            f"{described.name} has no learned solver; make one with `mezzotint calibrate {described.name} --calls 4,6`"
        )
    here = sorted(calls for calls, s in at_hand if s == scale)
    if not here:
        scales = ", ".join(f"{s:g}" for s in sorted({s for _, s in at_hand}))
        return None, f"the learned solvers of {described.name} were made for scale {scales}, not {scale:g}"
    calls = here[-1] if asked.steps is None else asked.steps
    if calls not in here:
        some = ", ".join(map(str, here))
        raise UsageError(
            f"{described.name} has no learned solver of {calls} steps but of {some}; give one of these, or make it with"
            f" `mezzotint calibrate {described.name} --calls {calls}`"
        )
    return read(at_hand[calls, scale], described.weights_sha256), ""


def _unfit(one: SideCar | None, spec: Spec, asked: Asked, scale: float) -> str:
    """Why a side-car is not for this run, or ""."""
    if one is None:
        return ""
    if asked.steps is not None and asked.steps != one.calls:
        raise UsageError(f"this learned solver has {one.calls} steps, not {asked.steps}; leave --steps out")
    if one.scale != scale:
        return f"the learned solver was made for scale {one.scale:g}, not {scale:g}"
    if one.shape != spec.shape:
        return f"the learned solver was made for states of {one.shape}, not {spec.shape}"
    why = unlike(asked, one.classifier_scale)
    return f"the learned solver was made {why}" if why else ""
