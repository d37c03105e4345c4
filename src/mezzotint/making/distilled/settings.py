"""What ``distill`` is asked for, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from mezzotint.errors import UsageError, unknown
from mezzotint.pretrained.spec import METHODS

FORMS = ("weights", "adapter")
MOST = 8
"""Calls: with more a learned solver does as well, and leaves the weights as they are."""

LEAST = 200
"""Held-out rows that a kernel distance needs."""


@dataclass(frozen=True)
class Settings:
    """How a model is distilled.

    by: one of ``METHODS``.  form: what is learnt, one of ``FORMS``.  updates, batch, rate: of the run; None is the
    usual rate of the form.  rows: of the teacher's walks that are learnt from.  held: rows of the check.
    teacher: its steps.  rank: of the adapter.  last: sigma/alpha of the last call, None for the usual.
    loss: of a trajectory's ends, a name of ``calibrated.losses``, None for the one that suits.
    q: how near the two levels of consistency lie, 1/q apart.  together: rows of the network computed at once.
    snapshot: updates between averages that are kept, 0 for none.
    """

    calls: int = 2
    by: str = "trajectory"
    form: str = "weights"
    updates: int = 2000
    batch: int = 64
    rate: float | None = None
    rows: int = 8192
    held: int = 256
    teacher: int = 16
    rank: int = 16
    last: float | None = None
    loss: str | None = None
    q: float = 64.0
    together: int = 32
    seed: int = 0
    snapshot: int = 0


def checked(said: Settings, data: bool, scale: float | None) -> Settings:
    """The same.  Raises UsageError for what no model is distilled with."""
    for what, value, known in (("--by", said.by, METHODS), ("--as", said.form, FORMS)):
        if value not in known:
            raise unknown(what, value, known)
    if not 1 <= said.calls <= MOST:
        raise UsageError(f"calls is {said.calls}; expected 1 to {MOST}: for more, `mezzotint calibrate` fits a solver")
    if said.by == "trajectory" and said.calls >= said.teacher:
        raise UsageError(f"calls is {said.calls} and the teacher makes {said.teacher}; give fewer, or more --teacher")
    least = {"updates": 1, "batch": 1, "rows": said.batch, "held": LEAST, "rank": 1, "q": 2, "snapshot": 0}
    for name, low in least.items():
        if not getattr(said, name) >= low:
            raise UsageError(f"{name} is {getattr(said, name)}; expected {low} or more")
    if said.rate is not None and not 0 < said.rate < 1:
        raise UsageError(f"rate is {said.rate}; expected above 0 and below 1")
    _check_data(said, data, scale)
    return said


def _check_data(said: Settings, data: bool, scale: float | None) -> None:
    if said.by == "consistency" and not data:
        raise UsageError("consistency is learnt from data: give a folder with --data, or --by trajectory, without any")
    if said.by == "trajectory" and data:
        raise UsageError("a trajectory is the teacher's own and needs no data; leave --data out, or --by consistency")
    if said.by == "consistency" and scale not in (None, 1.0):
        raise UsageError(
            f"scale is {scale}: data know no guidance, so consistency is learnt at scale 1; use --by trajectory"
        )
