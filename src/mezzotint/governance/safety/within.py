"""A gate's work with a limit of time, and a word to whoever looks after it where it fails: nobody waits for ever, and
no filter that broke is silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

Made = TypeVar("Made")

SECONDS = 120.0
"""A hundred times what a check takes on a slow core."""


def within(seconds: float, work: Callable[[], Made]) -> Made:
    """What ``work`` returns.  One that is late is left to itself: a thread cannot be ended.

    Raises TimeoutError after ``seconds``; whatever ``work`` raises.
    """
    answer: Future[Made] = Future()

    def asked() -> None:
        try:
            answer.set_result(work())
        except Exception as error:  # whatever it is: it is raised where it was asked for
            answer.set_exception(error)

    Thread(target=asked, daemon=True, name="gate").start()
    if not wait([answer], timeout=seconds).done:
        raise TimeoutError(f"no answer in {seconds:g} s")
    return answer.result()


def alert(gate: str, check: str, error: Exception) -> None:
    """Says in the log which check failed and how; no text or name that was checked, for errors may repeat them."""
    logging.getLogger(__name__).error("the %s gate could not check (%s): %s", gate, check, type(error).__name__)
