"""Text to pieces of a vocabulary, each with a log-probability: the likeliest of all ways to cut it.

Kudo, 2018, Subword regularization, https://arxiv.org/abs/1804.10959, sec. 3.2 (the Viterbi algorithm), as SentencePiece
and XLM-R have it: spaces become marks, one of which goes before the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

SPACE = "\u2581"
UNKNOWN = 10.0
"""By how much a letter that no piece has is less likely than the least likely piece."""


@dataclass(frozen=True, eq=False)
class Unigram:
    """pieces, scores: by id.  changed: what a character is read as.  begin, end, unknown: ids."""

    pieces: Sequence[str]
    scores: Sequence[float]
    changed: Mapping[int, str]
    begin: int
    end: int
    unknown: int

    @cached_property
    def ids(self) -> dict[str, int]:
        """By piece; of two that are equal the first."""
        found: dict[str, int] = {}
        for k, piece in enumerate(self.pieces):
            if piece and k != self.unknown:
                found.setdefault(piece, k)
        return found

    @cached_property
    def longest(self) -> int:
        """Letters of a piece."""
        return max(map(len, self.pieces))

    @cached_property
    def least(self) -> float:
        """The score of a letter that no piece has."""
        return min(self.scores) - UNKNOWN

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without those of its ends."""
        read = re.sub("  +", " ", text.translate(dict(self.changed)))
        marked = (read if read.startswith(" ") else f" {read}").replace(" ", SPACE)
        best, back = [0.0], [(0, 0)]
        for end in range(1, len(marked) + 1):
            score, at, piece = max(self._ways(marked, end, best))
            best.append(score)
            back.append((at, piece))
        return _walked(back)

    def _ways(self, text: str, end: int, best: Sequence[float]) -> list[tuple[float, int, int]]:
        """(score, where it begins, id) of each piece that may end at a place."""
        found = [(best[end - 1] + self.least, end - 1, self.unknown)]
        for begin in range(max(0, end - self.longest), end):
            piece = self.ids.get(text[begin:end])
            if piece is not None:
                found.append((best[begin] + self.scores[piece], begin, piece))
        return found


def _walked(back: Sequence[tuple[int, int]]) -> list[int]:
    """From the end to the beginning, turned round."""
    found, at = list[int](), len(back) - 1
    while at > 0:
        at, piece = back[at]
        found.append(piece)
    return found[::-1]
