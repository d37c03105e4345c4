"""Caps of what may be spent, for commands that keep what they did and go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mezzotint.errors import BudgetSpentError


@contextmanager
def budgeted(command: str, stop: Callable[[], bool], goes_on: str) -> Iterator[Callable[[], bool]]:
    """A ``stop`` that is also true where money ends.   goes_on: how the command does, for people.

    Raises BudgetError before anything is done where nothing is left; BudgetSpentError when the run has ended by it.
    """
    from mezzotint.costs.purse import Heeding, purse

    with purse(command) as money:
        heeding = Heeding(stop, money)
        yield heeding
    if heeding.refused is not None:
        raise BudgetSpentError(f"stopped: {heeding.refused}; {goes_on}")
