"""Rules on words that are well alone and not together.  They are code: no list and no setting takes them away.

Texts of one request count as one, so that a request gains nothing by being spread over fields; the negative prompt
counts only for what it takes away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mezzotint.governance.safety.prompt.match import Hit
from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.governance.safety.prompt.words import Decision

SEXUAL = frozenset(("sexual", "nudity"))
ADULT_ONLY = SEXUAL | {"suggestive", "undress"}
ABOUT_PEOPLE = frozenset(("sexual", "nudity", "undress", "suggestive", "violence-gore", "endorse", "dangerous-illegal"))
"""What is never made of a person who is named."""

EVERYWHERE = "all"
"""The field of a finding that several fields lead to."""


def joined(shown: Collection[Hit], away: Collection[Hit], named: Collection[Finding]) -> Iterator[Finding]:
    """What hits together mean.

    shown: in all fields but the negative prompt.  away: in that.  named: findings of listed names.
    minors: a minor or an age below 18, with anything sexual, naked, suggestive or undressed; or a young person with
    anything that is plainly sexual or naked, or who is undressing.
    minors-negative: a minor, with clothes in the negative prompt.
    people-negative: a person, with clothes in the negative prompt.
    person: the name of a public figure, with nudity, violence, crime or an endorsement.
    """
    marks = {hit.mark for hit in shown}
    plainly = {hit.mark for hit in shown if hit.term.severity == "strong"}
    garments = any(hit.mark == "garment" for hit in away)
    if ("minor" in marks and marks & ADULT_ONLY) or ("young" in marks and plainly & (SEXUAL | {"undress"})):
        yield _hard("minors")
    if garments and marks & {"minor", "young"}:
        yield _hard("minors-negative")
    elif garments and "person" in marks:
        yield Finding("nudity", "people-negative", EVERYWHERE, Decision.REVIEW, 0.6)
    if marks & ABOUT_PEOPLE and any(one.category == "public-figure" for one in named):
        yield Finding("public-figure", "conjunction", EVERYWHERE, Decision.BLOCK, 1.0)


def _hard(rule: str) -> Finding:
    return Finding("sexual-minors", rule, EVERYWHERE, Decision.BLOCK, 1.0)
