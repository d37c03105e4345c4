"""Ending early between pictures, as training ends between steps."""

from __future__ import annotations

from collections.abc import Callable

from mezzotint.making.evaluation import Counted


class HaltedError(Exception):
    """Whoever watches asked for the end.  Never leaves ``making.tuned``: what is made is kept, and goes on."""


def heeding(stop: Callable[[], bool]) -> Counted:
    """A report of pictures that raises HaltedError where ``stop`` says so."""

    def report(done: int, total: int) -> None:
        if stop():
            raise HaltedError

    return report
