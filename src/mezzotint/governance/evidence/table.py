"""Every action with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mezzotint.governance.evidence import rules, watching
from mezzotint.governance.evidence.catalogue import actions
from mezzotint.governance.evidence.rules import EVIDENCED, ORGANISATIONAL, PARTIAL, Answer, Item, Rule
from mezzotint.governance.evidence.seen import Seen

RULES: Mapping[str, Rule] = {**rules.RULES, **watching.RULES}
"""By id; all other actions are organisational."""

RESTING = watching.RESTING | {
    rules.licences, rules.origin, rules.origins, rules.cards, rules.marks, rules.gates, rules.weights, rules.energy,
}  # fmt: skip
"""Rules that rest on receipts."""

UNSHOWN = "not shown by this tool: somebody in the organisation has to say who does it, and how that is known"


def items(seen: Seen) -> list[Item]:
    """Every action with its answer, in NIST's order."""
    return [Item(one, _answer(RULES.get(name), seen)) for name, one in actions().items()]


def _answer(rule: Rule | None, seen: Seen) -> Answer:
    """No better than a part where it rests on receipts and some are not counted."""
    if rule is None:
        return Answer(ORGANISATIONAL, UNSHOWN)
    found = rule(seen)
    if rule not in RESTING or not seen.loose:
        return found
    status = PARTIAL if found.status == EVIDENCED else found.status
    return replace(found, status=status, claim=f"{found.claim}; {seen.said_loose}")
