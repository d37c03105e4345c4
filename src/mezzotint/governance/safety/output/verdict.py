"""What the checks of a picture say: findings as the prompt gate has them, scores, and what was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mezzotint.governance.safety.prompt.verdict import Finding, Side
from mezzotint.governance.safety.prompt.words import Decision

OUTPUT = Side("mezzotint/output-verdict/1", "1")
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

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """What a verdict has of it beside findings."""
        scores = {name: round(score, 4) for name, score in sorted(self.scores.items())}
        return {"scores": scores, "unchecked": dict(sorted(self.unchecked.items()))}


def together(found: Iterable[Found]) -> Found:
    """What several checks say."""
    several = tuple(found)
    return Found(
        tuple(one for some in several for one in some.findings),
        {name: score for some in several for name, score in some.scores.items()},
        {name: why for some in several for name, why in some.unchecked.items()},
    )
