"""The money of one of several workers on a run: set aside before each piece of work, settled after it.

Unlike a purse's, its time is that of the work alone, and it takes all that it needs or nothing: what one worker cannot
use stays for the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mezzotint.costs.book import Book, opened, units
from mezzotint.costs.caps import Caps
from mezzotint.errors import UsageError
from mezzotint.governance.licence.money import Money


@dataclass
class Till:
    """Of a worker.   spent: by what is settled; reserved: in all, as the book has both, in millionths."""

    book: Book
    caps: Caps
    per_hour: Money
    number: int
    spent: int = 0
    reserved: int = 0
    pictures: int = 0

    def covers(self, seconds: float, used: float = 0.0) -> bool:
        """Whether the work at hand may take so many seconds: they are set aside now.   used: of them, noted as spent
        with what is set aside."""
        wanted = self.spent + self._worth(seconds)
        if wanted > self.reserved:
            spent = self.spent + self._worth(used)
            self.reserved = self.book.reserve(self.number, wanted, spent, self.pictures, self.caps, wanted)
        return wanted <= self.reserved

    def note(self, used: float) -> None:
        """A sign of life, with what the work at hand has used: that is spent whatever becomes of this process."""
        spent = self.spent + self._worth(used)
        self.reserved = self.book.reserve(self.number, self.reserved, spent, self.pictures, self.caps, self.reserved)

    def settle(self, seconds: float, pictures: int) -> None:
        """The work at hand is done, or left."""
        self.spent += self._worth(seconds)
        self.pictures += pictures
        self.reserved = self.spent
        self.book.keep(self.number, self.spent, self.pictures)

    def _worth(self, seconds: float) -> int:
        """In millionths, rounded up."""
        return math.ceil(seconds * units(self.per_hour) / 3600)


@contextmanager
def till(command: str, run: str, caps: Caps, per_hour: Money) -> Iterator[Till]:
    """A worker's, for as long as it works; its line is ended however it ends.

    Raises UsageError where a cap is in another currency than the price; StorageError.
    """
    for cap in (caps.of_project, caps.month, caps.run):
        if cap is not None and cap.currency != per_hour.currency:
            raise UsageError(f"a cap is in {cap.currency} and the price in {per_hour.currency}; say both in one")
    with opened() as book:
        made = Till(book, caps, per_hour, book.begin(command, caps, per_hour.currency, run))
        try:
            yield made
        finally:
            book.settle(made.number, made.spent, made.pictures)
