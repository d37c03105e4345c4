"""What a gate says of a request or a picture: findings with stable codes, the decision, and what it was found with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mezzotint.governance.safety.prompt.words import VERSION, Decision


@dataclass(frozen=True)
class Side:
    """One of the two gates.   schema: of its verdicts' documents.   version: of its rules."""

    schema: str
    version: str


PROMPT = Side("mezzotint/prompt-verdict/1", VERSION)


@dataclass(frozen=True)
class Finding:
    """One reason.

    category, rule: of the closed sets, they make the code.  field: where the text stood.  score: 0 ... 1.
    term: the lexicon's own word, for those who look after lists; no message to users has it.  side: P of the prompt,
    O of the output.
    """

    category: str
    rule: str
    field: str
    decision: Decision
    score: float
    term: str = ""
    side: str = "P"

    @property
    def code(self) -> str:
        """MZ-<side>-<category>-<rule>, stable."""
        return f"MZ-{self.side}-{self.category}-{self.rule}"

    @property
    def document(self) -> dict[str, Any]:
        """As JSON, without the word."""
        return {
            "code": self.code, "category": self.category, "field": self.field, "decision": self.decision.word,
            "score": round(self.score, 4),
        }  # fmt: skip


def codes_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Each once, those that decide first."""
    ranked = sorted(findings, key=lambda one: (-one.decision, -one.score))
    return tuple(dict.fromkeys(one.code for one in ranked))


@dataclass(frozen=True)
class Verdict:
    """decision: the strictest, after the policy.  files: SHA-256 of every list and filter that was read, by name.
    loosened: where the policy asks less than the default one, so that every receipt says so.  policy_sha256: of the
    whole policy.  side: the gate that says it.  measured: what it says beside its findings, as JSON; of pictures alone.
    """

    decision: Decision
    findings: tuple[Finding, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    loosened: tuple[str, ...] = ()
    policy_sha256: str = ""
    side: Side = PROMPT
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """Of the findings, each once, those that decide first."""
        return codes_of(self.findings)

    @property
    def document(self) -> dict[str, Any]:
        """As JSON; the same in a receipt."""
        return {
            "schema": self.side.schema,
            "decision": self.decision.word,
            "gate": self.side.version,
            "findings": [one.document for one in self.findings],
            **self.measured,
            "files": dict(self.files),
            "policy_sha256": self.policy_sha256,
            "loosened": list(self.loosened),
        }


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of those with one code in one field the strictest, so that a document does not grow with a prompt."""
    best: dict[tuple[str, str], Finding] = {}
    for one in findings:
        known = best.get((one.code, one.field))
        if known is None or (one.decision, one.score) > (known.decision, known.score):
            best[one.code, one.field] = one
    return tuple(best.values())
