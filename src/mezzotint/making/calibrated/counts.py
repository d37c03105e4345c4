"""Numbers of calls that a solver can be fitted to: words that are checked before torch is imported."""

from __future__ import annotations

from collections.abc import Sequence

from mezzotint.errors import UsageError
from mezzotint.pretrained.few import MAX_CALLS

TEACHER = 24
"""Steps of the pictures that a solver is fitted to, where nobody says."""


def check_calls(calls: Sequence[int], teacher: int) -> tuple[int, ...]:
    """The numbers, each once, from the smallest.  Raises UsageError for one below 2, or not below the teacher's."""
    for n in calls:
        if not 2 <= n <= MAX_CALLS:
            why = "a solver of one call has nothing to learn from" if n < 2 else "published solvers need no more"
            raise UsageError(f"calls is {n}; expected 2 to {MAX_CALLS}: {why}")
        if n >= teacher:
            raise UsageError(f"calls is {n} and the teacher makes {teacher}; give fewer, or more with --teacher")
    if not calls:
        raise UsageError("no number of calls; give some with --calls, such as 4,6,8")
    return tuple(sorted(set(calls)))
