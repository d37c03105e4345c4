"""The report that a person reads: one HTML file without anything from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from mezzotint.governance.evidence.catalogue import source
from mezzotint.governance.evidence.models import Known
from mezzotint.governance.evidence.rules import NOT_MEASURED, ORGANISATIONAL, STATUSES, Item
from mezzotint.governance.evidence.seen import Seen

SHOWN = 5
"""Artefacts of an action that are named; the JSON names all."""

TITLES = {
    "evidenced": "Shown by documents",
    "partial": "Shown in part",
    NOT_MEASURED: "Not measured",
    ORGANISATIONAL: "For the organisation to show",
}
ABOUT = {
    "evidenced": "The documents named show that this was done.",
    "partial": "The documents show a part; what they leave open is in the line.",
    NOT_MEASURED: "A tool could speak to these, and nothing here does. Each line says why.",
    ORGANISATIONAL: "Roles, policies, people, contracts, tests that it makes none of: not shown by this tool. Somebody"
    " has to say who does each.",
}


def page(items: Sequence[Item], seen: Seen, models: Sequence[Known], made: str, folders: Sequence[Path]) -> str:
    """HTML.   made: UTC, ISO 8601."""
    counts = {status: sum(one.answer.status == status for one in items) for status in STATUSES}
    parts = {
        "@MADE@": html.escape(made),
        "@SOURCE@": html.escape(source()),
        "@FOLDERS@": html.escape(", ".join(map(str, folders)) or "none"),
        "@COUNTS@": "".join(_tile(status, counts[status]) for status in STATUSES),
        "@FACTS@": "".join(f"<li>{html.escape(text)}</li>" for text in _facts(seen)),
        "@MODELS@": "".join(_model(one) for one in models) or "<p>No receipt names a model.</p>",
        "@INCIDENTS@": _incidents(seen),
        "@SECTIONS@": "".join(_section(status, items) for status in STATUSES),
    }
    text = (files("mezzotint.governance.evidence") / "report.html").read_text("utf-8")
    for word, value in parts.items():
        text = text.replace(word, value)
    return text


def _tile(status: str, count: int) -> str:
    return f'<a class="{status}" href="#{status}"><b>{count}</b> {html.escape(TITLES[status].lower())}</a>'


def _facts(seen: Seen) -> Iterable[str]:
    yield f"{len(seen.receipts)} receipts of pictures, {len(seen.artefacts) - len(seen.receipts)} other documents"
    if seen.unread:
        names = ", ".join(path.name for path in seen.unread[:9])
        yield f"{len(seen.unread)} files look like documents and are not whole, or were changed: {names}"
    ledger = seen.ledger
    if seen.loose:
        yield f"{seen.said_loose}: {', '.join(one.path.name for one in seen.loose[:9])}"
    if ledger is None:
        yield "no ledger: nothing shows whether receipts were changed in what their ids are not of (licence, gates)"
    elif ledger.fault is None:
        yield f"the ledger holds: {ledger.head.number} entries, head {ledger.head}"
    else:
        yield f"THE LEDGER DOES NOT HOLD: {ledger.fault.text}"
    for one in seen.settings:
        tables = ", ".join(one.tables) or "no tables that matter here"
        yield f"settings {one.path.name} ({tables}), SHA-256 {one.sha256}"


def _model(one: Known) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(part.name)}</td><td><code>{html.escape(part.sha256)}</code></td><td>{part.made}</td>"
        f"<td>{ {True: 'same bytes here', False: '<b>other bytes here</b>', None: 'not here'}[part.here] }</td></tr>"
        for part in one.parts
    )
    licence = "not here" if one.card is None else one.card.licence
    head = "<tr><th>stage</th><th>SHA-256 of its weights</th><th>receipts</th><th>checked</th></tr>"
    return (
        f"<h3>{html.escape(one.name)}</h3><p>Licence, as its card claims: {html.escape(licence)}. Measured here:"
        f" {len(one.evaluations)} evaluations of these weights.</p><table>{head}{rows}</table>"
    )


def _incidents(seen: Seen) -> str:
    if not seen.incidents:
        return "<p>None is recorded.</p>"
    words = ("system_id", "date", "title", "source", "reporter")
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(one.document.get(word, '')))}</td>" for word in words) + "</tr>"
        for one in seen.incidents
    )
    return f"<table><tr>{''.join(f'<th>{word}</th>' for word in words)}</tr>{rows}</table>"


def _section(status: str, items: Sequence[Item]) -> str:
    rows = "".join(_row(one) for one in items if one.answer.status == status)
    head = "<tr><th>action</th><th>NIST asks (in short)</th><th>here</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else "<p>None.</p>"
    return f'<h2 id="{status}">{TITLES[status]}</h2><p>{ABOUT[status]}</p>{table}'


def _row(one: Item) -> str:
    found = one.answer.artefacts
    shown = "".join(f"<br><code>{html.escape(path.name)} {digest[:12]}</code>" for path, digest in found[:SHOWN])
    more = f"<br>and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    said = f"{html.escape(one.answer.claim)}{shown}{more}"
    asked = f"<td>{one.action.id}<br>{one.action.function}</td><td>{html.escape(one.action.asks)}</td>"
    return f"<tr>{asked}<td>{said}</td></tr>"
