r"""What a run will take: batches, times what one was measured to take, times what an hour costs.

The first batch is not like the others (networks are read, kernels chosen), so it is measured apart:
:math:`T = t_1 + (B - 1)\,\bar t`, with :math:`\bar t` the mean of the batches after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from mezzotint.costs.prices import Prices
from mezzotint.errors import UsageError
from mezzotint.governance.licence.money import Money

SHARE = 0.15
"""What a plan may be wrong by, at least: other work on the machine, its heat."""

PLACES = Decimal("0.000001")
"""To which money is rounded."""


@dataclass(frozen=True)
class Probe:
    """Batches that were made: seconds of the first, and of each after it.  rows: of a batch."""

    first: float
    more: tuple[float, ...]
    rows: int


@dataclass(frozen=True)
class Span:
    """Seconds: what is expected, and between what."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Plan:
    """Of ``pictures`` in ``batches``.

    calls: evaluations of denoisers a picture, guidance in two of them counted twice.  watt_hours: an estimate; money:
    of the time that is expected, and of the most.  None where no power, no price is stated.
    """

    pictures: int
    batches: int
    calls: float
    seconds: Span
    watt_hours: float | None
    money: tuple[Money, Money] | None

    @property
    def a_picture(self) -> float:
        """Seconds."""
        return self.seconds.value / self.pictures


def plan(pictures: int, batches: int, calls: float, probe: Probe, prices: Prices) -> Plan:
    """Of a run like the probe's.   Raises UsageError where nothing is to be made."""
    if pictures < 1 or batches < 1:
        raise UsageError("a plan of no pictures; expected at least one")
    rest, each = batches - 1, probe.more or (probe.first,)
    value = probe.first + rest * fmean(each)
    low = min((1 - SHARE) * value, probe.first + rest * min(each))
    high = max((1 + SHARE) * value, probe.first + rest * max(each))
    energy = None if prices.watts is None else prices.watts * value / 3600
    per_hour = prices.per_hour
    money = None if per_hour is None else (worth(per_hour, value), worth(per_hour, high))
    return Plan(pictures, batches, calls, Span(value, low, high), energy, money)


def worth(per_hour: Money, seconds: float) -> Money:
    """Of a time."""
    return Money((per_hour.amount * Decimal(repr(seconds)) / 3600).quantize(PLACES), per_hour.currency)
