"""Evaluations as JSON for machines and as tables for people; only what has one reference is set side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mezzotint.errors import InputError, UsageError
from mezzotint.evaluation.estimate import Estimate
from mezzotint.evaluation.measure import COPIES, Measure, Measured
from mezzotint.files import pretty_json

SCHEMA = "mezzotint/evaluation/2"
COPIES_AMONG = "copies_among"
"""Where ``about`` has in how many training "pictures" copies were looked for; or in how many "photographs", and in how
many "scenes_of_each" of those that models learn from."""

COPIES_WELL = 100
"""Pictures from which the share of copies says something: none of fewer may still be one in 27."""


@dataclass(frozen=True)
class Cost:
    """parameters: of all networks that make a picture.  calls: network calls a picture.  seconds: of processor time a
    picture, ``where`` it was measured.  training: what it took, in words."""

    parameters: int
    calls: int
    seconds: float
    where: str
    training: str


@dataclass(frozen=True)
class Report:
    """What was measured of one model.

    trial, reference_sha256: what it was asked and held against (``evaluation.trial``).   features: the network behind
    distances and neighbours.  n: pictures made.  about: how they were made, JSON-safe.
    """

    model: str
    trial: str
    reference_sha256: str
    features: str
    n: int
    cost: Cost
    measured: Measured
    about: Mapping[str, Any]

    def json(self) -> str:
        """A document of schema ``mezzotint/evaluation/2``."""
        return pretty_json(document(self))


def document(report: Report) -> dict[str, Any]:
    """The report as JSON values; ``metrics`` is the short form that model cards quote."""
    fields = asdict(report)
    measured = fields.pop("measured")
    metrics = {m.name: round(m.made.value, 6) for m in report.measured.measures}
    return {"schema": SCHEMA, **fields, **measured, "metrics": metrics}


def report_of(found: Mapping[str, Any]) -> Report:
    """The report that ``document`` made.  Raises InputError for another document."""
    try:
        if found["schema"] != SCHEMA:
            raise InputError(f"this is {found['schema']!r}, not {SCHEMA!r}; evaluate the model again")
        measures = tuple(
            Measure(m["name"], m["better"], Estimate(**m["made"]), None if m["real"] is None else Estimate(**m["real"]))
            for m in found["measures"]
        )
        nearest = tuple((int(a), int(b), float(c)) for a, b, c in found["nearest"])
        return Report(
            found["model"],
            found["trial"],
            found["reference_sha256"],
            found["features"],
            found["n"],
            Cost(**found["cost"]),
            Measured(measures, nearest),
            found["about"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"this is no whole evaluation ({error}); evaluate the model again") from error


def same_trial(reports: Sequence[Report]) -> None:
    """Raises UsageError where evaluations were made against different references, features or numbers of pictures."""
    for what in ("reference_sha256", "features", "n"):
        values = {report.model: getattr(report, what) for report in reports}
        if len(set(values.values())) > 1:
            said = ", ".join(f"{model}: {str(value)[:12]}" for model, value in values.items())
            raise UsageError(f"evaluations with different {what} do not compare ({said}); evaluate them the same way")
    sought = [r.about.get(COPIES_AMONG) for r in reports if COPIES in r.measured.named]
    if any(among != sought[0] for among in sought):
        raise UsageError("evaluations that looked for copies among others do not compare; evaluate them again")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, a rule under the head."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]]) + "\n"


def cells(reports: Sequence[Report]) -> tuple[list[str], list[list[str]]]:
    """(head, rows) of the table that sets evaluations side by side.  Raises as ``same_trial``."""
    same_trial(reports)
    head = ["measure", "better", *(r.model for r in reports), "real pictures"]
    rows = [
        ["parameters", "", *(f"{r.cost.parameters / 1e6:.1f} M" for r in reports), ""],
        ["network calls a picture", "lower", *(str(r.cost.calls) for r in reports), ""],
        ["processor seconds a picture", "lower", *(f"{r.cost.seconds:.2f}" for r in reports), ""],
    ]
    names = dict.fromkeys(m.name for r in reports for m in r.measured.measures)
    return head, rows + [_row([r.measured.named.get(name) for r in reports]) for name in names]


def _row(found: Sequence[Measure | None]) -> list[str]:
    """One measure of several models, None where it was not made."""
    made = [one for one in found if one is not None]
    real = next((str(one.real) for one in made if one.real is not None), "")
    return [made[0].name, made[0].better, *("" if one is None else str(one.made) for one in found), real]


def copies_said(reports: Sequence[Report]) -> str:
    """In what copies were looked for, and how far the share goes; "" where no report of them has it."""
    found = next((r for r in reports if COPIES_AMONG in r.about), None)
    if found is None:
        return ""
    few = f"; {found.n} pictures say little of copies, from {COPIES_WELL} they do" if found.n < COPIES_WELL else ""
    return f"copies looked for among {_among(found.about[COPIES_AMONG])}{few}"


def _among(said: Mapping[str, int]) -> str:
    """In words."""
    if "photographs" not in said:
        return f"{said['pictures']:,} training pictures"
    scenes = "one scene" if said["scenes_of_each"] == 1 else f"{said['scenes_of_each']} scenes"
    return f"{said['photographs']:,} training photographs, {scenes} of each"


def text(reports: Sequence[Report]) -> str:
    """The table, and what it was measured with."""
    first = reports[0]
    trained = [f"{r.model}: trained with {r.cost.training or 'an amount its card does not say'}" for r in reports]
    about = f"{first.n} pictures each; trial {first.trial}, reference {first.reference_sha256[:12]}; 95 % intervals"
    copies = [said] if (said := copies_said(reports)) else []
    return table(*cells(reports)) + "\n".join([about, *copies, *trained]) + "\n"
