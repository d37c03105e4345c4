"""What was used to make something: network calls, seconds, and what these cost at the prices that are stated."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mezzotint.costs.plan import worth
from mezzotint.costs.prices import Prices


@dataclass(frozen=True)
class Used:
    """calls: evaluations of networks, as planned; guidance in two of them counts twice.

    seconds: wall time.  cpu_seconds: of all threads of this process.  gpu_seconds: wall time that an accelerator was
    kept, 0 without one.
    """

    calls: float
    seconds: float
    cpu_seconds: float
    gpu_seconds: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    def share(self, n: int) -> Used:
        """Of one of n that were made together."""
        return Used(*(value / n for value in asdict(self).values()))


@dataclass(frozen=True)
class Started:
    """A moment: wall clock and processor time."""

    wall: float
    cpu: float

    def used(self, calls: float, device: str) -> Used:
        """Since then."""
        seconds = time.perf_counter() - self.wall
        return Used(calls, seconds, time.process_time() - self.cpu, 0.0 if device == "cpu" else seconds)


def started() -> Started:
    """Now."""
    return Started(time.perf_counter(), time.process_time())


def cost_of(used: Used, prices: Prices) -> Mapping[str, Any]:
    """As receipts, passports and runs have it.

    energy_wh_estimate: the stated power times wall time, nothing is metered; money: at the stated price of an hour.
    Both are left out where nobody stated any.
    """
    said: dict[str, Any] = {name: round(value, 6) for name, value in asdict(used).items()}
    if prices.watts is not None:
        said["energy_wh_estimate"] = round(prices.watts * used.seconds / 3600, 6)
    if prices.per_hour is not None:
        said["money"] = str(worth(prices.per_hour, used.seconds))
        said["per_hour"] = str(prices.per_hour)
    return said


def used_in(said: Mapping[str, Any]) -> Used:
    """The inverse, of what was used.  Raises KeyError, TypeError, ValueError where it is damaged."""
    return Used(*(float(said[name]) for name in ("calls", "seconds", "cpu_seconds", "gpu_seconds")))
