"""The verdict on a model's components in a use.

d(model) = max over components c, over findings f of c, of d(f), where allowed < allowed with conditions < unknown <
denied: a maximum, so that a component more never loosens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from mezzotint.governance.licence.components import EVIDENCE, SURE, Component
from mezzotint.governance.licence.facts import Facts
from mezzotint.governance.licence.library import Library
from mezzotint.governance.licence.record import Record
from mezzotint.governance.licence.rules import Asked, Finding, applied
from mezzotint.governance.licence.terms import Term
from mezzotint.governance.licence.verdict import Reason, Verdict
from mezzotint.governance.licence.words import Decision

VALID = timedelta(days=180)
"""How long a signature counts."""


def judge(model: str, components: Sequence[Component], facts: Facts, library: Library) -> Verdict:
    """The verdict.   components: all of them, each with what is known of its licence.

    Raises InputError for a component that names a licence without a record, and for a record that was changed.
    """
    reasons = tuple(reason for one in components for reason in _of_component(one, facts, library))
    ends = [end for one in components for id in one.licences if (end := _end(library.need(id, one.told), facts))]
    return Verdict(model, facts, tuple(components), tuple(dict.fromkeys(reasons)), min(ends, default=None))


def _of_component(one: Component, facts: Facts, library: Library) -> Iterator[Reason]:
    base = Reason(Decision.UNKNOWN, "", "", component=one.told, licence=", ".join(one.licences))
    unsure = _unsure(one, facts)
    if unsure is not None:
        yield _reason(base, unsure)
    # Of several that it may have none is taken for its own: only one that is named can deny.
    for id in one.licences if len(one.licences) == 1 else ():
        record = library.need(id, one.told)
        for finding in _unfit(record, facts):
            yield _reason(base, finding)
        for term in record.terms:
            for finding in applied(term, Asked(facts, id)):
                yield _reason(base, finding, term)
    if one.note:
        note = Finding(Decision.ALLOWED_WITH_CONDITIONS, "note", one.note)
        yield _reason(base, note)


def _reason(base: Reason, finding: Finding, term: Term | None = None) -> Reason:
    made = replace(base, decision=finding.decision, code=finding.code, text=finding.text, condition=finding.condition)
    if term is None:
        return made
    words = term.words
    return replace(made, kind=term.kind, clause=words.clause, quote=words.quote, source=words.source)


def _unsure(one: Component, facts: Facts) -> Finding | None:
    """Why it is not known which licence it has."""
    if one.evidence == "own":
        if any(len(said) >= 12 and one.sha256.startswith(said) for said in facts.own_adapters):
            return None
        how = (
            f'where it was made by or for you, add own_adapters = ["{one.sha256[:16]}"] to [licence] of mezzotint.toml'
        )
        return Finding(Decision.UNKNOWN, "licence_own", f"it names no licence of its own; {how}")
    if one.evidence in SURE and len(one.licences) == 1:
        return None
    kind = "ambiguous" if one.evidence in SURE else one.evidence
    said = f" ({', '.join(one.tags)})" if one.tags else ""
    return Finding(Decision.UNKNOWN, f"licence_{kind}", f"{EVIDENCE[kind]}{said}")


def _unfit(record: Record, facts: Facts) -> Iterator[Finding]:
    """Why a record cannot be relied on."""
    if record.unexamined:
        kinds = ", ".join(kind.replace("_", " ") for kind in record.unexamined)
        yield Finding(Decision.UNKNOWN, "not_examined", f"nobody looked in its text for {kinds}")
    if record.review.status == "standard":
        return
    signed = _signed(record, facts)
    if signed is None:
        line = f'[licence.signed."{record.id}"] with reviewer, date, record_sha256 = "{record.sha256}"'
        yield Finding(Decision.UNKNOWN, "review_unsigned", f"no counsel has signed its record; to sign: {line}")
    elif not timedelta(0) <= facts.today - signed <= VALID:
        text = f"the signature of {signed} counts for {VALID.days} days; have its record signed anew"
        yield Finding(Decision.UNKNOWN, "review_expired", text)


def _signed(record: Record, facts: Facts) -> date | None:
    """When counsel signed this very record, None where nobody did."""
    found = facts.signed.get(record.id)
    if found is not None and found.record_sha256 == record.sha256:
        return found.date
    return record.review.date if record.review.status == "counsel-signed" else None


def _end(record: Record, facts: Facts) -> date | None:
    """The last day of its signature."""
    signed = None if record.review.status == "standard" else _signed(record, facts)
    return None if signed is None else signed + VALID
