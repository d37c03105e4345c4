"""The parts of a text that are read for their meaning, for a harm in one of many clauses says little of the whole.

A short text is read as a whole and clause by clause; a long one by its clauses alone, in pieces that cover all of it:
nothing hides in its middle, and no token is read more than twice, for each takes half a millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

CLAUSES = re.compile(r"[,.;:|!?\n。，、；：！？]+")
TOKENS = 62
"""Read at once; a text of more is long."""

MOST = 2048
"""Tokens that are read of a text: more than the words that a prompt may have."""

LEAST, ENOUGH = 3, 8
"""Tokens of a text, or of its clause, that says enough to be read; and of a piece of a long one."""

Ids = list[int]


def parts(
    text: str, encode: Callable[[str], Sequence[int]], is_left_out: Callable[[str], bool] = lambda clause: False
) -> list[Ids]:
    """Token ids of what is read; nothing of a text that is too short.

    encode: ids without marks of ends.   is_left_out: whether a clause of a short text is not read by itself.
    """
    whole = list(encode(text))[:MOST]
    if len(whole) < LEAST:
        return []
    said = CLAUSES.split(text)
    if len(whole) > TOKENS:
        return list(_pieces([list(encode(one)) for one in said]))
    clauses = (list(encode(one)) for one in said if not is_left_out(one))
    return [whole, *(ids for ids in clauses if LEAST <= len(ids) < len(whole))]


def _pieces(clauses: Sequence[Ids]) -> Iterator[Ids]:
    """Clauses, short ones together and long ones cut."""
    held: Ids = []
    left = MOST
    for ids in clauses:
        held += ids
        while len(held) >= TOKENS and left > 0:
            yield held[:TOKENS]
            held, left = held[TOKENS:], left - TOKENS
        if len(held) >= ENOUGH and left > 0:
            yield held
            held, left = [], left - len(held)
    if held and left > 0:
        yield held
