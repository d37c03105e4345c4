"""Which moment of a run is kept: a rule that is stated, on evidence, never on the training loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mezzotint.evaluation.estimate import Estimate
from mezzotint.tuning.evidence import ADHERENCE, DRIFT, Evidence

RULE = (
    "Of the moments at which prompts still work (backgrounds and colours each at least"
    f" {ADHERENCE:.0%} of the base's adherence), other things stay as they were (drift at most {DRIFT:g}) and no"
    " picture is a copy, of every subject, the one most like the photographs; where there is none, the least"
    " overstepped."
)

CAUTION = (
    "The moment is chosen by the same photographs and the same noise that its numbers are of, so of several moments the"
    " best looks somewhat better than it is; and intervals say what other pictures would give, not what other"
    " photographs would."
)
"""What the numbers of a moment that is kept are not."""


@dataclass(frozen=True)
class Choice:
    """step: of the moment that is kept.  kept: whether it holds to all of the rule.  why: for people."""

    step: int
    kept: bool
    why: str


def overstepped(found: Evidence, base: Evidence) -> float:
    """By how much a moment breaks the rule, 0 where it does not."""
    prompts = _short(found.adherence, base.adherence) + _short(found.painted, base.painted)
    drift = 0.0 if found.drift is None else max(0.0, found.drift.value / DRIFT - 1)
    return prompts + drift + found.copies.value


def _short(found: Estimate, base: Estimate) -> float:
    """By how much a share is below what must be kept of the base's."""
    return max(0.0, ADHERENCE * base.value - 1e-9 - found.value)  # shares are not exact in binary


def choose(*subjects: Mapping[int, Evidence]) -> Choice:
    """The moment that is kept, by RULE: no subject's fault is made up for by another.

    subjects: step -> evidence of one subject each, the same steps; of the base at step 0, and of at least one moment.
    """
    steps = [step for step in subjects[0] if step]
    faults = {step: max(overstepped(of[step], of[0]) for of in subjects) for step in steps}
    like = {step: sum(of[step].fidelity.value for of in subjects) for step in steps}
    sound = {step: like[step] for step, fault in faults.items() if fault == 0}
    if sound:
        step = max(sound, key=lambda s: sound[s])
        why = f"the most like the photographs of {len(sound)} moments" if len(sound) > 1 else "the one moment"
        return Choice(
            step, True, f"after {step} updates: {why} that {'hold' if len(sound) > 1 else 'holds'} to the rule"
        )
    step = min(faults, key=lambda s: faults[s])
    return Choice(step, False, f"after {step} updates: no moment holds to all of the rule, this one oversteps it least")
