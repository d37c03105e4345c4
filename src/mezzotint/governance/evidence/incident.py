"""Incident records with the nine fields that NIST AI 600-1 names as the least (GV-4.3-002)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mezzotint.config import home
from mezzotint.errors import UsageError
from mezzotint.files import pretty_json, sha256_file, write_atomic

SCHEMA = "mezzotint/incident/1"
LONGEST = 10_000


@dataclass(frozen=True)
class Incident:
    """The nine fields.   system_id: made here.   source: the system it was in, or where it was found.
    data_reported: what was handed in with the report, in words.  evidence: SHA-256 of files, by name; assets: ids of
    pictures: both beside the nine."""

    system_id: str
    title: str
    reporter: str
    source: str
    data_reported: str
    date: str
    description: str
    impacts: tuple[str, ...]
    stakeholders: tuple[str, ...]
    assets: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """``schemas/incident-1.json``."""
        return {
            "schema": SCHEMA, "system_id": self.system_id, "title": self.title, "reporter": self.reporter,
            "source": self.source, "data_reported": self.data_reported, "date": self.date,
            "description": self.description, "impacts": list(self.impacts), "stakeholders": list(self.stakeholders),
            "assets": list(self.assets), "evidence": dict(self.evidence),
        }  # fmt: skip


def folder() -> Path:
    """Where this home keeps them."""
    return home() / "incidents"


def report(
    title: str,
    reporter: str,
    source: str,
    description: str,
    *,
    data_reported: str = "none",
    day: str | None = None,
    impacts: Sequence[str] = (),
    stakeholders: Sequence[str] = (),
    assets: Sequence[str] = (),
    files: Sequence[Path] = (),
) -> tuple[Incident, Path]:
    """Writes a record, which is never changed.   day: YYYY-MM-DD; None is today.

    Raises UsageError (a field is empty or wrong), InputError (files), StorageError.
    """
    texts = {"title": title, "reporter": reporter, "system": source, "description": description, "data": data_reported}
    for name, text in texts.items():
        if not text.strip() or len(text) > LONGEST:
            raise UsageError(f"--{name}: expected 1 to {LONGEST} characters; every incident needs its nine fields")
    if not impacts or not stakeholders:
        raise UsageError("an incident needs at least one --impact and one --stakeholder; say none where there is none")
    for asset in assets:
        if not re.fullmatch(r"[0-9a-f]{32}", asset):
            raise UsageError(f"--asset {asset!r}: expected the id of a receipt, 32 hexadecimal digits")
    made = Incident(
        f"INC-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}", title, reporter, source, data_reported, _day(day),
        description, tuple(impacts), tuple(stakeholders), tuple(assets),
        tuple((path.name, sha256_file(path)) for path in files),
    )  # fmt: skip
    path = folder() / f"{made.system_id}.json"
    return made, write_atomic(path, pretty_json(made.document), replace=False)


def _day(text: str | None) -> str:
    try:
        day = datetime.now(UTC).date() if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text!r}: expected YYYY-MM-DD") from None
    if day > datetime.now(UTC).date():
        raise UsageError(f"--date {day}: that is not yet")
    return day.isoformat()
