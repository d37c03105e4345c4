"""What pictures cost against what they are worth: the points measured, those no other beats, one for each quality."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """Words of ``generate``.   solver, grid: "" is the model's own."""

    solver: str
    grid: str
    steps: int

    def __str__(self) -> str:
        return f"{self.solver or 'own solver'}{f' on {self.grid}' if self.grid else ''}, {self.steps} steps"


@dataclass(frozen=True)
class Kernel:
    """The kernel distance to pictures of many steps from other noise, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One setting, measured.

    calls: evaluations of networks a picture, guidance counted.  seconds: of processor time a picture.
    distance: root mean squared, to the many-step pictures from the same noise (states as shown, data about 1).
    """

    setting: Setting
    calls: float
    seconds: float
    distance: float
    kernel: Kernel

    @property
    def cost(self) -> tuple[float, float]:
        """What is compared first: calls do not depend on what else the machine does."""
        return self.calls, self.seconds


def pareto(points: Sequence[Point]) -> tuple[Point, ...]:
    """Those that no other beats: none takes fewer calls or as many and is nearer; from the cheapest.  What diverges is
    none of them."""
    found: list[Point] = []
    for p in sorted((p for p in points if math.isfinite(p.distance)), key=lambda p: (p.calls, p.distance, p.seconds)):
        if not found or p.distance < found[-1].distance:
            found.append(p)
    return tuple(found)


RULE = (
    "the fewest calls no farther from the many-step pictures than the model's own preset, and not clearly worse than it"
    " by the kernel distance (its interval does not begin above the preset's)"
)


def as_good(p: Point, preset: Point) -> bool:
    """Whether a point may stand for a preset, by ``RULE``."""
    return p.distance <= preset.distance and p.kernel.low <= preset.kernel.high


def recommended(points: Sequence[Point], presets: Mapping[str, Setting]) -> dict[str, Point]:
    """Quality -> the point to take, by ``RULE``.   presets: quality -> the model's own, each one of the points."""
    at = {p.setting: p for p in points}
    return {
        quality: min((p for p in points if as_good(p, at[own])), key=lambda p: p.cost)
        for quality, own in presets.items()
    }
