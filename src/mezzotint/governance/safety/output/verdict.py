"""What the gate says of a picture: the prompt gate's findings and decisions, with scores, and what was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mezzotint.governance.safety.prompt.verdict import Finding, codes_of
from mezzotint.governance.safety.prompt.words import Decision

SCHEMA = "mezzotint/output-verdict/1"
VERSION = "1"
"""Of the gate's rules; one that finds other things has another."""

SIDE = "O"


def finding(category: str, rule: str, field: str, decision: Decision, score: float) -> Finding:
    """One reason, MZ-O-<category>-<rule>.   field: the check that says so, or where in the picture."""
    return Finding(category, rule, field, decision, score, side=SIDE)


@dataclass(frozen=True)
class Found:
    """What one check says.  scores: by name, 0 ... 1.  unchecked: what it did not ask, and why."""

    findings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputVerdict:
    """decision: the strictest.  files: SHA-256 of every filter and list, by name.  loosened: where the policy asks less
    than the default one.
    """

    decision: Decision
    findings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    loosened: tuple[str, ...] = ()
    policy_sha256: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Of the findings, each once, those that decide first."""
        return codes_of(self.findings)

    @property
    def document(self) -> dict[str, Any]:
        """As JSON; the same in a receipt."""
        return {
            "schema": SCHEMA,
            "decision": self.decision.word,
            "gate": VERSION,
            "findings": [one.document for one in self.findings],
            "scores": {name: round(score, 4) for name, score in sorted(self.scores.items())},
            "unchecked": dict(sorted(self.unchecked.items())),
            "files": dict(self.files),
            "policy_sha256": self.policy_sha256,
            "loosened": list(self.loosened),
        }


def together(found: Iterable[Found]) -> Found:
    """What several checks say."""
    several = tuple(found)
    return Found(
        tuple(one for some in several for one in some.findings),
        {name: score for some in several for name, score in some.scores.items()},
        {name: why for some in several for name, why in some.unchecked.items()},
    )
