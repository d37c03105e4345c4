"""Batches leased to workers; what a dead worker held goes back.  What batches cost is in the book of ``costs``.

A batch is finished once, by whoever holds its lease then: who comes late finds that it is not his any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.owner import is_gone

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

LEASE_SECONDS, BEAT_SECONDS = 600.0, 1.0
"""For how long a worker of another machine may be silent; how often each is heard."""

LATER_SECONDS = 0.5
"""Until a batch is looked at again of which another run makes an asset."""

MARGIN = 1.25
"""How much more than it took the next batch may take."""


@dataclass(frozen=True)
class Wish:
    """An asset of a batch."""

    id: str
    sku: str
    variant: str
    prompt: str
    seed: int


@dataclass(frozen=True)
class Lease:
    """A batch that is held.   tries: that failed before."""

    run: str
    number: int
    owner: str
    recipe: int
    work: int
    tries: int
    wishes: tuple[Wish, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of an asset.   made: the row of what was made, where it is in the catalog.   detail: for reports."""

    id: str
    state: str
    detail: Mapping[str, Any]
    made: Mapping[str, Any] | None = None


Covers = Callable[[float], bool]
"""Whether so many seconds may be spent: they are set aside then."""


def free(seconds: float) -> bool:
    """Where time has no price."""
    return True


def lease(db: Database, run: str, owner: str, now: float, covers: Covers = free) -> Lease | str:
    """The next batch, set aside for; else why there is none: the run's state, "busy" where others hold what is left,
    "over_budget" where it cannot be paid, "done"."""
    return db.write(lambda connection: _lease(connection, run, owner, now, covers))


def _lease(c: Connection, run: str, owner: str, now: float, covers: Covers) -> Lease | str:
    from mezzotint.catalog.ledger import statements as said

    runs = said.UNSYNCED if c.dialect.name == "postgresql" else said.GOING
    going = {row["id"]: row for row in c.execute(runs, {"of": run}).mappings()}
    line = going.pop(run)
    if line["state"] not in ("running", "over_budget"):
        return str(line["state"])
    _reclaim(c, run, lambda row: _is_gone(row, now))
    row = c.execute(said.NEXT, {"of": run, "now": now}).mappings().one_or_none()
    if row is None:
        return _why_none(c, run)
    this = {"of": run, "no": row["number"]}
    if going and _held_elsewhere(c, this, list(going), now):
        c.execute(said.LATER, {**this, "then": now + LATER_SECONDS})
        return "busy"
    if not covers(row["work"] * line["rate"]):
        return "over_budget" if _why_none(c, run, "leased") == "done" else "busy"
    c.execute(said.HELD, {**this, "by": owner, "end": now + LEASE_SECONDS})
    return Lease(run, row["number"], owner, row["recipe"], row["work"], row["tries"], _wishes(c, this))


def _held_elsewhere(c: Connection, this: Mapping[str, Any], others: Sequence[str], now: float) -> bool:
    """Whether an asset of a batch is being made for another run: it will be there soon, perhaps in another shape."""
    from mezzotint.catalog.ledger import statements as said

    leased = c.execute(said.HOLDERS, {"others": others}).mappings()
    held = [(row["run"], row["number"]) for row in leased if not _is_gone(row, now)]
    mine, theirs = c.execute(said.LEFT, this), c.execute(said.THEIRS, {"held": held})
    return not set(mine.scalars()).isdisjoint(theirs.scalars())


def _is_gone(row: RowMapping, now: float) -> bool:
    """Whether the holder of a leased batch is."""
    return is_gone(row["owner"]) or row["until"] < now


def _why_none(c: Connection, run: str, *states: str) -> str:
    """Whether any batch is in one of the states: then others have it."""
    from mezzotint.catalog.ledger import statements as said

    left = c.execute(said.ANY.limit(1), {"of": run, "states": states or ("waiting", "leased")})
    return "done" if left.one_or_none() is None else "busy"


def _wishes(c: Connection, this: Mapping[str, Any]) -> tuple[Wish, ...]:
    """What is left to make of a batch, each id once."""
    from mezzotint.catalog.ledger import statements as said

    found = [Wish(*row) for row in c.execute(said.WISHES, this)]
    return tuple({wish.id: wish for wish in reversed(found)}.values())[::-1]


def _reclaim(c: Connection, run: str, gone: Callable[[RowMapping], bool]) -> None:
    """Leased batches that are gone wait again."""
    from mezzotint.catalog.ledger import statements as said

    for row in c.execute(said.LEASED, {"of": run}).mappings().all():
        its = {"of": run, "no": row["number"], "by": row["owner"]}
        if gone(row) and c.execute(said.FREED, its).rowcount:
            c.execute(said.TOOK, {"of": run, "took": row["used"]})


def release(db: Database, run: str, owner: str) -> None:
    """What an owner held waits again: it is known to be gone."""
    db.write(lambda c: _reclaim(c, run, lambda row: bool(row["owner"] == owner)))


def _its(held: Lease, **more: Any) -> dict[str, Any]:
    """Parameters of the batch of a lease."""
    return {"of": held.run, "no": held.number, "by": held.owner, **more}


def beat(db: Database, held: Lease, used: float, now: float) -> bool:
    """A sign of life.   used: seconds of this try so far.   Returns: whether the lease holds."""

    def change(c: Connection) -> bool:
        from mezzotint.catalog.ledger import statements as said

        return bool(c.execute(said.BEAT, _its(held, took=used, end=now + LEASE_SECONDS)).rowcount)

    return db.write(change)


def finish(db: Database, held: Lease, outcomes: Sequence[Outcome], seconds: float) -> bool:
    """Ends a batch: what became of its assets, what it took.   Returns: False where the lease was lost."""

    def change(c: Connection) -> bool:
        from mezzotint.catalog.ledger import statements as said

        if not c.execute(said.DONE, _its(held, took=seconds)).rowcount:
            return c.execute(said.LAST, _its(held)).scalar_one_or_none() == "done"  # before the connection was lost
        _enter(c, held.run, outcomes)
        took = {"of": held.run, "took": seconds}
        if held.work and seconds:
            c.execute(said.TOOK_AT, {**took, "pace": MARGIN * seconds / held.work})
        else:
            c.execute(said.TOOK, took)
        return True

    return db.write(change)


def _enter(c: Connection, run: str, outcomes: Sequence[Outcome]) -> None:
    from mezzotint.catalog.ledger import statements as said

    rows = [dict(one.made) for one in outcomes if one.made is not None]
    notes = [{"which": o.id, "now": o.state, "why": json.dumps(o.detail)} for o in outcomes]
    if c.dialect.name == "postgresql":  # each row by itself costs a server more than it costs a file
        c.execute(said.ENTERED_AT_ONCE, {"rows": json.dumps(rows)})
        c.execute(said.NOTED_AT_ONCE, {"of": run, "ids": [o.id for o in outcomes], "rows": json.dumps(notes)})
        return
    if rows:
        c.execute(said.ENTERED, rows)
    if notes:
        c.execute(said.NOTED, [{"of": run, **note} for note in notes])


def fail(db: Database, held: Lease, error: str, seconds: float, again: float | None, state: str = "parked") -> bool:
    """A try that failed.

    again: when it may be tried next; None parks it for good, its assets in ``state``.
    """

    def change(c: Connection) -> bool:
        from mezzotint.catalog.ledger import statements as said

        after = {"after": "parked", "then": 0.0} if again is None else {"after": "waiting", "then": again}
        values = _its(held, took=seconds, why=error[:500], **after)
        if not c.execute(said.FAILED, values).rowcount:
            return False
        c.execute(said.TOOK, {"of": held.run, "took": seconds})
        if again is None:
            _enter(c, held.run, [Outcome(wish.id, state, {"error": error[:500]}) for wish in held.wishes])
        return True

    return db.write(change)


def give_back(db: Database, held: Lease, seconds: float, needed: float = 0.0) -> bool:
    """A batch that was not finished waits again, for anyone.   needed: seconds that it is known to need, so that nobody
    begins it with less."""

    def change(c: Connection) -> bool:
        from mezzotint.catalog.ledger import statements as said

        if not c.execute(said.GIVEN, _its(held, took=seconds)).rowcount:
            return False
        c.execute(said.TOOK, {"of": held.run, "took": seconds})
        if held.work:
            c.execute(said.SLOWED, {"of": held.run, "pace": needed / held.work})
        return True

    return db.write(change)


def conclude(db: Database, run: str, state: str) -> None:
    """Notes how a run ended, unless somebody steered it meanwhile."""
    from sqlalchemy import update

    from mezzotint.catalog.ledger import tables as t

    change = update(t.run).where(t.run.c.id == run, t.run.c.state.in_(("running", "over_budget"))).values(state=state)
    db.write(lambda c: c.execute(change))
