"""The money of runs: in the book of all that is spent here, where a run's budget is one more cap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mezzotint.catalog.ledger.runs import Run
from mezzotint.costs.book import Line, is_begun, money, opened, units
from mezzotint.costs.caps import Caps, declared
from mezzotint.costs.till import Till, till
from mezzotint.errors import BudgetError
from mezzotint.governance.licence.money import Money

COMMAND = "catalog"


@contextmanager
def paid(run: Run) -> Iterator[Till | None]:
    """What a worker of a run spends from; None where nobody prices the hour.

    Raises BudgetError where the run's budget is counted in another book, UsageError, StorageError.
    """
    if not run.per_hour:
        yield None
        return
    with till(COMMAND, _name(run), _caps(run), money(run.per_hour, run.currency)) as found:
        if run.cap is not None and found.book.id != run.book:
            raise BudgetError(
                f"the budget of run {run.id} is counted in another book than here; let its workers share one, book in"
                " [cost] of mezzotint.toml, or say --budget again, which begins to count here"
            )
        yield found


def _name(run: Run) -> str:
    """A run's in the book: one of the same manifest in another ledger is another."""
    return f"{run.id} {run.created:.6f}"


def _caps(run: Run) -> Caps:
    """What the settings say, with the run's budget: a cap of a command is in that already."""
    cap = None if run.cap is None else money(run.cap, run.currency)
    return replace(declared(), command=None, run=cap)


def spent_by(run: Run) -> Line:
    """What a run has spent and reserved, all its workers and all times that it went on, as far as it was here."""
    if not run.per_hour or not is_begun():
        nothing = money(0, run.currency)
        return Line("", "", nothing, nothing, 0)
    with opened() as book:
        return book.of_run(_name(run), run.currency)


def left_of(run: Run) -> Money | None:
    """What its budget leaves, less what is set aside; None without one."""
    if run.cap is None:
        return None
    paid = spent_by(run)
    return money(max(0, run.cap - units(paid.spent) - units(paid.reserved)), run.currency)


def refusal(run: Run) -> str:
    """Which cap leaves a run no more."""
    with till(COMMAND, _name(run), _caps(run), money(run.per_hour, run.currency)) as found:
        return str(found.book.refusal(found.number, found.caps))


def book_here() -> str:
    """The id of the book of this home, which is begun where there is none."""
    with opened() as book:
        return book.id
