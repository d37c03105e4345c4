"""What is said of licences before anything is learnt, where nobody declares a use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tuning_case import CARD, text_cascade

from mezzotint.governance.licence.components import Component
from mezzotint.governance.licence.library import Library, index
from mezzotint.making.tuned.licences import BOUNDED, DENIED, UNKNOWN, licence_notes, withheld
from mezzotint.pretrained.system import describe_system


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings."""
    for name in ("MEZZOTINT_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("CC0-1.0", ""), ("Apache-2.0", ""), ("MIT", ""), ("creativeml-openrail-m", ""), ("CC-BY-4.0", ""),
        ("", UNKNOWN), ("other", UNKNOWN), ("unknown", UNKNOWN), ("see the model's own licence", UNKNOWN),
        ("acme-community-2", UNKNOWN), ("tencent-hunyuan-community", UNKNOWN),
        ("stabilityai-ai-community", BOUNDED), ("llama3.1", BOUNDED),
        ("apple-amlr", DENIED), ("nsclv1", DENIED), ("insightface", DENIED), ("CC-BY-NC-4.0", DENIED),
        ("acme-noncommercial", DENIED),
    ],
)  # fmt: skip
def test_a_licence_that_is_not_known_to_allow_it_is_named(tmp_path: Path, licence: str, why: str) -> None:
    model = describe_system(text_cascade(tmp_path / "tiny", replace(CARD, licence=licence)))
    notes = licence_notes(model, None)
    assert len(notes) == (2 if why and licence not in LIMITED_BY_NAME else bool(why)), notes  # two stages
    assert all(why in note and "\n" not in note for note in notes)
    assert all(note.startswith("tiny") for note in notes)


LIMITED_BY_NAME = ("CC-BY-NC-4.0", "acme-noncommercial")
"""Said once, of the whole."""


def test_a_declared_use_has_its_own_verdict(tmp_path: Path) -> None:
    model = describe_system(text_cascade(tmp_path / "tiny", replace(CARD, licence="other")))
    assert licence_notes(model, None) and licence_notes(model, "advertising") == ()


@pytest.mark.parametrize("id", index())
def test_of_every_record_it_is_known_what_to_say(id: str) -> None:
    said = withheld(Component("denoiser", "x", (id,), "tag"), Library())
    kinds = {term.kind: term.body for term in Library().need(id, "test").terms}
    trade, bounds = kinds.get("commercial_use"), {"revenue_cap", "user_cap", "registration"} & kinds.keys()
    granted = getattr(trade, "value", "silent") == "allowed"
    assert said in (DENIED, UNKNOWN) or granted
    assert said in (DENIED, UNKNOWN, BOUNDED) or not bounds
