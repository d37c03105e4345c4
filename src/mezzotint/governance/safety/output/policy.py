"""What the gate asks of pictures: the default, and an organisation's, ``[safety.output]`` of mezzotint.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mezzotint.config import home, section
from mezzotint.files import canonical_json, sha256
from mezzotint.governance.licence import reading
from mezzotint.governance.licence.reading import Checker, choice, wrong
from mezzotint.governance.safety.output.copies.match import NEAR
from mezzotint.governance.safety.prompt.policy import OUTPUT, SECTION, place
from mezzotint.governance.safety.prompt.words import Decision

WHEN = ("auto", "required", "off")
"""auto: asked where its filters are installed, else the verdict says that it was not; required: could-not-check."""

KEEPS = ("discard", "sealed")
"""What becomes of the pixels of a picture that is withheld: gone, or sealed to a reviewer's key (``sealed``)."""

LEADS = ("allow", "review", "block")
NSFW_REVIEW, NSFW_BLOCK, NSFW_APART = 0.35, 0.85, 0.5
"""Scores from which a picture is for review, and is blocked; by how much two classifiers may differ."""


@dataclass(frozen=True)
class OutputPolicy:
    """nsfw, text: when (``WHEN``).  people: what a face leads to; anything but allow needs the face filter.
    copies: what a near-copy of a protected or a training picture, or a banned mark leads to.  outputs: that of an
    earlier output; allow keeps no record of outputs.  similarity: the score of a near-copy.  filters: the folder of
    filter files that were put in by hand; None is ``safety/filters`` under the home.  quarantine: see ``KEEPS``.
    quarantine_key: the file of the public key; None is ``safety/quarantine.pub`` under the home.  remembered: what a
    prompt leads to that moves the first step further than harmless ones do; its score is in every verdict.
    """

    nsfw: str = "auto"
    text: str = "auto"
    people: str = "allow"
    copies: str = "block"
    outputs: str = "allow"
    nsfw_review: float = NSFW_REVIEW
    nsfw_block: float = NSFW_BLOCK
    similarity: float = NEAR
    filters: str | None = None
    quarantine: str = "discard"
    remembered: str = "allow"
    quarantine_key: str | None = None

    @property
    def loosened(self) -> tuple[str, ...]:
        """Where it asks less than the default."""
        words = [f"output.{n}=off" for n in ("nsfw", "text") if getattr(self, n) == "off"]
        copies = [f"output.copies={self.copies}"] if self.copies != "block" else []
        usual = {"nsfw_review": NSFW_REVIEW, "nsfw_block": NSFW_BLOCK, "similarity": NEAR}
        more = [f"output.{n}={getattr(self, n):g}" for n, least in usual.items() if getattr(self, n) > least]
        return (*words, *copies, *more)

    @property
    def sha256(self) -> str:
        """Of all of it, as canonical JSON."""
        return sha256(canonical_json(json.loads(json.dumps(asdict(self)))))

    @property
    def folder(self) -> Path:
        """Of filter files."""
        return home() / "safety" / "filters" if self.filters is None else place(self.filters)


def _share(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise wrong(where, f"{value!r}", "a number above 0, at most 1")
    return float(value)


_CHECKS: Mapping[str, Checker] = {
    "nsfw": choice(*WHEN), "text": choice(*WHEN), "people": choice(*LEADS), "copies": choice(*LEADS),
    "outputs": choice(*LEADS), "nsfw_review": _share, "nsfw_block": _share, "similarity": _share,
    "filters": reading.said, "quarantine": choice(*KEEPS), "quarantine_key": reading.said,
    "remembered": choice(*LEADS),
}  # fmt: skip


def declared_output() -> OutputPolicy:
    """The policy of the settings files.  Raises InputError, UsageError for what is wrong there."""
    value, source = section(SECTION).get(OUTPUT, ({}, ""))
    return OutputPolicy(**reading.fields(value, _CHECKS, (), f"{source}: [{SECTION}.{OUTPUT}]"))


def led_to(word: str) -> Decision:
    """The decision of one of ``LEADS``."""
    return Decision[word.upper()]
