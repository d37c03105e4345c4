"""Runs: entered with their plan, looked at, steered from other terminals."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.plan.plan import Plan
from mezzotint.catalog.plan.words import Recipe, Words, words_of
from mezzotint.errors import InputError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

PIECE = 10_000
"""Rows that are written by one statement."""


@dataclass(frozen=True)
class Budgeted:
    """What a run may take.   per_hour, cap: in millionths of the currency; no cap is None, no price 0.

    book: the id of the book in which its cap is counted, None without one.
    rate: seconds that a unit of work takes at most.   seconds: that are planned.
    """

    currency: str = ""
    per_hour: int = 0
    cap: int | None = None
    rate: float = 0.0
    seconds: float = 0.0
    book: str | None = None


@dataclass(frozen=True)
class Run:
    """One, as it stands.

    per_hour, cap: in millionths.   book: in which the cap is counted.
    planned_seconds: of the plan; seconds: that batches took so far.
    distinct_by: how far siblings have to be apart; 0 is not at all.
    """

    id: str
    created: float
    state: str
    address: str
    manifest_sha256: str
    words: Words
    factors: tuple[str, ...]
    columns: tuple[str, ...]
    rungs: tuple[str, ...]
    planned_seconds: float
    currency: str
    per_hour: int
    cap: int | None
    book: str | None
    seconds: float
    rate: float
    distinct_by: float


def add_run(db: Database, run: str, plan: Plan, address: str, manifest_sha256: str, priced: Budgeted) -> None:
    """Enters a run with its plan, all or nothing; one that is there already is left as it is."""
    from sqlalchemy import func, insert, select
    from sqlalchemy.exc import IntegrityError

    from mezzotint.catalog.ledger import tables as t

    def enter(connection: Connection) -> None:
        if connection.execute(select(func.count()).select_from(t.run).where(t.run.c.id == run)).scalar_one():
            return
        connection.execute(insert(t.run), _run_row(run, plan, address, manifest_sha256, priced))
        for table, rows in (
            (t.recipe, _recipes(run, plan)),
            (t.batch, _batches(run, plan)),
            (t.asset, _assets(run, plan)),
        ):
            for piece in _pieces(rows):
                connection.execute(insert(table), piece)
        counted(connection)

    try:
        db.write(enter)
    except IntegrityError:  # another process entered it in the same moment
        return


def counted(connection: Connection) -> None:
    """Lets PostgreSQL count what was entered, or it reads all of a run for every batch until it does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE batch, asset")


def _pieces(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    several = iter(rows)
    while piece := list(islice(several, PIECE)):
        yield piece


def _run_row(run: str, plan: Plan, address: str, manifest_sha256: str, priced: Budgeted) -> dict[str, Any]:
    columns = list(plan.assets[0].asset.row.cells) if plan.assets else []
    return {
        "id": run,
        "created": time.time(),
        "state": "running",
        "address": address,
        "manifest_sha256": manifest_sha256,
        "words": json.dumps(plan.words.table),
        "factors": json.dumps(plan.brief.names),
        "columns": json.dumps(columns),
        "rungs": json.dumps(list(map(str, plan.rungs))),
        "planned_seconds": priced.seconds,
        "currency": priced.currency,
        "per_hour": priced.per_hour,
        "cap": priced.cap,
        "book": priced.book,
        "seconds": 0.0,
        "rate": priced.rate,
        "distinct_by": plan.brief.distinct,
    }


def _recipes(run: str, plan: Plan) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(plan.recipes):
        said = json.dumps(asdict(one.recipe))
        yield {"run": run, "number": number, "id": one.id, "said": said, "rows": one.rows, "work": one.work}


def _batches(run: str, plan: Plan) -> Iterator[dict[str, Any]]:
    fresh = {"state": "waiting", "begin_after": 0.0, "tries": 0, "used": 0.0}
    for number, one in enumerate(plan.batches):
        yield {"run": run, "number": number, "recipe": one.recipe, **fresh}


def _assets(run: str, plan: Plan) -> Iterator[dict[str, Any]]:
    batch_of = {plan.assets[k].id: number for number, one in enumerate(plan.batches) for k in one.assets}
    for number, one in enumerate(plan.assets):
        asset = one.asset
        yield {
            "run": run,
            "number": number,
            "id": one.id,
            "recipe": one.recipe,
            "batch": batch_of.get(one.id),
            "sku": asset.row.sku,
            "variant": asset.variant,
            "levels": json.dumps(asset.levels),
            "prompt": asset.prompt,
            "seed": asset.seed,
            "bucket": asset.bucket,
            "again": 0,
            "state": "parked" if one.error else "done" if one.kept else "waiting",
            "detail": json.dumps({"error": one.error}) if one.error else None,
        }


def find_run(db: Database, run: str | None = None) -> Run | None:
    """A run; the last one where none is named; None where there is none."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.run) if run is None else select(t.run).where(t.run.c.id == run)
    row = db.read(lambda c: c.execute(query.order_by(t.run.c.created.desc()).limit(1)).mappings().one_or_none())
    if row is None:
        return None
    texts = {name: tuple(json.loads(row[name])) for name in ("factors", "columns", "rungs")}
    return Run(**{**row, **texts, "words": words_of(json.loads(row["words"]))})


def the_run(db: Database, run: str | None = None) -> Run:
    """The same.  Raises InputError where there is none."""
    found = find_run(db, run)
    if found is None:
        raise InputError(f"no run {run or ''} in the ledger {db.name}; `mezzotint catalog run` begins one")
    return found


def recipes_of(db: Database, run: str) -> list[tuple[str, Recipe, int, int]]:
    """(id, recipe, rows, work) of each, by number."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.recipe).where(t.recipe.c.run == run).order_by(t.recipe.c.number)
    rows = db.read(lambda c: c.execute(query).mappings().all())
    return [(row["id"], Recipe(**json.loads(row["said"])), row["rows"], row["work"]) for row in rows]


def counts(db: Database, run: str) -> dict[str, int]:
    """Assets by state."""
    from sqlalchemy import func, select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.asset.c.state, func.count()).where(t.asset.c.run == run).group_by(t.asset.c.state)
    found: dict[str, int] = dict(db.read(lambda c: [(str(state), int(n)) for state, n in c.execute(query)]))
    return {state: found.get(state, 0) for state in t.STATES}


def kept_ids(db: Database, ids: Sequence[str] | None = None) -> set[str]:
    """What was made, of these ids, or of all."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    query = select(t.made.c.id) if ids is None else select(t.made.c.id).where(t.made.c.id.in_(ids))
    return set(db.read(lambda c: c.execute(query).scalars().all()))


def again(db: Database, run: str, cap: tuple[int, str] | None) -> None:
    """Lets a run go on: what was parked waits again.   cap: another, and the book that counts it; None leaves it."""
    from sqlalchemy import select, update

    from mezzotint.catalog.ledger import tables as t

    def change(c: Connection) -> None:
        stopped = t.run.c.state.in_(("over_budget", "cancelled", "done"))
        c.execute(update(t.run).where(t.run.c.id == run, stopped).values(state="running"))
        if cap is not None:
            c.execute(update(t.run).where(t.run.c.id == run).values(cap=cap[0], book=cap[1]))
        parked = (t.asset.c.run == run) & (t.asset.c.state == "parked")
        batches = select(t.asset.c.batch).where(parked)
        idle = t.batch.c.state.in_(("done", "parked"))
        c.execute(
            update(t.batch)
            .where(t.batch.c.run == run, t.batch.c.number.in_(batches), idle)
            .values(state="waiting", owner=None, tries=0, begin_after=0.0)
        )
        c.execute(update(t.asset).where(parked, t.asset.c.batch.is_not(None)).values(state="waiting", detail=None))

    db.write(change)


STEERED = {"pause": ("running", "paused"), "resume": ("paused", "running"), "cancel": ("", "cancelled")}


def steer(db: Database, run: str, what: str) -> Run:
    """Pauses, resumes or cancels a run.  Raises UsageError where it is in no state for that."""
    from sqlalchemy import update

    from mezzotint.catalog.ledger import tables as t

    before, after = STEERED[what]
    allowed = (before,) if before else ("running", "paused", "over_budget")
    change = update(t.run).where(t.run.c.id == run, t.run.c.state.in_(allowed)).values(state=after)
    changed = db.write(lambda c: c.execute(change).rowcount)
    found = the_run(db, run)
    if not changed and found.state != after:
        hint = "; `mezzotint catalog run` takes it up again" if what == "resume" else ""
        raise UsageError(f"run {run} is {found.state}; only one that is {' or '.join(allowed)} can be {after}{hint}")
    return found
