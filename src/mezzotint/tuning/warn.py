"""What a person should know of an adapter that was kept: not learnt, over-fitted, or beyond the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mezzotint.tuning.choose import Choice
from mezzotint.tuning.evidence import Evidence


def warnings(choice: Choice, each: Mapping[str, Mapping[int, Evidence]]) -> tuple[str, ...]:
    """One line each.   each: subject -> step -> evidence."""
    own = (line for name, of in each.items() for line in _of(f"{name}: " if len(each) > 1 else "", of[choice.step]))
    return (*(() if choice.kept else (choice.why,)), *own)


def _of(name: str, kept: Evidence) -> Iterator[str]:
    """Of one subject.   name: "" where it is the only one."""
    if kept.gain is not None and kept.gain.low <= 0:
        yield f"{name}the pictures are not clearly more like the photographs than the base's; more steps may help"
    if kept.copies.value > 0:
        yield f"{name}{kept.copies.value:.0%} of the pictures are copies of photographs: over-fitted, use fewer steps"
