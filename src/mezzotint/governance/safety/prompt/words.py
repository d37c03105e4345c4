"""The closed sets of words that findings and verdicts are made of."""

from __future__ import annotations

from enum import IntEnum

CATEGORIES = (
    *("sexual", "nudity", "sexual-minors", "violence-gore", "self-harm", "hate", "harassment", "dangerous-illegal"),
    *("extremism", "profanity", "personal-data", "public-figure", "living-artist", "third-party-mark"),
    *("third-party-character", "deceptive-claims", "brand", "structure", "evasion", "language"),
)
"""What a finding is about; part of its code, so never renamed."""

MARKS = ("minor", "young", "suggestive", "undress", "garment", "person", "endorse")
"""Words that are nothing alone and count together with others (``conjunction``)."""

SEVERITIES = ("strong", "review", "soft", "mark")
"""strong blocks, review is for a person, soft counts with others of its category, mark is for conjunctions alone."""

FIELDS = ("prompt", "negative_prompt", "caption", "file_name", "trigger", "ocr")
"""Where a text stands.  All are read alike, but for the negative prompt: it may name harms."""

LISTS = ("public-figure", "living-artist", "third-party-mark", "third-party-character")
"""Categories of names that an organisation may list."""

HARD = ("sexual-minors",)
"""Categories that always block, whatever a policy says."""

VERSION = "4"
"""Of the gate's rules; one that finds other things has another."""


class Decision(IntEnum):
    """What is found, the stricter the larger: the largest of several counts.

    What could not be checked is above review, for no person's look can stand in for the check.
    """

    ALLOW = 0
    REVIEW = 1
    COULD_NOT_CHECK = 2
    BLOCK = 3

    @property
    def word(self) -> str:
        """As documents have it: could-not-check."""
        return self.name.lower().replace("_", "-")


BY_SEVERITY = {
    "strong": Decision.BLOCK,
    "review": Decision.REVIEW,
    "soft": Decision.ALLOW,
    "mark": Decision.ALLOW,
}
SCORES = {"strong": 1.0, "review": 0.6, "soft": 0.3, "mark": 0.0}


def decision_of(word: str) -> Decision:
    """The inverse of ``Decision.word``.  Raises KeyError."""
    return Decision[word.upper().replace("-", "_")]
