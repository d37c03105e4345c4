"""What an organisation declares of itself and of a use: ``[licence]`` of mezzotint.toml, and a command's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from mezzotint.config import section
from mezzotint.errors import UsageError, unknown
from mezzotint.files import canonical_json, sha256, user_path
from mezzotint.governance.licence import reading
from mezzotint.governance.licence.money import Money, Rate, currency, money
from mezzotint.governance.licence.reading import Checker, choice, several
from mezzotint.governance.licence.territory import countries
from mezzotint.governance.licence.words import ACTIONS, DELIVERIES, MODES, PLACES, SAFEGUARDS, STAGES, USES

SECTION = "licence"


@dataclass(frozen=True)
class Signature:
    """Who answers for a record, of which version (the hash of its file), since when."""

    reviewer: str
    date: date
    record_sha256: str


@dataclass(frozen=True)
class Facts:
    """None, and a place that is missing, is not known: a term that needs it gives ``unknown``.

    use, stage, delivery: see ``words``.  revenue: of a year.  affiliates_included: whether theirs is in it.
    mau, muu, visits: the largest of any month so far.  image_core_business: whether making pictures is the business.
    territories: by place.  safeguards: None is not said, () is none.  registrations, paid: ids of licences.
    met: conditions that are met, "attribution", or "LICENCE-ID:attribution" for that licence alone.
    content_flags: what is made, in the words of use policies.  own_adapters: hashes of adapters made by or for the
    organisation, whole or their first 12 digits and more.  rates: of currencies.  signed: by licence.
    """

    use: str | None = None
    stage: str = "production"
    delivery: str | None = None
    actions: tuple[str, ...] = ("inference",)
    revenue: Money | None = None
    affiliates_included: bool | None = None
    mau: int | None = None
    muu: int | None = None
    visits: int | None = None
    image_core_business: bool | None = None
    territories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    safeguards: tuple[str, ...] | None = None
    registrations: tuple[str, ...] = ()
    paid: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    content_flags: tuple[str, ...] = ()
    own_adapters: tuple[str, ...] = ()
    rates: Mapping[str, Rate] = field(default_factory=dict)
    signed: Mapping[str, Signature] = field(default_factory=dict)
    today: date = field(default_factory=date.today)

    @property
    def purpose(self) -> str | None:
        """commercial, testing, research; None is not known.

        Whatever is in production, or leaves the house, is commercial.
        """
        if self.use is None:
            return None
        if self.stage == "production":
            return "commercial"
        if self.delivery is None:
            return None
        if self.delivery != "internal":
            return "commercial"
        return "research" if self.use == "internal_research" else "testing"

    @property
    def sha256(self) -> str:
        """Of all of them, as canonical JSON."""
        return sha256(canonical_json(self.document))

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        plain = json.loads(json.dumps(asdict(replace(self, territories={})), default=str))
        return {**plain, "territories": {place: sorted(codes) for place, codes in sorted(self.territories.items())}}


@dataclass(frozen=True)
class Declared:
    """Facts, how they are enforced, and the folder of an organisation's own records."""

    facts: Facts
    mode: str = "enforce"
    records: Path | None = None


def _money(value: Any, where: str) -> Money:
    return money(reading.text(value, where), where)


def _territory(value: Any, where: str) -> dict[str, frozenset[str]]:
    """A list for every place, or a table by place."""
    by_place = value if isinstance(value, dict) else dict.fromkeys(PLACES, value)
    checks = dict.fromkeys(PLACES, several(reading.said))
    return {place: countries(names, where) for place, names in reading.fields(by_place, checks, (), where).items()}


def _rates(value: Any, where: str) -> dict[str, Rate]:
    checks: Mapping[str, Checker] = {"usd": reading.number, "date": reading.day}
    rows = value.items() if isinstance(value, dict) else ()
    return {currency(k, where): Rate(**reading.fields(v, checks, ("usd", "date"), f"{where}.{k}")) for k, v in rows}


def _signed(value: Any, where: str) -> dict[str, Signature]:
    checks = {"reviewer": reading.said, "date": reading.day, "record_sha256": reading.digest}
    rows = value.items() if isinstance(value, dict) else ()
    return {k: Signature(**reading.fields(v, checks, tuple(checks), f"{where}.{k}")) for k, v in rows}


_CHECKS: Mapping[str, Checker] = {
    "use": choice(*USES), "stage": choice(*STAGES), "delivery": choice(*DELIVERIES), "mode": choice(*MODES),
    "actions": several(choice(*ACTIONS)), "revenue": _money, "affiliates_included": reading.yes, "mau": reading.whole,
    "muu": reading.whole, "visits": reading.whole, "image_core_business": reading.yes, "territory": _territory,
    "safeguards": several(choice(*SAFEGUARDS)), "registrations": several(reading.said), "paid": several(reading.said),
    "met": several(reading.said), "content_flags": several(reading.said), "own_adapters": several(reading.said),
    "rates": _rates, "signed": _signed, "records": reading.said,
}  # fmt: skip


def declared(today: date | None = None) -> Declared:
    """What the settings files declare.  Raises InputError, UsageError for what is wrong there, in one line."""
    found: dict[str, Any] = {}
    for name, (value, source) in section(SECTION).items():
        found |= reading.fields({name: value}, _CHECKS, (), f"{source}: [{SECTION}]")
    mode, records = found.pop("mode", "enforce"), found.pop("records", None)
    if "territory" in found:
        found["territories"] = found.pop("territory")
    facts = Facts(**found) if today is None else Facts(**found, today=today)
    return Declared(facts, mode, None if records is None else user_path(records))


def doing(facts: Facts, *actions: str) -> Facts:
    """Facts with further actions of ``words.ACTIONS``."""
    return replace(facts, actions=tuple(dict.fromkeys((*facts.actions, *actions))))


def chosen(kind: str, value: str | None, known: tuple[str, ...]) -> str | None:
    """A word of a command.  Raises UsageError for one that is not known."""
    if value is not None and value not in known:
        raise UsageError(f"--{kind}: {unknown(kind, value, known)}")
    return value


def told(
    facts: Facts,
    *,
    use: str | None = None,
    stage: str | None = None,
    delivery: str | None = None,
    revenue: str | None = None,
    territory: str | None = None,
) -> Facts:
    """Facts with a command's words over them; a revenue there is with affiliates.  Raises UsageError."""
    words: dict[str, Any] = {
        "use": chosen("use", use, USES),
        "stage": chosen("stage", stage, STAGES),
        "delivery": chosen("delivery", delivery, DELIVERIES),
    }
    changed = replace(facts, **{name: value for name, value in words.items() if value is not None})
    if revenue is not None:
        changed = replace(changed, revenue=money(revenue, "--revenue"), affiliates_included=True)
    if territory is not None:
        codes = countries(territory.split(","), "--territory")
        changed = replace(changed, territories=dict.fromkeys(PLACES, codes))
    return changed
