"""What is given up for a budget, agreed beforehand: fewer variants, candidates, calls of the network, less size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mezzotint.errors import UsageError
from mezzotint.making.sizes import parse_size

KINDS = ("variants", "candidates", "steps", "size")


@dataclass(frozen=True)
class Rung:
    """One step down.   kind: what is bounded.   value: its bound, a number, or WxH.

    It never adds: a row with fewer variants, candidates, steps or pixels than the bound keeps what it has.
    """

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


STEPS = (
    Rung("variants", "4"),
    Rung("variants", "2"),
    Rung("candidates", "1"),
    Rung("steps", "8"),
    Rung("variants", "1"),
)
"""Where no brief says another."""


@dataclass(frozen=True)
class Bounds:
    """What rungs leave; None is no bound."""

    variants: int | None = None
    candidates: int | None = None
    steps: int | None = None
    size: tuple[int, int] | None = None

    def fewer(self, variants: int) -> int:
        """Variants of a row."""
        return variants if self.variants is None else min(variants, self.variants)

    def smaller(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size, or the bound's where that has fewer pixels."""
        return size if self.size is None or math.prod(size) <= math.prod(self.size) else self.size


def rung(text: str, where: str) -> Rung:
    """ "variants 4", "candidates 1", "steps 8", "size 128x128".  Raises UsageError."""
    kind, _, value = text.partition(" ")
    value = value.strip()
    if kind == "size":
        width, height = parse_size(value)
        return Rung(kind, f"{width}x{height}")
    if kind not in KINDS or not value.isdecimal() or not int(value):
        raise UsageError(f'{where}: {text!r} is no rung; expected such as "variants 4", "steps 8", "size 128x128"')
    return Rung(kind, str(int(value)))


def bounds(rungs: tuple[Rung, ...]) -> Bounds:
    """What some rungs together leave; the tightest of a kind counts."""
    of = {kind: [one.value for one in rungs if one.kind == kind] for kind in KINDS}
    sizes = [parse_size(value) for value in of["size"]]
    return Bounds(
        min(map(int, of["variants"]), default=None),
        min(map(int, of["candidates"]), default=None),
        min(map(int, of["steps"]), default=None),
        min(sizes, key=math.prod, default=None),
    )
