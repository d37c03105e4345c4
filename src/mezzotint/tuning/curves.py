"""How a run went, moment by moment: its loss on what was held apart, and its evidence as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from mezzotint.evaluation.estimate import Estimate
from mezzotint.tuning.evidence import ADHERENCE, DRIFT, Evidence

WIDTH, HEIGHT, EDGE = 260, 150, 28
INK, BLUE, RED = "#222222", "#1f5fb4", "#c2331f"
PANELS = (
    ("gain", "more than the base"),
    ("adherence", "backgrounds as asked"),
    ("painted", "colours as asked"),
    ("drift", "drift of other things"),
)
"""(field of Evidence, title)."""


@dataclass(frozen=True)
class Loss:
    """loss: on what was held apart, on fixed noise.  step: of the update after which it was measured."""

    step: int
    loss: float


def losses_at(journal: Sequence[Mapping[str, Any]], moments: Sequence[int]) -> dict[int, Loss]:
    """Moment -> the last validation loss that was measured by then; none where there was none yet.

    journal: its lines (``training.journal``).
    """
    found = {line["step"]: Loss(line["step"], line["validation"]) for line in journal if "validation" in line}
    by = {moment: max((step for step in found if step <= moment), default=None) for moment in moments}
    return {moment: found[step] for moment, step in by.items() if step is not None}


def by_moment(evidence: Mapping[int, Evidence], kept: int) -> str:
    """An SVG for a page: gain, adherence, colours and drift of every moment with 95 % intervals, the kept one red, what
    the rule asks for dashed.   evidence: step -> of it, 0 is the base."""
    limits = {
        "gain": 0.0,
        "adherence": ADHERENCE * evidence[0].adherence.value,
        "painted": ADHERENCE * evidence[0].painted.value,
        "drift": DRIFT,
    }
    drawn = "".join(
        f'<g transform="translate({k * WIDTH} 0)">{"".join(_panel(evidence, kept, field, title, limits[field]))}</g>'
        for k, (field, title) in enumerate(PANELS)
    )
    size = f'viewBox="0 0 {len(PANELS) * WIDTH} {HEIGHT}"'
    return f'<svg role="img" aria-label="evidence by moment" {size} font-size="11" fill="{INK}">{drawn}</svg>'


def _panel(evidence: Mapping[int, Evidence], kept: int, field: str, title: str, limit: float) -> Iterator[str]:
    points = {step: one for step, of in evidence.items() if (one := getattr(of, field)) is not None}
    ends = [limit, *(end for one in points.values() for end in (one.low, one.high))]
    low, high, last = min(ends), max(ends), max(evidence)

    def at(step: int, value: float) -> tuple[float, float]:
        up = (value - low) / (high - low) if high > low else 0.5
        return EDGE + step / last * (WIDTH - 2 * EDGE), HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE)

    (left, y), (right, _) = at(0, limit), at(last, limit)
    yield f'<text x="{EDGE}" y="12">{escape(title)}, {low:.3g} … {high:.3g}</text>'
    yield f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{INK}" stroke-dasharray="3 3"/>'
    line = " ".join("{:.1f},{:.1f}".format(*at(step, one.value)) for step, one in points.items())
    yield f'<polyline points="{line}" fill="none" stroke="{BLUE}"/>'
    for step, one in points.items():
        yield _mark(at(step, one.value), at(step, one.low)[1], at(step, one.high)[1], step, one, step == kept)


def _mark(at: tuple[float, float], low: float, high: float, step: int, one: Estimate, kept: bool) -> str:
    """A point with its interval; its number is told where a pointer rests on it."""
    (x, y), colour = at, RED if kept else BLUE
    bar = f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}"/>'
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{step}: {escape(str(one))}</title></circle>'
    label = f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{step or "base"}</text>'
    return bar + dot + label
