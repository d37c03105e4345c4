"""The money of one command: reserved in slices as it goes on, and never spent beyond what is reserved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mezzotint.costs.book import Book, opened, units
from mezzotint.costs.caps import Caps, declared
from mezzotint.costs.plan import worth
from mezzotint.errors import BudgetError
from mezzotint.governance.licence.money import Money

SLICE_SECONDS = 60.0
"""Of the machine's time: what is reserved at a time."""


@dataclass
class Purse:
    """Of a command that is running.   began: of the clock.  reserved: in millionths, as the book has it."""

    book: Book
    caps: Caps
    per_hour: Money
    number: int
    began: float = field(default_factory=lambda: time.perf_counter())
    reserved: int = 0
    longest: int = 0
    last: int = 0
    pictures: int = 0

    @property
    def spent(self) -> int:
        """In millionths, so far."""
        return units(worth(self.per_hour, time.perf_counter() - self.began))

    def heed(self) -> None:
        """To be called at every step: reserves more where the next one may not be covered.

        A step that takes longer than all before it may pass its reservation by the difference.
        Raises BudgetError where a cap leaves no room for another step.
        """
        spent = self.spent
        self.longest, self.last = max(self.longest, spent - self.last), spent
        if self.reserved and spent + self.longest <= self.reserved:
            return
        wanted = spent + max(self.longest, units(worth(self.per_hour, SLICE_SECONDS)))
        self.reserved = self.book.reserve(self.number, wanted, spent, self.pictures, self.caps)
        if spent + self.longest > self.reserved or self.reserved == 0:
            raise self.book.refusal(self.number, self.caps)


@dataclass
class Heeding:
    """A ``stop`` for runs that keep checkpoints: also where the money ends.   refused: why, once it has."""

    stop: Callable[[], bool]
    money: Purse | None
    refused: BudgetError | None = None

    def __call__(self) -> bool:
        if self.money is not None and self.refused is None:
            try:
                self.money.heed()
            except BudgetError as error:
                self.refused = error
        return self.refused is not None or self.stop()


@contextmanager
def purse(command: str) -> Iterator[Purse | None]:
    """The purse of a command that begins, its first slice reserved; settled at its end, however it ends.

    None where no hour is priced: nothing can be counted then, and no cap can be set.
    Raises BudgetError (nothing is left), UsageError, InputError (settings), StorageError.
    """
    caps = declared()
    if caps.per_hour is None:
        yield None
        return
    with opened() as book:
        made = Purse(book, caps, caps.per_hour, book.begin(command, caps, caps.per_hour.currency))
        try:
            made.heed()
            yield made
        finally:
            book.settle(made.number, made.spent if made.reserved else 0, made.pictures)
