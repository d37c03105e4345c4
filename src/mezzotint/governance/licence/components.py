"""The components of a model that licences count for, and how sure it is which licence each has."""

from __future__ import annotations

from dataclasses import dataclass

EVIDENCE = {
    "text": "its text is at hand, word for word",
    "declared": "whoever made it says so by the licence's own name",
    "tag": "a tag alone names it, and no text is at hand",
    "clash": "its tag and its text name different licences",
    "ambiguous": "several licences are named for it",
    "edited": "its text is no licence's that is on record, word for word",
    "changed": "its file is not the one that the model's record was written for",
    "none": "no licence was found for it",
    "own": "its photographs are those of whoever tuned it, who names no licence for the adapter",
}
"""How a licence is known, or why it is not."""

SURE = ("text", "declared")


@dataclass(frozen=True)
class Component:
    """One part of a model.

    role: see ``words.ROLES``.  licences: ids of records that it may have; one where that is known.
    evidence: a key of EVIDENCE.  tags: what claims a licence.  note: what its maker says beside.
    """

    role: str
    name: str
    licences: tuple[str, ...] = ()
    evidence: str = "none"
    sha256: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""

    @property
    def told(self) -> str:
        """For people: its role and its name."""
        return f"{self.role.replace('_', ' ')} {self.name}"
