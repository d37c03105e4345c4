"""What is answered of the time after a picture left, of third parties, and of what becomes of incidents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mezzotint.governance.evidence.rules import (
    NOT_MEASURED,
    PARTIAL,
    Answer,
    Rule,
    gates,
    history,
    licences,
    never,
    origin,
    tuned,
    weights,
)
from mezzotint.governance.evidence.seen import RECEIPT, Artefact, Seen, texts

GATES = ("prompt_check", "output_check")
HASH = re.compile(r"[0-9a-f]{64}")


def _refs(found: list[Artefact]) -> tuple[Any, ...]:
    return tuple((one.path, one.sha256) for one in found)


def leaving_open(rule: Callable[[Seen], Answer], what: str) -> Rule:
    """A rule's answer for an action that asks for more: a part, and what it leaves open."""

    def answer(seen: Seen) -> Answer:
        found = rule(seen)
        return found if found.status == NOT_MEASURED else Answer(PARTIAL, f"{found.claim}; {what}", found.artefacts)

    return answer


def ingredients(seen: Seen) -> Answer:
    """Pictures that were changed here, by hash."""
    found = [one for one in seen.of(RECEIPT) if _is_of_others(one.document["made"])]
    if not found:
        return Answer(NOT_MEASURED, "no receipt here is of a picture that was made from another")
    claim = f"{len(found)} of {len(seen.receipts)} receipts name by hash the pictures that theirs was made from"
    return Answer(PARTIAL, f"{claim}; what others change once it left here is not recorded", _refs(found))


def _is_of_others(made: Mapping[str, Any]) -> bool:
    """Whether a picture was made from pictures: its task and what is attached name their hashes."""
    told = [*texts(made.get("task")), *(str(one.get("picture", "")) for one in made.get("attached", []))]
    return any(HASH.fullmatch(one) for one in told)


def card_gaps(seen: Seen) -> Answer:
    """What the cards of models leave out."""
    if not seen.receipts:
        return Answer(NOT_MEASURED, "no receipts in the folders that were looked at, so no model is named")
    claim = "the cards beside this list, of every model that receipts name, what its maker's card does not say"
    return Answer(PARTIAL, f"{claim}; nobody's review of them is here", _refs(seen.of(RECEIPT)))


def moderated(seen: Seen) -> Answer:
    """Verdicts that asked for a person."""
    found = [one for one in seen.of(RECEIPT) if any(name in one.document for name in GATES)]
    if not found:
        return Answer(NOT_MEASURED, "no receipt here has a verdict of the prompt gate or of the output gate")
    asked = sum(one.document[name]["decision"] == "review" for one in found for name in GATES if name in one.document)
    claim = f"{asked} verdicts in {len(found)} receipts asked for a person to look"
    return Answer(PARTIAL, f"{claim}; whether one looked is written nowhere here", _refs(found))


def incidents_that(what: str) -> Rule:
    """Of recorded incidents.   what: they leave open."""

    def answer(seen: Seen) -> Answer:
        if not seen.incidents:
            return Answer(NOT_MEASURED, "no incident is recorded here; `mezzotint evidence incident` records one")
        return Answer(PARTIAL, f"{len(seen.incidents)} incidents are recorded; {what}", _refs(list(seen.incidents)))

    return answer


terms = leaving_open(gates, "which queries they refuse is in the lists they name by hash; terms of use are in none")
contracts = leaving_open(licences, "contracts are not read")
inventory = leaving_open(weights, "who has access, and what is approved, is not known here")
entered = leaving_open(history, "each picture was entered as it left; nothing here watches the entries, or alerts")
recorded = leaving_open(origin, "what was made is on record; nothing here monitors it, or publishes a report")

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("GV-1.3-007", "GV-1.7-001", "MG-2.4-004"),
                    never("how long it takes to halt a system is not logged; nothing here shows that one was halted")),
    "GV-4.2-001": terms,
    "GV-6.1-004": contracts,
    "GV-6.1-007": inventory,
    "GV-6.1-008": ingredients,
    "GV-6.2-006": never("fallback is tested in this project's own suite; not on this system"),
    "MG-3.1-005": card_gaps,
    "MG-3.2-006": entered,
    "MG-3.2-008": moderated,
    **dict.fromkeys(("MG-4.1-002", "MG-4.2-001"), recorded),
    **dict.fromkeys(("MG-4.2-002", "MG-4.3-001"), incidents_that("how they were met, and whether that worked, is not")),
    "MP-4.1-002": incidents_that("claims of infringement are among them only if somebody recorded one"),
    "MP-4.1-008": tuned,
    "MP-5.1-005": never("tests by chaos run in this project's own suite; none of their results are here"),
    "MS-2.11-003": never("nothing here says who and what is affected by the pictures"),
}  # fmt: skip
"""By id, beside those of ``rules``."""

RESTING = frozenset((terms, contracts, inventory, ingredients, card_gaps, moderated, recorded))
"""Rules that rest on receipts."""
