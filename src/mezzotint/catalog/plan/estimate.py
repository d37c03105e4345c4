r"""What a plan takes: batches times what one was measured to take, times what an hour costs.

Work is network calls times rows times pixels, and time goes with it: :math:`T = \sum_b w_b\,\tau`, with :math:`\tau`
the seconds of a unit of work in batches that were made to see.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from mezzotint.catalog.plan.prepared import prepared
from mezzotint.catalog.plan.words import Recipe, Words
from mezzotint.costs.plan import SHARE, Probe, Span, worth
from mezzotint.errors import BudgetError, UsageError
from mezzotint.governance.licence.money import Money, money
from mezzotint.making.job import Job

if TYPE_CHECKING:
    from mezzotint.pretrained.model import Model

MICRO = 1_000_000


@dataclass(frozen=True)
class Pace:
    """Seconds of a unit of work: as is usual, and at most; seconds more of the first batch.   probed: batches made."""

    usual: float
    most: float
    first: float = 0.0
    probed: int = 0

    def seconds(self, work: int) -> Span:
        """Of so much work, nothing for none."""
        first = self.first if work else 0.0
        value = first + work * self.usual
        return Span(value, (1 - SHARE) * value, max((1 + SHARE) * value, first + work * self.most))


UNKNOWN = Pace(0.0, 0.0)
"""Where nothing was made to see."""


def pace(found: Probe, work: int) -> Pace:
    """By batches of so much work."""
    each = found.more or (found.first,)
    usual = fmean(each)
    most = max((1 + SHARE) * usual, max(each))
    return Pace(usual / work, most / work, max(0.0, found.first - usual), 1 + len(found.more))


def probed(
    recipe: Recipe, prompts: list[str], rows: int, work: int, words: Words, model: Model, seconds: float,
    told: Callable[[float, int], None],
) -> Pace:  # fmt: skip
    """The pace of a recipe: its batches made for a while, and thrown away.

    Raises UsageError unless 0 < seconds <= 3600, NonFiniteError; else as ``prepared``.
    """
    from mezzotint.making.probed import probe

    ready = prepared(recipe, words, model, rows)
    pictures = tuple(ready.wanted(prompts[k % len(prompts)], k) for k in range(rows))
    assert isinstance(ready.job, Job)
    return pace(probe(replace(ready.job, pictures=pictures), seconds, told), work)


def by_frontier(job: Job, calls: int, size: tuple[int, int]) -> Pace | None:
    """As ``frontier`` measured the model's calls on a processor: divided by its threads at best, not at all at most.

    calls: network calls a picture.   size: in which it is made.   None where nothing like it was measured.
    Raises ModelError for a damaged frontier.
    """
    from mezzotint.pretrained.frontier import found_frontier, seconds_of

    main = job.main
    path = found_frontier(main.model.described, main.plan.scale)
    if job.device != "cpu" or len(job.stages) > 1 or path is None:
        return None
    dtype = str(job.dtype).removeprefix("torch.")
    by_ranker = main.plan.classifier_scale
    seconds = seconds_of(path, main.model.described, main.model.spec, dtype, calls, by_ranker)
    if seconds is None:
        return None
    each = seconds / math.prod(size)
    return Pace(each / job.threads, (1 + SHARE) * each)


def budget_of(text: str | None, per_hour: Money | None) -> Money | None:
    """ "0.50", "0.50 USD" in the currency of the price.  Raises UsageError (no amount, negative, no price to go by)."""
    if text is None:
        return None
    if per_hour is None:
        raise UsageError(
            '--budget needs a price: say --per-hour "0.40 USD", or per_hour in [cost] of the brief or of mezzotint.toml'
        )
    said = text if any(c.isalpha() and c not in "eE" for c in text) else f"{text} {per_hour.currency}"
    found = money(said, "--budget")
    if found.currency != per_hour.currency:
        raise UsageError(f"--budget is in {found.currency} and the price in {per_hour.currency}; say both in one")
    return found


def lesser(budget: Money | None, cap: Money | None) -> Money | None:
    """Of a budget and the cap of a command, where there are any.   Raises UsageError for two currencies."""
    if budget is None or cap is None:
        return budget or cap
    if budget.currency != cap.currency:
        raise UsageError(f"the budget is in {budget.currency} and cap_command in {cap.currency}; say both in one")
    return min(budget, cap, key=lambda one: one.amount)


def micro(amount: Money) -> int:
    """In millionths of its currency, rounded down."""
    return int(amount.amount * MICRO)


def fits(span: Span, per_hour: Money | None, budget: Money | None) -> bool:
    """Whether the most that is expected can be paid."""
    return budget is None or per_hour is None or worth(per_hour, span.high).amount <= budget.amount


def too_dear(least: Span, per_hour: Money, budget: Money) -> BudgetError:
    """One line for a budget that no rung of the ladder fits."""
    need = worth(per_hour, least.high)
    return BudgetError(
        f"the budget is {budget} and the least on the ladder may take {need}; raise it, plan fewer rows, or say a"
        " longer ladder in the brief"
    )
