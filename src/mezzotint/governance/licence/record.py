"""A licence's record: one TOML file a version, each term with its quote, clause, source and date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from mezzotint.files import sha256
from mezzotint.governance.licence import reading
from mezzotint.governance.licence.money import currency
from mezzotint.governance.licence.reading import Checker, choice, several, wrong
from mezzotint.governance.licence.terms import EXAMINED, KINDS, Body, Term, Words
from mezzotint.governance.licence.territory import SPREAD, countries
from mezzotint.governance.licence.words import DUES, METRICS, SAFEGUARDS, WHENS

SCHEMA = 1
LONGEST_QUOTE = 600
STATUSES = ("draft", "standard", "counsel-signed")


@dataclass(frozen=True)
class Review:
    """Who answers for the reading of a text.

    status: draft; standard, a public licence of the SPDX list whose reading is settled; counsel-signed.
    """

    status: str
    reviewer: str = ""
    date: date | None = None


@dataclass(frozen=True)
class Record:
    """One licence version.

    aliases: tags that claim it; one alone never suffices.  text_sha256: of its normalised texts (``texts``).
    silence: kinds that were looked for and that the text does not address.  sha256: of the record's file.
    """

    id: str
    name: str
    version: str
    steward: str
    review: Review
    terms: tuple[Term, ...]
    aliases: tuple[str, ...] = ()
    text_sha256: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    silence: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def unexamined(self) -> tuple[str, ...]:
        """Kinds of terms that nobody looked for."""
        told = {term.kind for term in self.terms} | set(self.silence)
        return tuple(kind for kind in EXAMINED if kind not in told)


def _quote(value: Any, where: str) -> str:
    text = reading.said(value, where)
    if len(text) > LONGEST_QUOTE:
        raise wrong(where, f"{len(text)} characters", f"a short quote, at most {LONGEST_QUOTE}")
    return text


def _places(value: Any, where: str) -> tuple[str, ...]:
    names: tuple[str, ...] = several(reading.said)(value, where)
    countries(names, where)
    return tuple(name if name in SPREAD else name.upper() for name in names)


_GRANTS = choice("allowed", "silent", "denied")
_BINDS = choice("free", "same_terms", "denied")
_CHECKS: Mapping[str, Checker] = {
    "value": _GRANTS, "testing": _GRANTS, "research": _GRANTS,
    "amount": reading.number, "currency": currency, "boundary": choice("inclusive", "exclusive"),
    "counts": choice("you", "you+affiliates"), "metric": choice(*METRICS), "only_if": choice("", "image_core_business"),
    "exclude": _places, "applies_to": several(choice("weights", "outputs")), "url": reading.text,
    "text": reading.said, "when": choice(*WHENS), "due": choice(*DUES),
    "what": choice("license_copy", "use_restrictions"), "categories": several(reading.said),
    "ownership": choice("user", "steward", "silent"),
    "commercial": _GRANTS, "train_other_models": choice("free", "same_terms", "denied", "silent"),
    "lora": _BINDS, "distil": _BINDS, "naming": reading.text, "id": reading.said,
    "any_of": several(choice(*SAFEGUARDS)), "terms": several(reading.said),
}  # fmt: skip
_WORDS: Mapping[str, Checker] = {
    "quote": _quote, "clause": reading.said, "source": reading.said, "retrieved": reading.day, "verified": reading.yes,
}  # fmt: skip
_RECORD: Mapping[str, Checker] = {
    "id": reading.said, "name": reading.said, "version": reading.said, "steward": reading.said,
    "aliases": several(reading.said), "text_sha256": several(reading.digest), "supersedes": several(reading.said),
}  # fmt: skip
_REVIEW: Mapping[str, Checker] = {"status": choice(*STATUSES), "reviewer": reading.said, "date": reading.day}


def _term(table: Any, where: str) -> Term:
    kind = table.get("kind") if isinstance(table, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise wrong(where, f"kind is {kind!r}", f"one of {', '.join(KINDS)}")
    own = KINDS[kind]
    names = {f.name: f for f in fields(own)}
    needed = [name for name, f in names.items() if f.default is f.default_factory]
    checks = {"kind": reading.said, **_WORDS, **{name: _CHECKS[name] for name in names}}
    found = reading.fields(table, checks, [*needed, "quote", "clause", "source", "retrieved"], f"{where} ({kind})")
    body: Body = own(**{name: value for name, value in found.items() if name in names})
    return Term(kind, body, Words(**{name: value for name, value in found.items() if name in _WORDS}))


def _review(table: Any, where: str) -> Review:
    review = Review(**reading.fields(table, _REVIEW, ["status"], where))
    if review.status == "counsel-signed" and not (review.reviewer and review.date):
        raise wrong(where, "it is signed by nobody", "reviewer and date beside counsel-signed")
    return review


def _silence(table: Any, where: str) -> tuple[str, ...]:
    checks = {"fields": several(choice(*EXAMINED))}
    found: tuple[str, ...] = reading.fields(table, checks, ["fields"], where)["fields"]
    return found


def read_record(data: bytes, where: str) -> Record:
    """The record of a TOML file's bytes.  Raises InputError, UsageError that name what is wrong, in one line."""
    table = reading.parsed(data, where)
    if table.pop("schema", None) != SCHEMA:
        raise wrong(where, "its schema is another", f"schema = {SCHEMA}")
    terms = table.pop("term", [])
    if not isinstance(terms, list) or not terms:
        raise wrong(where, "no terms", "a [[term]] for each")
    review = _review(table.pop("review", {}), f"{where}: review")
    silence = _silence(table.pop("silence", {"fields": []}), f"{where}: silence")
    said = reading.fields(table, _RECORD, ["id", "name", "version", "steward"], where)
    made = tuple(_term(one, f"{where}: term {k + 1}") for k, one in enumerate(terms))
    twice = sorted({term.kind for term in made} & set(silence))
    if twice:
        raise wrong(where, f"{twice[0]} is both a term and among the silences", "one of them")
    return Record(**said, review=review, terms=made, silence=silence, sha256=sha256(data))
