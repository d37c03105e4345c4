"""What came of tuning, as one HTML file that needs nothing else, and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from mezzotint.evaluation.estimate import Estimate
from mezzotint.evaluation.page import STYLE, image, row
from mezzotint.tuning.choose import CAUTION, RULE, Choice
from mezzotint.tuning.curves import Loss, by_moment
from mezzotint.tuning.evidence import COPY, Evidence
from mezzotint.tuning.nearest import Nearest
from mezzotint.tuning.separation import Separation

SCHEMA = "mezzotint/tune/1"
HEADS = (
    (
        "fidelity",
        "like the photographs",
        "mean cosine between features of the product in its pictures and in real ones, whatever is behind it",
    ),
    ("gain", "more than the base", "the same less the base's on the same noise"),
    ("colour", "colour error ΔE", "CIE76 between the mean colours of the product in its pictures and in real ones"),
    ("adherence", "backgrounds as asked", "share of pictures whose plain background has the colour of the prompt"),
    ("painted", "colours as asked", "share of pictures whose product has the colour of the prompt"),
    (
        "drift",
        "drift of other things",
        "how far pictures of other things moved as a whole, 1 is as far as other noise does",
    ),
    ("copies", "copies", "share of pictures that are a photograph that was learnt from"),
)
"""(field of Evidence, column, what it is)."""

LOSS = (
    "validation loss",
    "loss on what was held apart, or on scenes that were not learnt from; the same noise each time",
)
NEAREST = "nearest photograph"

SHARED = "drift"
"""The field that is no subject's own."""


@dataclass(frozen=True, eq=False)
class Found:
    """All that is reported.

    subjects: what was learnt.  base: the model.  seen: "held-out photographs", or the photographs themselves.
    evidence: of the base at step 0, then of every moment, all subjects together.  each: subject -> of its own alone.
    choice: which is kept.  validation: of each moment, the last that was measured by then.  nearest: subject -> the
    photograph that the kept moment's pictures come nearest to.  notes: for people.
    about: settings, hashes, versions: JSON-safe.  seconds: of learning, and of judging.   use: a command that uses it.
    """

    subjects: tuple[str, ...]
    base: str
    seen: str
    evidence: Mapping[int, Evidence]
    each: Mapping[str, Mapping[int, Evidence]]
    choice: Choice
    validation: Mapping[int, Loss]
    nearest: Mapping[str, Nearest]
    separation: Separation | None
    notes: tuple[str, ...]
    about: Mapping[str, Any]
    seconds: tuple[float, float]
    use: str


def document(found: Found) -> dict[str, Any]:
    """As JSON values."""
    apart = found.separation
    return {
        "schema": SCHEMA,
        "subjects": list(found.subjects),
        "base": found.base,
        "judged_by": found.seen,
        "rule": RULE,
        "choice": asdict(found.choice),
        "evidence": _evidence(found.evidence),
        "each": {name: _evidence(of) for name, of in found.each.items()},
        "validation": {str(moment): asdict(one) for moment, one in found.validation.items()},
        "nearest": {name: asdict(one) for name, one in found.nearest.items()},
        "separation": None if apart is None else {"names": list(apart.names), "gains": _gains(apart)},
        "notes": list(found.notes),
        "about": dict(found.about),
        "seconds": {"learning": round(found.seconds[0], 1), "judging": round(found.seconds[1], 1)},
        "use": found.use,
    }


def _evidence(found: Mapping[int, Evidence]) -> dict[str, Any]:
    return {str(step): asdict(one) for step, one in found.items()}


def _gains(apart: Separation) -> list[list[dict[str, Any]]]:
    return [[asdict(one) for one in row] for row in apart.gains]


def text(found: Found) -> str:
    """For a terminal: what was kept, and what it does, of several subjects each measure's under it."""
    step = found.choice.step
    lines = [f"{found.choice.why}; judged by {found.seen}"]
    for field, head, _ in HEADS:
        lines.append(f"  {head:22} {_cell(getattr(found.evidence[step], field))}")
        lines += [f"    {name:20} {_cell(getattr(of[step], field))}" for name, of in _apart(found, field)]
    lines += [f"  {LOSS[0]:22} {_loss(found.validation.get(step), step)}"]
    for name, one in found.nearest.items():
        lines.append(f"  {NEAREST:22} {one}" + (f" ({name})" if len(found.nearest) > 1 else ""))
    return "\n".join([*lines, *(f"note: {note}" for note in found.notes), found.use])


def _apart(found: Found, field: str) -> list[tuple[str, Mapping[int, Evidence]]]:
    """What is said of each subject: nothing of a single one, and nothing of what is the same of all."""
    return list(found.each.items()) if len(found.each) > 1 and field != SHARED else []


def _cell(value: Estimate | None) -> str:
    return "–" if value is None else str(value)


def _loss(value: Loss | None, moment: int) -> str:
    """With when it was measured, where that was not at the moment itself."""
    if value is None:
        return "–"
    return f"{value.loss:.4g}" if value.step == moment else f"{value.loss:.4g} after {value.step}"


def page(found: Found, pictures: Mapping[str, bytes]) -> str:
    """The page.   pictures: title -> PNG, in the order they are shown."""
    names = " · ".join(found.subjects)
    n = next(iter(found.each.values()))[found.choice.step].fidelity.n
    beside = " of every subject" if len(found.each) > 1 else ""
    body = [
        f"<h1>{escape(names)} on {escape(found.base)}</h1>",
        f"<p>Kept {escape(found.choice.why)}. {n} pictures of each sort{beside}, held against {escape(found.seen)}.",
        f"In brackets 95 % intervals.</p><p>The rule: {escape(RULE)} {escape(CAUTION)}</p>",
        _table(found.evidence, found.choice.step, found.validation),
        by_moment(found.evidence, found.choice.step),
        *_tables(found),
        *_nearest(found.nearest),
        *_notes(found.notes),
        *_matrix(found.separation),
        f"<h2>Use it</h2><pre>{escape(found.use)}</pre>",
        *(f"<h2>{escape(title)}</h2>{image(data, title)}" for title, data in pictures.items()),
        "<h2>How it was made</h2><table>",
        *(row("td", [escape(key), f"<code>{escape(str(value))}</code>"]) for key, value in found.about.items()),
        f"</table><p>{found.seconds[0]:.0f} s of learning, {found.seconds[1]:.0f} s of judging.</p>",
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Tuned: {escape(names)}</title>'
        f"<style>{STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def _tables(found: Found) -> list[str]:
    """Every subject's own, where there are several."""
    several = found.each if len(found.each) > 1 else {}
    return [f"<h2>{escape(name)}</h2>{_table(of, found.choice.step, {})}" for name, of in several.items()]


def _table(evidence: Mapping[int, Evidence], kept: int, validation: Mapping[int, Loss]) -> str:
    """validation: a column more; none where it is empty, as it is no subject's own."""
    own = [(head, what) for _, head, what in HEADS] + ([LOSS] if validation else [])
    rows = [row("th", ["", *(f'<span title="{escape(what, quote=True)}">{escape(head)}</span>' for head, what in own)])]
    for step, one in evidence.items():
        name = "the base" if step == 0 else f"{step} updates" + (", kept" if step == kept else "")
        loss = [_loss(validation.get(step), step)] if validation else []
        rows.append(row("td", [name, *(escape(_cell(getattr(one, field))) for field, _, _ in HEADS), *loss]))
    return f"<table>{''.join(rows)}</table>"


def _nearest(found: Mapping[str, Nearest]) -> list[str]:
    """Of every subject, how near the kept moment's pictures come to what was learnt from."""
    what = (
        f"mean correlation of a picture with the photograph nearest to it, above {COPY:g} a copy, where different"
        " photographs are not as near to each other"
    )
    rows = [row("th", ["", f"similarity to the {NEAREST}", "nearest of all", "at"])]
    for name, one in found.items():
        rows.append(row("td", [escape(name), str(one.similarity), escape(one.photograph), f"{one.most:.4g}"]))
    return [f"<h2>How near to the photographs</h2><p>Of the kept moment: {what}.</p><table>", *rows, "</table>"]


def _notes(notes: Sequence[str]) -> list[str]:
    return ["<h2>To know</h2><ul>", *(f"<li>{escape(note)}</li>" for note in notes), "</ul>"] if notes else []


def _matrix(apart: Separation | None) -> list[str]:
    """Of several subjects: rows are photographs, columns words."""
    if apart is None:
        return []
    rows = [row("th", ["photographs of", *(f"word {escape(name)}" for name in apart.names)])]
    for name, gains in zip(apart.names, apart.gains, strict=True):
        rows.append(row("td", [escape(name), *(escape(str(one)) for one in gains)]))
    return ["<h2>Are they apart?</h2><p>How much nearer than the base's.</p><table>", *rows, "</table>"]
