"""Why a long run ends early: a signal, or time that is up."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Self


class Stop:
    """Why a run should end before its last step: a signal, or time that is up.

    A second Ctrl-C ends the program at once; the last checkpoint stays.
    """

    def __init__(self, minutes: float | None) -> None:
        self._end = None if minutes is None else time.monotonic() + 60 * minutes
        self.interrupted = False

    def __enter__(self) -> Self:
        self._before = {n: signal.signal(n, self._signalled) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def __call__(self) -> bool:
        return self.interrupted or (self._end is not None and time.monotonic() >= self._end)
