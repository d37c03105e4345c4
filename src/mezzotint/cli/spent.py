"""What ``mezzotint cost`` and its ``compare`` print: what was spent against caps, and beside others' prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mezzotint.costs.book import Line, is_begun, opened, per_picture
from mezzotint.costs.caps import Caps, declared
from mezzotint.costs.comparison import Row, document, page, rows
from mezzotint.costs.prices import declared as prices
from mezzotint.errors import UsageError
from mezzotint.files import write_atomic
from mezzotint.governance.licence.money import Money
from mezzotint.making.table import table

SCHEMA = "mezzotint/cost-spent/1"


def lines() -> list[Line]:
    """Of the book of this home, which is not made for that."""
    if not is_begun():
        return []
    with opened() as book:
        return book.lines()


def spent_document(found: list[Line], caps: Caps) -> dict[str, Any]:
    """``schemas/cost-spent-1.json``."""
    said = {"command": caps.command, "project": caps.of_project, "month": caps.month}
    each = [
        {"month": line.month, "project": line.project, "spent": str(line.spent), "reserved": str(line.reserved),
         "pictures": line.pictures}
        for line in found
    ]  # fmt: skip
    shown = {name: None if cap is None else str(cap) for name, cap in said.items()}
    return {"schema": SCHEMA, "project": caps.project, "caps": shown, "lines": each}


def spent_text(found: list[Line], caps: Caps) -> str:
    """For people."""
    if not found:
        return (
            'nothing was spent here yet; say per_hour = "0.40 USD", or what an hour costs, in [cost] of mezzotint.toml'
        )
    head = ("month", "project", "spent", "reserved", "pictures")
    each = [(one.month, one.project, str(one.spent), str(one.reserved), f"{one.pictures:,}") for one in found]
    return "\n".join([table([head, *each]), *_caps(found, caps)])


def _caps(found: list[Line], caps: Caps) -> list[str]:
    """Each against what counts towards it."""
    now = f"{datetime.now(UTC):%Y-%m}"
    own = [line for line in found if line.project == caps.project]
    month = [line for line in found if line.month == now]
    said = [] if caps.command is None else [f"cap of a command: {caps.command}"]
    if caps.of_project is not None:
        said.append(f"cap of project {caps.project}: {_sum(own, caps.of_project)} of {caps.of_project}")
    if caps.month is not None:
        said.append(f"cap of {now}, all projects: {_sum(month, caps.month)} of {caps.month}")
    return said or ["no caps: cap_command, cap_project and cap_month in [cost] of mezzotint.toml set them"]


def _sum(found: list[Line], cap: Money) -> Money:
    """Spent and reserved, in a cap's currency."""
    same = [line for line in found if line.spent.currency == cap.currency]
    return Money(sum((one.spent.amount + one.reserved.amount for one in same), Decimal(0)), cap.currency)


def compare(pictures: int, out: Path | None) -> tuple[dict[str, Any], str]:
    """(the comparison as JSON, for people); the page in ``out`` where that is named.  Raises StorageError."""
    if pictures < 1:
        raise UsageError(f"n is {pictures}; expected pictures to compare, from 1")
    declared()
    today, one = f"{datetime.now(UTC):%Y-%m-%d}", per_picture(lines())
    how = "the book of what was spent on this machine: machine time alone"
    ours = None if one is None else Row("ours", "Mezzotint, here", one.amount, one.amount, one.currency, how, today)
    found = rows(prices(), ours)
    if out is not None:
        write_atomic(out, page(found, pictures, today), replace=False)
    each = [
        (r.kind, r.name, f"{pictures * r.low:,.2f} to {pictures * r.high:,.2f} {r.currency}", r.date) for r in found
    ]
    note = [] if ours else ["ours is not known: nothing was made here at a price of the hour yet"]
    text = "\n".join([table([("", "what", f"{pictures:,} pictures", "of"), *each]), *note])
    return document(found, pictures), text
