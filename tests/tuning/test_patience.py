"""A run ends early where its held-out loss has stopped falling, resumed or not, and then learns no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mezzotint.making.tuned.patience import PATIENCE, Patient, risen
from mezzotint.training.loop import Progress
from mezzotint.training.run import Watch
from mezzotint.training.validation import Validation
from mezzotint.tuning.recipe import looks
from mezzotint.tuning.settings import Settings

LOSSES = [5.0, 4.0, 3.0, 3.5, 3.2, 3.0, 3.1, 2.0]
ENDS = 7
"""The fourth look in a row that is not below 3.0."""


@pytest.mark.parametrize(
    ("losses", "ends"),
    [
        ([], False), ([1.0] * PATIENCE, False), ([1.0] * (PATIENCE + 1), True), ([2.0, 3, 3, 3, 1.9], False),
        (LOSSES[:6], False), (LOSSES[:7], True),
    ],
)  # fmt: skip
def test_when_it_has_risen(losses: list[float], ends: bool) -> None:
    assert risen(losses) is ends


def ended(patient: Patient, first: int = 1) -> int:
    """The step at which a run of LOSSES is ended, one look a step; 0 for never."""
    watch = patient.on(Watch())
    for step in range(first, len(LOSSES) + 1):
        watch.report(Progress(step, len(LOSSES), 1.0, 1.0, 1.0, step, 1.0, Validation(LOSSES[step - 1], ())))
        if watch.stop():
            return step
    return 0


def journal(path: Path, until: int) -> Path:
    lines = [{"step": k + 1, "loss": 1.0, "validation": loss} for k, loss in enumerate(LOSSES[:until])]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_resumed_run_ends_where_it_would_have(tmp_path: Path) -> None:
    assert ended(Patient(tmp_path / "none.jsonl")) == ENDS
    for until in range(1, ENDS):
        assert ended(Patient(journal(tmp_path / "journal.jsonl", until)), until) == ENDS


def test_one_that_has_ended_is_known_by_its_journal(tmp_path: Path) -> None:
    assert Patient(journal(tmp_path / "journal.jsonl", ENDS)).early
    assert not Patient(journal(tmp_path / "journal.jsonl", ENDS - 1)).early


def test_what_is_learnt_anew_has_not_been_seen(tmp_path: Path) -> None:
    """A journal goes further than the last checkpoint where a run was killed between the two."""
    path = journal(tmp_path / "journal.jsonl", ENDS)
    assert not Patient(path, ENDS - 1).early and ended(Patient(path, ENDS - 2), ENDS - 1) == ENDS
    assert Patient(path, ENDS).early and ended(Patient(path, 0)) == ENDS


def test_a_usual_run_can_end_early_and_each_moment_is_measured() -> None:
    every = -(-Settings.steps // Settings.moments)
    apart = looks(Settings.steps, every)
    assert Settings.steps // apart > PATIENCE + 1 and every % apart == 0
    assert looks(160, 160) == 20 and looks(160, 54) == 18 and looks(160, 53) == 20 and looks(5, 3) == looks(1, 1) == 1
