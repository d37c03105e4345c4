"""Emphasis in prompts, as AUTOMATIC1111's web UI has it: "(word)" is 1.1 times as strong, "[word]" 1.1 times weaker,
"(words:1.3)" as it says; brackets nest and multiply; a backslash before a bracket makes it a plain one.  BREAK begins a
new chunk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

STEP = 1.1
LARGEST = 10.0
_NUMBER = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$")
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


class Piece(NamedTuple):
    """Words with one weight."""

    text: str
    weight: float


@dataclass
class _Reader:
    """pieces: finished ones.  word: the one being read.  open: brackets not yet closed, with where they opened."""

    pieces: list[Piece]
    word: str
    open: list[tuple[str, int]]

    def cut(self) -> None:
        if self.word:
            self.pieces.append(Piece(self.word, 1.0))
        self.word = ""

    def begin(self, bracket: str) -> None:
        self.cut()
        self.open.append((bracket, len(self.pieces)))

    def close(self, factor: float) -> None:
        self.cut()
        _, start = self.open.pop()
        self.pieces[start:] = [Piece(p.text, p.weight * factor) for p in self.pieces[start:]]

    def end(self, bracket: str) -> None:
        """A closing bracket; one that closes nothing is plain."""
        opener = {")": "(", "]": "["}[bracket]
        if not self.open or self.open[-1][0] != opener:
            self.word += bracket
            return
        said = _NUMBER.search(self.word) if bracket == ")" else None
        if said is not None:
            self.word = self.word[: said.start()]
            self.close(max(-LARGEST, min(LARGEST, float(said[1]))))
        else:
            self.close(STEP if bracket == ")" else 1 / STEP)


def pieces_of(prompt: str) -> list[Piece]:
    """The words of a prompt with their weights, neighbours of one weight joined; open brackets close at the end."""
    reader, i = _Reader([], "", []), 0
    while i < len(prompt):
        char, i = prompt[i], i + 1
        if char == "\\" and prompt[i : i + 1] in tuple("()[]\\"):
            reader.word, i = reader.word + prompt[i], i + 1
        elif char in "([":
            reader.begin(char)
        elif char in ")]":
            reader.end(char)
        else:
            reader.word += char
    while reader.open:
        reader.close(STEP if reader.open[-1][0] == "(" else 1 / STEP)
    reader.cut()
    return _joined(reader.pieces)


def _joined(pieces: list[Piece]) -> list[Piece]:
    made: list[Piece] = []
    for piece in pieces:
        if made and made[-1].weight == piece.weight:
            made[-1] = Piece(made[-1].text + piece.text, piece.weight)
        else:
            made.append(piece)
    return made


def parts_of(prompt: str) -> list[list[Piece]]:
    """The pieces of a prompt between its BREAKs; a prompt without one is one part, an empty prompt one empty part."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces_of(prompt):
        first, *others = _BREAK.split(piece.text)
        if first:
            parts[-1].append(Piece(first, piece.weight))
        parts.extend([Piece(text, piece.weight)] if text else [] for text in others)
    return parts
