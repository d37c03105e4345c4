"""What texts in other languages than English mean: a head on an encoder whose file is installed, or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_texts import IMPLIED, PLAIN

from mezzotint.errors import GateError
from mezzotint.governance.safety.filter_file import located
from mezzotint.governance.safety.prompt import languages as others
from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.languages import E5
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision

needs_encoder = pytest.mark.skipif(located(E5, Path("nowhere")) is None, reason=f"not installed: {E5.get}")
THAI = "แมวสีดำบนโต๊ะไม้"


def asked(gate: Gate, text: str) -> Verdict:
    return gate.check([Text("prompt", text)])


def of(text: str, policy: Policy | None = None) -> Verdict:
    return asked(load(policy or Policy()), text)


@needs_encoder
@pytest.mark.parametrize("language", sorted(IMPLIED))
def test_a_harm_that_no_list_names_is_for_review(language: str) -> None:
    """A fourth at least, in each language, and none of as many plain texts; the lists alone find one or two."""
    gate = load(Policy())
    found = [text for text in IMPLIED[language] if any(c.endswith("-meaning") for c in asked(gate, text).codes)]
    assert len(found) >= len(IMPLIED[language]) // 4, found
    assert [text for text in PLAIN[language] if asked(gate, text).decision != Decision.ALLOW] == []


@needs_encoder
def test_a_changed_file_blocks_and_english_does_not_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "safety" / "filters"
    folder.mkdir(parents=True)
    (folder / "e5-small.bin").write_bytes(b"other")
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    assert of("a red chair in a garden").decision == Decision.ALLOW
    assert of(THAI).decision == Decision.COULD_NOT_CHECK


@needs_encoder
def test_receipts_say_which_encoder_it_was() -> None:
    assert of(THAI).files["e5-small"] == E5.sha256 and of(THAI).loosened == ()
    assert of(THAI, Policy(languages="off")).loosened == ("languages=off",)


def test_what_is_not_installed_is_said_of_the_texts_that_needed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "located", lambda wanted, folder: None)
    assert of(THAI).loosened == ("languages=not-installed",) and of(THAI).decision == Decision.ALLOW
    assert of("a red chair in a garden").loosened == ()
    with pytest.raises(GateError, match="languages is required"):
        load(Policy(languages="required"))
