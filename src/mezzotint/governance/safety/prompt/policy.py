"""What findings lead to: the default policy, and an organisation's, ``[safety]`` of mezzotint.toml.

A policy may ask more without a word; where it asks less, ``loosened`` says so, in every receipt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mezzotint.config import section
from mezzotint.errors import UsageError
from mezzotint.files import canonical_json, sha256, user_path
from mezzotint.governance.licence import reading
from mezzotint.governance.licence.reading import Checker, choice, several, wrong
from mezzotint.governance.safety.prompt.verdict import Finding
from mezzotint.governance.safety.prompt.words import CATEGORIES, HARD, Decision, decision_of

SECTION = "safety"
OUTPUT = "output"
"""Its table that is the output gate's."""

FIXED = ("minors", "minors-negative", "conjunction")
"""Rules that no policy changes."""

SOFT = 0.6
"""Scores of a category's soft words together that are for review."""


@dataclass(frozen=True)
class Policy:
    """categories: allow, review or block, over what the lists say.  review: what review means where nobody looks:
    block, or allow.  soft: see ``SOFT``.  meaning, languages: of English and of other texts, auto (asked where the text
    encoder is installed), required or off.
    brand: the file of an organisation's rules.  names: its lists.
    """

    categories: Mapping[str, str] = field(default_factory=dict)
    review: str = "block"
    soft: float = SOFT
    meaning: str = "auto"
    languages: str = "auto"
    brand: str | None = None
    names: tuple[str, ...] = ()

    @property
    def loosened(self) -> tuple[str, ...]:
        """Where it asks less than the default."""
        less = [f"categories.{name}={word}" for name, word in sorted(self.categories.items()) if word != "block"]
        soft = [f"soft={self.soft:g}"] if self.soft > SOFT else []
        heads = {"meaning": self.meaning, "languages": self.languages}
        unasked = [f"{name}=off" for name, word in heads.items() if word == "off"]
        return (*less, *(["review=allow"] if self.review == "allow" else []), *soft, *unasked)

    @property
    def sha256(self) -> str:
        """Of all of it, as canonical JSON."""
        return sha256(canonical_json(json.loads(json.dumps(asdict(self)))))

    def decided(self, one: Finding) -> Decision:
        """What a finding leads to."""
        word = self.categories.get(one.category)
        if word is None or one.rule in FIXED or one.category in HARD:
            return one.decision
        if word == "block":
            return Decision.BLOCK if one.decision >= Decision.REVIEW else one.decision
        return min(one.decision, decision_of(word))

    def passes(self, decision: Decision) -> bool:
        """Whether something may be made."""
        return decision == Decision.ALLOW or (decision == Decision.REVIEW and self.review == "allow")


def _categories(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong(where, f"{value!r}", "a table of categories")
    found: dict[str, str] = reading.fields(
        value, dict.fromkeys(CATEGORIES, choice("allow", "review", "block")), (), where
    )
    for name in (*HARD, "structure"):
        if found.get(name, "block") != "block":
            raise UsageError(f"{where}: {name} always blocks; leave it out")
    return found


def _score(value: Any, where: str) -> float:
    return float(reading.number(value, where))


_CHECKS: Mapping[str, Checker] = {
    "categories": _categories, "review": choice("block", "allow"), "soft": _score,
    "meaning": choice("auto", "required", "off"), "languages": choice("auto", "required", "off"), "brand": reading.said,
    "names": several(reading.said),
}  # fmt: skip


def declared() -> Policy:
    """The policy of the settings files.  Raises InputError, UsageError for what is wrong there."""
    found: dict[str, Any] = {}
    for name, (value, source) in section(SECTION).items():
        if name == OUTPUT:
            continue
        found |= reading.fields({name: value}, _CHECKS, (), f"{source}: [{SECTION}]")
    return Policy(**found)


def place(name: str) -> Path:
    """Where a file of a policy lies."""
    return user_path(name)
