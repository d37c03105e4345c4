"""``catalog report``: one self-contained page of a run, and its rows beside it; made anew each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.runs import Run, counts
from mezzotint.catalog.money import spent_by
from mezzotint.catalog.report.entries import Entry, entries, listing, table
from mezzotint.catalog.report.thumbs import thumb
from mezzotint.catalog.store import Store
from mezzotint.costs.book import money as amount
from mezzotint.files import pretty_json

SCHEMA = "mezzotint/catalog/1"
PAGE, SHEET, LISTING = "report.html", "catalog.csv", "catalog.json"
PLACE = "__DATA__"

Told = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Nobody is told."""


def write_report(db: Database, store: Store, run: Run, told: Told = silent) -> dict[str, Any]:
    """Writes ``report.html``, ``catalog.csv``, ``catalog.json``.   Returns: what the last one holds.

    Raises StorageError.
    """
    found = entries(db, run.id)
    document = {"schema": SCHEMA, **_summary(db, run), "assets": listing(run, found)}
    store.put(SHEET, table(run, found).encode("utf-8-sig"))
    store.put(LISTING, pretty_json(document).encode())
    store.put(PAGE, page(db, store, run, found, told).encode())
    return document


def _summary(db: Database, run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "state": run.state,
        "manifest": run.address,
        "manifest_sha256": run.manifest_sha256,
        "words": run.words.table,
        "factors": list(run.factors),
        "counts": counts(db, run.id),
        "seconds": {"planned": round(run.planned_seconds, 3), "spent": round(run.seconds, 3)},
        "money": _money(run),
        "rungs": list(run.rungs),
    }


def _money(run: Run) -> dict[str, str | None] | None:
    if not run.per_hour:
        return None
    planned = round(run.planned_seconds * run.per_hour / 3600)
    return {
        "per_hour": str(amount(run.per_hour, run.currency)),
        "planned": str(amount(planned, run.currency)),
        "spent": str(spent_by(run).spent),
        "budget": None if run.cap is None else str(amount(run.cap, run.currency)),
    }


def page(db: Database, store: Store, run: Run, found: Sequence[Entry], told: Told = silent) -> str:
    """The page: nothing in it is fetched from elsewhere but the full pictures, by their names beside it."""
    assets = []
    for number, one in enumerate(found):
        small = thumb(store, one.file) if one.file else ""
        assets.append(
            [one.sku, one.variant, one.state, one.file, one.receipt, small, one.codes, one.review, one.prompt,
             one.id, str(one.seed), *one.levels]
        )  # fmt: skip
        told(number + 1, len(found))
    data = json.dumps({**_summary(db, run), "assets": assets}, ensure_ascii=False, separators=(",", ":"))
    return (files("mezzotint.catalog.report") / "page.html").read_text("utf-8").replace(PLACE, _in_script(data))


def _in_script(data: str) -> str:
    """JSON that ends no script element, whatever a cell says."""
    return data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
