"""Following pictures as they are made, and ending early between their steps, as training ends between steps."""

from __future__ import annotations

from collections.abc import Callable

from mezzotint.making.evaluation import Counted

Pictured = Callable[[str, int, int], None]
"""(what they are made for, pictures made, of how many)."""


class HaltedError(Exception):
    """Whoever watches asked for the end.  Never leaves ``making.tuned``: what is made is kept, and goes on."""


def unseen(what: str, done: int, total: int) -> None:
    """Nobody follows."""


def heeding(stop: Callable[[], bool], pictured: Pictured, what: str) -> Counted:
    """A report of pictures that tells who follows, and raises HaltedError where ``stop`` says so."""

    def report(done: int, total: int) -> None:
        pictured(what, done, total)
        if stop():
            raise HaltedError

    return report
