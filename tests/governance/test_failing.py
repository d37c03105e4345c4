"""Checks that break, hang or answer with numbers that are none: never a pass, and whoever looks after them hears."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mezzotint.governance.safety import within as limits
from mezzotint.governance.safety.output import gate as output
from mezzotint.governance.safety.output.policy import OutputPolicy
from mezzotint.governance.safety.output.verdict import Found
from mezzotint.governance.safety.prompt import gate as prompt
from mezzotint.governance.safety.prompt.gate import Text
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.shipped import lexicon
from mezzotint.governance.safety.prompt.words import Decision

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
SECRET = "a secret bottle"


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What a hanging check waits for; set when the test is over, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


@dataclass(frozen=True)
class Check:
    """It crashes, or scores."""

    score: float | None = None
    name: str = "ours"

    def __call__(self, pixels: Any) -> Found:
        if self.score is None:
            raise MemoryError(SECRET)
        return Found((), {"ours": self.score})


@dataclass(frozen=True)
class Hanging:
    never: threading.Event
    name: str = "ours"

    def __call__(self, pixels: Any) -> Found:
        self.never.wait(60)
        return Found()


def judged(check: output.Check) -> Decision:
    words = prompt.Gate(lexicon())
    return output.OutputGate(OutputPolicy(), words, (check,)).check(PICTURE).decision


@pytest.mark.parametrize("score", [None, float("nan"), float("inf"), -float("inf")])
def test_a_filter_that_crashes_or_answers_no_number(score: float | None, caplog: pytest.LogCaptureFixture) -> None:
    assert judged(Check(0.5)) == Decision.ALLOW and not caplog.records
    assert judged(Check(score)) == Decision.COULD_NOT_CHECK
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and "the output gate could not check (ours)" in record.getMessage()
    assert SECRET not in caplog.text


def test_a_filter_that_does_not_come_back(
    never: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(output, "SECONDS", 0.05)
    assert judged(Hanging(never)) == Decision.COULD_NOT_CHECK
    assert "TimeoutError" in caplog.text


def test_texts_too(never: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    gate = prompt.Gate(lexicon())
    assert gate.check([Text("prompt", SECRET)]).decision == Decision.ALLOW

    def broken(*_: object) -> object:
        raise RuntimeError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr(prompt, "hits", broken)
        found = gate.check([Text("prompt", SECRET)])
    assert found.decision == Decision.COULD_NOT_CHECK and found.codes == ("MZ-P-structure-failed",)
    monkeypatch.setattr(prompt, "hits", lambda *_: never.wait(60) or ())
    monkeypatch.setattr(prompt, "SECONDS", 0.05)
    assert gate.check([Text("prompt", SECRET)]).decision == Decision.COULD_NOT_CHECK
    assert [one.levelno for one in caplog.records] == [logging.ERROR] * 2 and SECRET not in caplog.text


def test_could_not_check_passes_no_policy() -> None:
    assert not any(Policy(review=word).passes(Decision.COULD_NOT_CHECK) for word in ("allow", "block"))


def test_what_work_says_and_raises_comes_through() -> None:
    assert limits.within(5, lambda: 7) == 7 and limits.within(5, lambda: None) is None
    with pytest.raises(KeyError, match="x"):
        limits.within(5, lambda: {}["x"])
