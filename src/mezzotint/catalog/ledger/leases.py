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

MARGIN, SLOWER = 1.25, 0.8
"""How much more than it took the next batch may take; how fast that is forgotten."""


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
    from sqlalchemy import select, update

    from mezzotint.catalog.ledger import tables as t

    line = c.execute(select(t.run).where(t.run.c.id == run)).mappings().one()
    if line["state"] not in ("running", "over_budget"):
        return str(line["state"])
    _reclaim(c, line, lambda row: _is_gone(row, now))
    waiting = select(t.batch).where(t.batch.c.run == run, t.batch.c.state == "waiting", t.batch.c.begin_after <= now)
    row = (
        c.execute(waiting.order_by(t.batch.c.number).limit(1).with_for_update(skip_locked=True))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return _why_none(c, run)
    if _held_elsewhere(c, run, row["number"], now):
        c.execute(update(t.batch).where(_is(run, row["number"])).values(begin_after=now + LATER_SECONDS))
        return "busy"
    recipe = (t.recipe.c.run == run) & (t.recipe.c.number == row["recipe"])
    work = c.execute(select(t.recipe.c.work).where(recipe)).scalar_one()
    if not covers(work * line["rate"]):
        return "over_budget" if _why_none(c, run, "leased") == "done" else "busy"
    held = {"state": "leased", "owner": owner, "until": now + LEASE_SECONDS, "used": 0.0}
    c.execute(update(t.batch).where(_is(run, row["number"])).values(**held))
    return Lease(run, row["number"], owner, row["recipe"], work, row["tries"], _wishes(c, run, row["number"]))


def _held_elsewhere(c: Connection, run: str, number: int, now: float) -> bool:
    """Whether an asset of a batch is being made for another run: it will be there soon, perhaps in another shape."""
    from sqlalchemy import select, tuple_

    from mezzotint.catalog.ledger import tables as t

    others = _others(c, run)
    if not others:
        return False
    leased = select(t.batch).where(t.batch.c.run.in_(others), t.batch.c.state == "leased")
    held = [(row["run"], row["number"]) for row in c.execute(leased).mappings() if not _is_gone(row, now)]
    mine = select(t.asset.c.id).where(t.asset.c.run == run, t.asset.c.batch == number, t.asset.c.state == "waiting")
    theirs = select(t.asset.c.id).where(tuple_(t.asset.c.run, t.asset.c.batch).in_(held))
    return not set(c.execute(mine).scalars()).isdisjoint(c.execute(theirs).scalars())


def _others(c: Connection, run: str) -> list[str]:
    """Runs that go beside one.  Their rows are locked, so that no two of them lease the same in one moment."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    going = select(t.run.c.id).where((t.run.c.state == "running") | (t.run.c.id == run))
    return [one for one in c.execute(going.order_by(t.run.c.id).with_for_update()).scalars() if one != run]


def _is_gone(row: RowMapping, now: float) -> bool:
    """Whether the holder of a leased batch is."""
    return is_gone(row["owner"]) or row["until"] < now


def _is(run: str, number: int) -> Any:
    from mezzotint.catalog.ledger import tables as t

    return (t.batch.c.run == run) & (t.batch.c.number == number)


def _why_none(c: Connection, run: str, *states: str) -> str:
    """Whether any batch is in one of the states: then others have it."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    left = select(t.batch.c.number).where(t.batch.c.run == run, t.batch.c.state.in_(states or ("waiting", "leased")))
    return "done" if c.execute(left.limit(1)).one_or_none() is None else "busy"


def _wishes(c: Connection, run: str, number: int) -> tuple[Wish, ...]:
    """What is left to make of a batch, each id once."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.asset).where(t.asset.c.run == run, t.asset.c.batch == number, t.asset.c.state == "waiting")
    rows = c.execute(query.order_by(t.asset.c.number)).mappings().all()
    found = [Wish(r["id"], r["sku"], r["variant"], r["prompt"], r["seed"]) for r in rows]
    return tuple({wish.id: wish for wish in reversed(found)}.values())[::-1]


def _reclaim(c: Connection, line: RowMapping, gone: Callable[[RowMapping], bool]) -> None:
    """Leased batches that are gone wait again."""
    from sqlalchemy import select, update

    from mezzotint.catalog.ledger import tables as t

    leased = select(t.batch).where(t.batch.c.run == line["id"], t.batch.c.state == "leased")
    for row in c.execute(leased.with_for_update(skip_locked=True)).mappings().all():
        if gone(row):
            _took(c, line["id"], row["used"])
            freed = {"state": "waiting", "owner": None, "until": None}
            c.execute(update(t.batch).where(_is(line["id"], row["number"])).values(**freed))


def release(db: Database, run: str, owner: str) -> None:
    """What an owner held waits again: it is known to be gone."""

    def change(c: Connection) -> None:
        from sqlalchemy import select

        from mezzotint.catalog.ledger import tables as t

        line = c.execute(select(t.run).where(t.run.c.id == run)).mappings().one()
        _reclaim(c, line, lambda row: bool(row["owner"] == owner))

    db.write(change)


def _took(c: Connection, run: str, seconds: float, **more: Any) -> None:
    from sqlalchemy import update

    from mezzotint.catalog.ledger import tables as t

    c.execute(update(t.run).where(t.run.c.id == run).values(seconds=t.run.c.seconds + seconds, **more))


def _mine(c: Connection, held: Lease) -> RowMapping | None:
    """The batch, where the lease is still this one."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    mine = _is(held.run, held.number) & (t.batch.c.state == "leased") & (t.batch.c.owner == held.owner)
    return c.execute(select(t.batch).where(mine).with_for_update()).mappings().one_or_none()


def beat(db: Database, held: Lease, used: float, now: float) -> bool:
    """A sign of life.   used: seconds of this try so far.   Returns: whether the lease holds."""

    def change(c: Connection) -> bool:
        from sqlalchemy import update

        from mezzotint.catalog.ledger import tables as t

        holds = _mine(c, held) is not None
        if holds:
            c.execute(update(t.batch).where(_is(held.run, held.number)).values(used=used, until=now + LEASE_SECONDS))
        return holds

    return db.write(change)


def finish(db: Database, held: Lease, outcomes: Sequence[Outcome], seconds: float, state: str = "done") -> bool:
    """Ends a batch: what became of its assets, what it took.   Returns: False where the lease was lost."""

    def change(c: Connection) -> bool:
        row = _mine(c, held)
        if row is None:
            return _ended(c, held, state)
        _enter(c, held.run, outcomes)
        _close(c, held, seconds, {"state": state})
        return True

    return db.write(change)


def _ended(c: Connection, held: Lease, state: str) -> bool:
    """Whether it was this worker that finished it, before the connection was lost."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.batch).where(_is(held.run, held.number) & (t.batch.c.owner == held.owner))
    row = c.execute(query).mappings().one_or_none()
    return row is not None and row["state"] == state


def _close(c: Connection, held: Lease, seconds: float, values: Mapping[str, Any]) -> None:
    from sqlalchemy import select, update

    from mezzotint.catalog.ledger import tables as t

    rate = {}
    if values["state"] == "done" and held.work and seconds:
        before = c.execute(select(t.run.c.rate).where(t.run.c.id == held.run)).scalar_one()
        rate = {"rate": max(MARGIN * seconds / held.work, SLOWER * before)}
    _took(c, held.run, seconds, **rate)
    c.execute(update(t.batch).where(_is(held.run, held.number)).values(used=seconds, until=None, **values))


def _enter(c: Connection, run: str, outcomes: Sequence[Outcome]) -> None:
    from sqlalchemy import bindparam, update

    from mezzotint.catalog.ledger import tables as t

    rows = [dict(one.made) for one in outcomes if one.made is not None]
    if rows:
        c.execute(_insert(c)(t.made).on_conflict_do_nothing(index_elements=["id"]), rows)
    if outcomes:
        which = (t.asset.c.run == run) & (t.asset.c.id == bindparam("which"))
        change = update(t.asset).where(which).values(state=bindparam("now"), detail=bindparam("why"))
        c.execute(change, [{"which": o.id, "now": o.state, "why": json.dumps(o.detail)} for o in outcomes])


def _insert(c: Connection) -> Callable[[Any], Any]:
    if c.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql

        return postgresql
    from sqlalchemy.dialects.sqlite import insert as sqlite

    return sqlite


def fail(db: Database, held: Lease, error: str, seconds: float, again: float | None, state: str = "parked") -> bool:
    """A try that failed.

    again: when it may be tried next; None parks it for good, its assets in ``state``.
    """

    def change(c: Connection) -> bool:
        row = _mine(c, held)
        if row is None:
            return False
        after = {"state": "parked"} if again is None else {"state": "waiting", "begin_after": again, "owner": None}
        _close(c, held, seconds, {**after, "tries": held.tries + 1, "error": error[:500]})
        if again is None:
            _enter(c, held.run, [Outcome(wish.id, state, {"error": error[:500]}) for wish in held.wishes])
        return True

    return db.write(change)


def give_back(db: Database, held: Lease, seconds: float, needed: float = 0.0) -> bool:
    """A batch that was not finished waits again, for anyone.   needed: seconds that it is known to need, so that nobody
    begins it with less."""

    def change(c: Connection) -> bool:
        from sqlalchemy import select, update

        from mezzotint.catalog.ledger import tables as t

        row = _mine(c, held)
        if row is not None:
            _close(c, held, seconds, {"state": "waiting", "owner": None})
            rate = c.execute(select(t.run.c.rate).where(t.run.c.id == held.run)).scalar_one()
            slower = max(rate, needed / held.work) if held.work else rate
            c.execute(update(t.run).where(t.run.c.id == held.run).values(rate=slower))
        return row is not None

    return db.write(change)


def conclude(db: Database, run: str, state: str) -> None:
    """Notes how a run ended, unless somebody steered it meanwhile."""
    from sqlalchemy import update

    from mezzotint.catalog.ledger import tables as t

    change = update(t.run).where(t.run.c.id == run, t.run.c.state.in_(("running", "over_budget"))).values(state=state)
    db.write(lambda c: c.execute(change))
