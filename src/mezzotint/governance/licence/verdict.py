"""What is found of a model in a use: reasons, conditions and the decision, the strictest of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from mezzotint.errors import LicenceConditionError, LicenceDeniedError, LicenceUnknownError, MezzotintError
from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.facts import Facts
from mezzotint.governance.licence.words import Decision

SCHEMA, RULES = "mezzotint/licence/1", "1"


@dataclass(frozen=True)
class Condition:
    """Something to do.   met: yes, no, unknown.   due: see ``words.DUES``."""

    id: str
    text: str
    met: str
    due: str


@dataclass(frozen=True)
class Reason:
    """One finding and the words it rests on.   code: stable.   component, licence, kind, clause, quote, source: of the
    term, "" where there is none."""

    decision: Decision
    code: str
    text: str
    component: str = ""
    licence: str = ""
    kind: str = ""
    clause: str = ""
    quote: str = ""
    source: str = ""
    condition: Condition | None = None

    @property
    def document(self) -> dict[str, Any]:
        """As JSON, its condition apart."""
        table = {**asdict(self), "decision": self.decision.word}
        del table["condition"]
        return table


@dataclass(frozen=True)
class Verdict:
    """The decision on a model.   expires: the day on which a signature it rests on ends."""

    model: str
    facts: Facts
    components: tuple[Component, ...]
    reasons: tuple[Reason, ...]
    expires: date | None = None

    @property
    def decision(self) -> Decision:
        """The strictest of the reasons; a model of no component is not known."""
        least = Decision.ALLOWED if self.components else Decision.UNKNOWN
        return max((least, *(reason.decision for reason in self.reasons)))

    @property
    def conditions(self) -> tuple[Reason, ...]:
        """Reasons with something to do."""
        return tuple(reason for reason in self.reasons if reason.condition is not None)

    @property
    def blocking(self) -> tuple[Reason, ...]:
        """Those of them that are due before use and not met."""
        return tuple(
            r for r in self.conditions if r.condition and r.condition.due == "before_use" and r.condition.met != "yes"
        )

    @property
    def refusal(self) -> MezzotintError | None:
        """The error of a use that may not begin, None where it may."""
        if self.decision == Decision.DENIED:
            return LicenceDeniedError(_line(f"{self.model} may not be used so", self._of(Decision.DENIED)))
        if self.decision == Decision.UNKNOWN:
            found = self._of(Decision.UNKNOWN)
            return LicenceUnknownError(_line(f"whether {self.model} may be used so is not known", found))
        if self.blocking:
            return LicenceConditionError(_line(f"{self.model} may be used so once a condition is met", self.blocking))
        return None

    def _of(self, decision: Decision) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.decision == decision)

    @property
    def document(self) -> dict[str, Any]:
        """``schemas/licence-1.json``."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "decision": self.decision.word,
            "components": [{**asdict(c), "licences": list(c.licences), "tags": list(c.tags)} for c in self.components],
            "reasons": [reason.document for reason in self.reasons],
            "conditions": [_condition(reason) for reason in self.conditions],
            "may_begin": self.refusal is None,
            "facts": self.facts.document,
            "inputs_sha256": self.facts.sha256,
            "rules_version": RULES,
            "expires": None if self.expires is None else self.expires.isoformat(),
        }


def _condition(reason: Reason) -> dict[str, Any]:
    assert reason.condition is not None
    return {**asdict(reason.condition), "component": reason.component, "licence": reason.licence}


def _line(what: str, reasons: Sequence[Reason]) -> str:
    """One line: what, the first reason, how many more, what to do."""
    first = reasons[0]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    stands = f", {first.licence}" if first.licence else ""
    return f"{what}: {first.component}{stands}: {first.text}{more}; `mezzotint licence` shows all, with the quotes"
