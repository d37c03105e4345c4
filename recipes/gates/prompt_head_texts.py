"""What the prompt gate's head learns from: phrases written for this project, put together by templates.

No prompt of anybody else is among them, and none of the sets that the head is measured on.  Harmful phrases name harms,
to be recognised; every one is said in the same styles, of the same people and places, as benign ones are, so that what
is learnt is the harm and neither the style nor the person; but sexual ones, and those of harassment, are said of adults
alone.  They stand in ``prompt_head_texts.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

Phrases = tuple[str, ...]
Sets = Mapping[str, Phrases]

_SAID = tomllib.loads((Path(__file__).parent / "prompt_head_texts.toml").read_text("utf-8"))
_KINDS = {
    "sexual": ("SEXUAL",),
    "violence-gore": ("VIOLENCE", "SHOCKING"),
    "self-harm": ("SELF_HARM",),
    "hate": ("HATE",),
    "harassment": ("HARASSMENT",),
    "dangerous-illegal": ("ILLEGAL",),
}


def _lines(text: str) -> Phrases:
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())


def _words(text: str) -> Phrases:
    return tuple(word.strip() for word in text.replace("\n", " ").split(",") if word.strip())


FIRST: Sets = {name: _lines(text) for name, text in _SAID["first"].items()}
WIDER: Sets = {name: _lines(text) for name, text in _SAID["wider"].items()}
"""More of the same, by the same names."""

HARMS: Sets = {
    kind: tuple(p for sets in (FIRST, WIDER) for n in names for p in sets[n]) for kind, names in _KINDS.items()
}
"""By the gate's category."""

WORDS: Sets = {name: _words(text) for name, text in _SAID["words"].items()}
WELL_WORDS = WORDS["WELL"]
HARM_WORDS: Sets = {kind: WORDS[kind] for kind in _KINDS}
"""Single harmful words and phrases, several of which are said of anybody; the same, benign."""
