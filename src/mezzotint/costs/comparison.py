"""A page that sets our pictures beside a photographer's and those of hosted services: every number dated, and editable.

One file without anything from elsewhere.  It compares money alone: pictures of other services are not of the same size,
nor as good or as bad.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from mezzotint.costs.prices import Elsewhere, Prices

SCHEMA = "mezzotint/cost-comparison/1"
PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Row:
    """What a picture costs one way.   kind: ours | photographed | hosted."""

    kind: str
    name: str
    low: Decimal
    high: Decimal
    currency: str
    source: str
    date: str


def rows(prices: Prices, ours: Row | None) -> list[Row]:
    """Ours first, if it was ever measured."""
    photographed = [_row("photographed", one) for one in prices.shoot]
    if prices.photograph is not None:
        one = prices.photograph
        yours = Row("photographed", "Your photographer", one.amount, one.amount, one.currency, "mezzotint.toml", "")
        photographed.insert(0, yours)
    return [*([] if ours is None else [ours]), *photographed, *(_row("hosted", one) for one in prices.elsewhere)]


def _row(kind: str, one: Elsewhere) -> Row:
    return Row(kind, one.name, one.low.amount, one.high.amount, one.low.currency, one.source, one.date)


def page(found: Iterable[Row], pictures: int, made: str) -> str:
    """HTML.   pictures: how many are compared.  made: the day, ISO 8601."""
    body = "".join(_cells(row) for row in found)
    return (
        (files("mezzotint.costs") / "comparison.html")
        .read_text("utf-8")
        .replace("@ROWS@", body)
        .replace("@N@", str(pictures))
        .replace("@DAY@", html.escape(made))
    )


def _cells(row: Row) -> str:
    money = "".join(f'<td><input type="number" step="any" min="0" value="{v:f}"></td>' for v in (row.low, row.high))
    said = "".join(f"<td>{html.escape(text)}</td>" for text in (row.currency, row.source, row.date or "undated"))
    return f"<tr><td>{html.escape(row.kind)}</td><td>{html.escape(row.name)}</td>{money}<td></td><td></td>{said}</tr>\n"


def document(found: Iterable[Row], pictures: int) -> dict[str, object]:
    """``schemas/cost-comparison-1.json``."""
    each = [
        {
            "kind": row.kind, "name": row.name, "low": f"{row.low:f}", "high": f"{row.high:f}",
            "total_low": f"{pictures * row.low:f}", "total_high": f"{pictures * row.high:f}",
            "currency": row.currency, "source": row.source, "date": row.date,
        }
        for row in found
    ]  # fmt: skip
    made: dict[str, object] = json.loads(json.dumps({"schema": SCHEMA, "pictures": pictures, "rows": each}))
    return made
