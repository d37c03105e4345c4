"""Models and adapters that are distilled to few calls: how they are sampled, and words that do not go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from mezzotint.errors import UsageError
from mezzotint.pretrained.spec import QUALITIES, Distilled, Sampling, Spec, distilled_of, sampling_of

if TYPE_CHECKING:
    from mezzotint.pretrained.plan import Plan

KEY = "few_calls"
"""In the settings of an adapter's passport."""

MAX_CALLS = 64
"""Of a learned solver."""


@dataclass(frozen=True)
class Few:
    """How what was distilled is sampled."""

    distilled: Distilled
    sampling: Sampling


def said_of(few: Few) -> dict[str, Any]:
    """The JSON value for a passport's settings."""
    return {"distilled": asdict(few.distilled), "sampling": asdict(few.sampling)}


def few_in(settings: Mapping[str, Any], where: str) -> Few | None:
    """What a passport's settings say, None where they say nothing of it.  Raises ModelError."""
    value = settings.get(KEY)
    if not isinstance(value, dict):
        return None
    distilled = distilled_of(value.get("distilled"))
    return None if distilled is None else Few(distilled, sampling_of(value.get("sampling"), f"{where}: {KEY}"))


def with_few(spec: Spec, few: Few) -> Spec:
    """A model as it is sampled with a distilled adapter put on it."""
    return replace(spec, sampling=dict.fromkeys(QUALITIES, few.sampling), distilled=few.distilled)


def worn(spec: Spec, adapters: Sequence[Few | None]) -> Spec:
    """A model as it is sampled with adapters put on it.   Raises UsageError where several are distilled."""
    found = [one for one in adapters if one is not None]
    if len(found) > 1 or (found and spec.distilled is not None):
        raise UsageError("two things here make few calls of a model, each in its own way; leave one of them out")
    return with_few(spec, found[0]) if found else spec


def check_plan(name: str, spec: Spec, found: Plan) -> None:
    """Raises UsageError for a way to sample that a distilled model was not made for; of any other model all go.

    name: of the model, for people.  One that is consistent along its trajectories may be asked more or fewer times.
    """
    one = spec.distilled
    if one is None:
        return
    from mezzotint.pretrained.plan import levels_hash, plan

    what = f"{name} is distilled to {one.calls} calls by {one.by}"
    own = plan(spec, steps=found.steps if one.by == "consistency" else None)
    if found.scale != own.scale:
        raise UsageError(f"{what} at guidance {one.scale:g}, which is in its weights; leave --scale out")
    if found.steps != own.steps:
        raise UsageError(f"{what}, not to {found.steps}; leave --steps out")
    if found.solver != own.solver or levels_hash(found.levels) != levels_hash(own.levels):
        raise UsageError(f"{what}, with a solver and levels of its own; leave --solver and --grid out")
