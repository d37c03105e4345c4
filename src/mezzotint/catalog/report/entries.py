"""Every asset of a run as it stands, as rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mezzotint.catalog.ledger.connect import Database
from mezzotint.catalog.ledger.runs import Run
from mezzotint.catalog.sheet import Cell, csv_text


@dataclass(frozen=True)
class Entry:
    """levels: of the run's factors, in their order.   file, receipt: "" where it is not in the catalog.

    codes: of a gate's findings, or what went wrong.  review: why a person should look at it, "" where none need.
    locked: the hash of the locked pixels, "" where none are.
    """

    id: str
    sku: str
    variant: str
    levels: tuple[str, ...]
    prompt: str
    seed: int
    bucket: int
    state: str
    file: str
    receipt: str
    pixels_sha256: str
    seconds: float
    codes: str
    review: str
    locked: str


def entries(db: Database, run: str) -> list[Entry]:
    """In the plan's order."""
    from sqlalchemy import select

    from mezzotint.catalog.ledger import tables as t

    beside = [t.made.c[name] for name in ("file", "receipt", "pixels_sha256", "seconds")]
    joined = t.asset.outerjoin(t.made, t.made.c.id == t.asset.c.id)
    query = select(t.asset, *beside).select_from(joined).where(t.asset.c.run == run).order_by(t.asset.c.number)
    return [_entry(row) for row in db.read(lambda c: c.execute(query).mappings().all())]


def _entry(row: Mapping[Any, Any]) -> Entry:
    detail: dict[str, Any] = json.loads(row["detail"]) if row["detail"] else {}
    there = row["state"] == "done"
    return Entry(
        row["id"],
        row["sku"],
        row["variant"],
        tuple(json.loads(row["levels"])),
        row["prompt"],
        row["seed"],
        row["bucket"],
        row["state"],
        str(row["file"]) if there else "",
        str(row["receipt"]) if there else "",
        str(row["pixels_sha256"]) if there else "",
        float(row["seconds"] or 0.0) if there else 0.0,
        _codes(detail),
        _review(row["state"], detail),
        str(detail.get("locked", "")),
    )


def _codes(detail: Mapping[str, Any]) -> str:
    """What a gate found, or what went wrong."""
    findings = detail.get("verdict", {}).get("findings", [])
    codes = dict.fromkeys(str(one.get("code", "")) for one in findings if isinstance(one, Mapping))
    return ", ".join(filter(None, codes)) or str(detail.get("error", ""))


def _review(state: str, detail: Mapping[str, Any]) -> str:
    said = {"blocked": "a gate blocked it", "unchecked": "a gate could not check it", "parked": "it could not be made"}
    return str(detail.get("review", "")) or said.get(state, "")


COLUMNS = (
    *("asset", "sku", "variant", "state", "file", "receipt", "pixels_sha256", "locked_sha256", "prompt", "seed"),
    *("bucket", "seconds", "codes", "review"),
)


def table(run: Run, found: Sequence[Entry]) -> str:
    """As CSV, safe for spreadsheets."""
    rows = ((*_cells(one), *one.levels) for one in found)
    return csv_text((*COLUMNS, *run.factors), rows)


def _cells(one: Entry) -> tuple[Cell, ...]:
    return (
        one.id, one.sku, one.variant, one.state, one.file, one.receipt, one.pixels_sha256, one.locked, one.prompt,
        one.seed, one.bucket, round(one.seconds, 4), one.codes, one.review,
    )  # fmt: skip


def listing(run: Run, found: Sequence[Entry]) -> list[dict[str, Any]]:
    """As JSON."""
    return [
        {**dict(zip(COLUMNS, _cells(one), strict=True)), "levels": dict(zip(run.factors, one.levels, strict=True))}
        for one in found
    ]
