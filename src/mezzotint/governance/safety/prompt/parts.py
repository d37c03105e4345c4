"""The parts of a text that are read for their meaning: the whole in windows, and each clause by itself, for a harm in
one of many clauses says little of the whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

CLAUSES = re.compile(r"[,.;:|!?\n。，、；：！？]+")
TOKENS, WINDOWS = 62, 32
"""Of a window, and how many of each sort: more than the words that a prompt may have, so a long text hides nothing."""

LEAST = 3
"""Tokens of a text that says enough to be read."""


def parts(text: str, encode: Callable[[str], Sequence[int]]) -> list[Sequence[int]]:
    """Token ids of a text's windows and clauses; none of one that is too short.   encode: ids without marks of ends."""
    whole = encode(text)
    if len(whole) < LEAST:
        return []
    windows = [whole[k : k + TOKENS] for k in range(0, min(len(whole), TOKENS * WINDOWS), TOKENS)]
    clauses = [ids for one in CLAUSES.split(text) if LEAST <= len(ids := encode(one)) < len(whole)]
    return [*windows, *(ids[:TOKENS] for ids in clauses[: 2 * WINDOWS])]
