"""``--guidance``: by what a model is guided: its own unconditional answer, by one rule or another, its weights
(``guide``), a worse model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mezzotint.errors import UsageError
from mezzotint.files import user_path
from mezzotint.pretrained.ruled import PROJECTED, RESCALED, Ruled, is_ruled, ruled_of

if TYPE_CHECKING:
    from mezzotint.pretrained.distilled import About, Distilled, Interval
    from mezzotint.pretrained.model import Model
    from mezzotint.pretrained.spec import Spec
    from mezzotint.pretrained.system import System
    from mezzotint.pretrained.weak import Weak

DISTILLED, FROM, AUTO = "distilled", "distilled:from=", "auto:weak="
WORDS = f"{DISTILLED}, {FROM}FILE, {AUTO}PATH, {RESCALED}:PHI or {PROJECTED}:ETA,NORM"


@dataclass(frozen=True, eq=False)
class By:
    """By what, and where.   by: None is the usual way.  interval: None is everywhere.   remark: for people, or ""."""

    by: Distilled | Weak | Ruled | None
    interval: Interval | None
    remark: str = ""


def is_weak(words: str | None) -> bool:
    """Whether words mean a worse model."""
    return words is not None and words.startswith(AUTO)


def guidance_of(words: str | None, model: Model, spec: Spec, scale: float, interval: Interval | None) -> By:
    """What the words of ``--guidance`` and ``--guidance-interval`` mean for the main stage at a scale.

    Distilled guidance that was made for another scale or interval, or for the model without what is put on it, gives
    way to the usual, with a remark.   Raises UsageError: words that are none, or without effect; nothing was made for
    the model; a worse model that is of another kind.  InputError, ModelError for files.
    """
    if words is None:
        return By(None, interval)
    system = model.system
    if scale == 1:
        raise UsageError(f"guidance {words!r} has no effect at scale 1, guidance off; give another with --scale")
    if spec.net.get("guidance") == "distilled":
        raise UsageError(f"guidance {words!r} has no effect on {system.name}: its guidance is in its weights already")
    if is_ruled(words):
        return By(ruled_of(words), interval)
    if system.refiner is not None:
        raise UsageError("--guidance does not go with a refiner, which was made for neither; leave one out")
    if is_weak(words):
        from mezzotint.pretrained.weak import weak_of

        return By(weak_of(user_path(words.removeprefix(AUTO)), model), interval)
    if words != DISTILLED and not words.startswith(FROM):
        raise UsageError(f"guidance {words!r}: expected {WORDS}")
    return _distilled(words, system, spec, scale, interval)


def _distilled(words: str, system: System, spec: Spec, scale: float, interval: Interval | None) -> By:
    from mezzotint.pretrained.distilled import about, at_hand, read

    described = system.members[system.main].described
    own = user_path(words.removeprefix(FROM)) if words != DISTILLED else None
    known = {own: about(own)} if own is not None else at_hand(described)
    if not known:
        raise UsageError(
            f"{system.name} has no distilled guidance; make it with `mezzotint guide {system.name} --scale {scale:g}`"
        )
    why = {path: _unfit(one, system, spec, scale, interval) for path, one in known.items()}
    fit = next((path for path, reason in why.items() if not reason), None)
    if fit is None:
        reasons = "; ".join(dict.fromkeys(why.values()))
        return By(None, interval, f"{reasons}: the usual guidance is taken, which asks the network twice")
    found = read(fit, described.weights_sha256)
    return By(found, found.about.interval)


def shipped_for(system: System, spec: Spec, scale: float) -> Distilled | None:
    """The distilled guidance that came with the main stage and is for this scale, at every level; else None.

    Raises InputError, ModelError for a damaged file.
    """
    from mezzotint.pretrained.distilled import read, shipped

    described = system.members[system.main].described
    for path, one in shipped(described).items():
        if one.interval is None and not _unfit(one, system, spec, scale, None):
            return read(path, described.weights_sha256)
    return None


def _unfit(one: About, system: System, spec: Spec, scale: float, interval: Interval | None) -> str:
    """Why it is not for this run, or ""."""
    if not one.holds(scale):
        low, high = one.scales
        made = f"{high:g}" if low == high else f"{low:g} to {high:g}"
        return f"the distilled guidance was made for scale {made}, not {scale:g}"
    if interval is not None and interval != one.interval:
        where = "every level" if one.interval is None else "{:g},{:g}".format(*one.interval)
        return f"the distilled guidance was made for {where}, not {interval[0]:g},{interval[1]:g}"
    if one.shape != spec.shape:
        return f"the distilled guidance was made for states of {one.shape}, not {spec.shape}"
    if system.adapters or system.attached:
        return "the distilled guidance was made for the model without what is put on it"
    return ""
