"""One evaluation as JSON for machines and a small table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.features import Features
from mezzotint.evaluation.frechet import Distance, moments
from mezzotint.evaluation.memorisation import Memorisation, memorisation
from mezzotint.evaluation.precision_recall import Fidelity, fidelity
from mezzotint.evaluation.score import Reference, distance_of
from mezzotint.files import pretty_json

SCHEMA = "mezzotint.evaluation/1"


@dataclass(frozen=True)
class Report:
    """What was measured of a set of generated pictures.

    distance: to the reference.  floor: of as many real training pictures to the same reference, which no model beats
        but by chance or by copying.  about: what the caller wants to keep (model hash, seeds, solver), JSON-safe.
    """

    distance: Distance
    floor: Distance
    fidelity: Fidelity
    memorisation: Memorisation
    about: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """A document of schema ``mezzotint.evaluation/1``."""
        return pretty_json({"schema": SCHEMA, **asdict(self)})

    def text(self) -> str:
        """A table of a dozen lines."""
        d, f, m = self.distance, self.fidelity, self.memorisation
        rows = [
            (d.metric, f"{d.value:.2f}", f"{d.n} against {d.reference_n} pictures"),
            ("  real training pictures", f"{self.floor.value:.2f}", "the floor at this number"),
            ("  over the floor", f"{d.over(self.floor):.2f}", "1 is as near as real pictures are"),
            ("precision", f"{f.precision:.3f}", f"k = {f.k}"),
            ("recall", f"{f.recall:.3f}", ""),
            ("density", f"{f.density:.3f}", ""),
            ("coverage", f"{f.coverage:.3f}", ""),
            ("copies of training pictures", f"{m.copies:.4f}", "share"),
            ("nearer to train than held out", f"{m.nearer_train:.3f}", f"± {m.error:.3f}; 0.5 without memorising"),
        ]
        return table(("measure", "value", "note"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, a rule under the head."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]]) + "\n"


def evaluate(
    images: Tensor,
    train: Tensor,
    held_out: Tensor,
    ref: Reference,
    extract: Features,
    about: Mapping[str, Any],
    minimum: int | None = None,
) -> Report:
    """Measures pictures uint8 (M, C, H, W) against training pictures (N, C, H, W) and the held-out ones behind ``ref``.

    Raises UsageError when there are too few pictures for a Fréchet distance (``minimum`` as in ``frechet.between``) or
    fewer for training than generated or held out, which would leave no floor at the same number.
    """
    if len(train) < max(len(images), len(held_out)):
        raise UsageError(f"{len(train)} training pictures cannot give a floor for {len(images)}; use more")
    generated, real, unseen = extract(images), extract(train), extract(held_out)
    n = min(len(images), len(unseen))
    return Report(
        distance_of(moments(generated), ref, extract, minimum),
        distance_of(moments(real[: len(images)]), ref, extract, minimum),
        fidelity(generated[:n], unseen[:n]),
        memorisation(generated, real, unseen),
        about,
    )
