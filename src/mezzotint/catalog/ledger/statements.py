"""What is asked of the tables for every batch, built once.   Parameters: ``of``, a run; ``no``, a batch of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, String, Text, bindparam, case, cast, column, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from mezzotint.catalog.ledger import tables as t

SLOWER = 0.8
"""How fast the pace of a slow batch is forgotten."""

OF: Any = bindparam("of")
NO: Any = bindparam("no")
TOOK_NOW: Any = bindparam("took", type_=Float)
THIS: Any = (t.batch.c.run == OF) & (t.batch.c.number == NO)

GOING = select(t.run).where((t.run.c.state == "running") | (t.run.c.id == OF)).order_by(t.run.c.id).with_for_update()
"""A run, and those that go beside it; locked, so that no two of them lease the same asset in one moment."""

UNSYNCED = GOING.add_columns(func.set_config("synchronous_commit", "off", True))
"""The same of PostgreSQL, whose disk nobody waits for then: a lease that a crash forgets is a batch made by another."""

LEASED = select(t.batch).where(t.batch.c.run == OF, t.batch.c.state == "leased")

NEXT = (
    select(t.batch, t.recipe.c.work)
    .join(t.recipe, (t.recipe.c.run == t.batch.c.run) & (t.recipe.c.number == t.batch.c.recipe))
    .where(t.batch.c.run == OF, t.batch.c.state == "waiting", t.batch.c.begin_after <= bindparam("now"))
    .order_by(t.batch.c.number)
    .limit(1)
    .with_for_update(skip_locked=True, of=t.batch)
)
LATER = update(t.batch).where(THIS).values(begin_after=bindparam("then"))
HELD = update(t.batch).where(THIS).values(state="leased", owner=bindparam("by"), until=bindparam("end"), used=0.0)

HOLDERS = select(t.batch).where(t.batch.c.run.in_(bindparam("others", expanding=True)), t.batch.c.state == "leased")
LEFT = select(t.asset.c.id).where(t.asset.c.run == OF, t.asset.c.batch == NO, t.asset.c.state == "waiting")
THEIRS = select(t.asset.c.id).where(tuple_(t.asset.c.run, t.asset.c.batch).in_(bindparam("held", expanding=True)))

ANY = select(t.batch.c.number).where(t.batch.c.run == OF, t.batch.c.state.in_(bindparam("states", expanding=True)))
WISHES = (
    select(t.asset.c.id, t.asset.c.sku, t.asset.c.variant, t.asset.c.prompt, t.asset.c.seed)
    .where(t.asset.c.run == OF, t.asset.c.batch == NO, t.asset.c.state == "waiting")
    .order_by(t.asset.c.number)
)

MINE: Any = THIS & (t.batch.c.state == "leased") & (t.batch.c.owner == bindparam("by"))
"""The batch, where its lease is still this one."""

FREED = update(t.batch).where(MINE).values(state="waiting", owner=None, until=None)
BEAT = update(t.batch).where(MINE).values(used=TOOK_NOW, until=bindparam("end"))
DONE = update(t.batch).where(MINE).values(state="done", used=TOOK_NOW, until=None)
GIVEN = FREED.values(used=TOOK_NOW)
FAILED = GIVEN.values(
    state=bindparam("after"), begin_after=bindparam("then"), tries=t.batch.c.tries + 1, error=bindparam("why")
)
LAST = select(t.batch.c.state).where(THIS, t.batch.c.owner == bindparam("by"))

PACE: Any = bindparam("pace", type_=Float)
"""Seconds that a unit of work took, or needs."""

TOOK = update(t.run).where(t.run.c.id == OF).values(seconds=t.run.c.seconds + TOOK_NOW)
TOOK_AT = TOOK.values(rate=case((SLOWER * t.run.c.rate < PACE, PACE), else_=SLOWER * t.run.c.rate))
SLOWED = update(t.run).where(t.run.c.id == OF, t.run.c.rate < PACE).values(rate=PACE)

MADE = ("id", "run", "receipt", "pixels_sha256", "file", "seconds", "created")
NOTED: Any = (
    update(t.asset)
    .where(t.asset.c.run == OF, t.asset.c.id == bindparam("which"))
    .values(state=bindparam("now"), detail=bindparam("why"))
)
ENTERED = sqlite.insert(t.made).on_conflict_do_nothing(index_elements=["id"])


def _recordset(*columns: Any) -> Any:
    """PostgreSQL's: one parameter, ``rows``, a JSON of all rows."""
    said = cast(bindparam("rows", type_=Text), postgresql.JSON)
    return func.json_to_recordset(said).table_valued(*columns).render_derived(name="said", with_types=True)


def noted_at_once() -> Any:
    """``NOTED`` of all assets in one statement, of PostgreSQL."""
    said = _recordset(column("which", String), column("now", String), column("why", Text))
    ids = bindparam("ids", type_=postgresql.ARRAY(String))  # said twice: by it the index is used, whatever is known
    these = (t.asset.c.run == OF) & (t.asset.c.id == func.any(ids)) & (t.asset.c.id == said.c.which)
    return update(t.asset).where(these).values(state=said.c.now, detail=said.c.why)


def entered_at_once() -> Any:
    """``ENTERED`` of all rows in one statement, of PostgreSQL."""
    said = _recordset(*(column(name, t.made.c[name].type) for name in MADE))
    rows = select(*(said.c[name] for name in MADE))
    return postgresql.insert(t.made).from_select(MADE, rows).on_conflict_do_nothing(index_elements=["id"])


NOTED_AT_ONCE, ENTERED_AT_ONCE = noted_at_once(), entered_at_once()
