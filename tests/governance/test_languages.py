"""What texts in other languages than English mean: a head on an encoder whose file is installed, or not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_texts import IMPLIED, PLAIN

from mezzotint.errors import GateError
from mezzotint.files import sha256
from mezzotint.governance.safety.filter_file import place_of
from mezzotint.governance.safety.prompt import languages as others
from mezzotint.governance.safety.prompt.gate import Gate, Text, load
from mezzotint.governance.safety.prompt.languages import E5
from mezzotint.governance.safety.prompt.policy import Policy
from mezzotint.governance.safety.prompt.verdict import Verdict
from mezzotint.governance.safety.prompt.words import Decision

needs_encoder = pytest.mark.skipif(place_of(E5, Path("nowhere")) is None, reason=f"not installed: {E5.get}")
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


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file in the encoder's place, of the bytes that it should have."""
    path = tmp_path / "safety" / "filters" / "e5-small.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"right")
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path))
    monkeypatch.setattr(others, "E5", replace(E5, sha256=sha256(b"right")))
    return path


def test_a_changed_file_stops_the_start_of_english_too(own: Path) -> None:
    """It was said before that English may go on, which does not read it; but a filter that is installed and altered is
    the sign of an installation that somebody touched, and TRUST 1.6 fails closed.  One that is not installed is not.
    """
    load(Policy())
    own.write_bytes(b"wrong")
    os.utime(own, ns=(1, 1))
    with pytest.raises(GateError, match="e5-small was changed"):
        load(Policy())
    load(Policy(languages="off"))


def test_a_file_that_its_package_lacks_stops_the_start(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "located", lambda wanted, folder: own.with_name("gone.bin"))
    with pytest.raises(GateError, match="e5-small is missing"):
        load(Policy())


def test_its_file_is_hashed_once_and_again_before_it_is_read(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = own.stat()
    load(Policy())
    monkeypatch.setattr(others, "sha256_file", lambda path: pytest.fail("it was remembered"))
    gate = load(Policy())
    own.write_bytes(b"wrong")
    os.utime(own, ns=(about.st_atime_ns, about.st_mtime_ns))
    load(Policy())
    assert asked(gate, "a red chair in a garden").decision == Decision.ALLOW
    assert asked(gate, THAI).decision == Decision.COULD_NOT_CHECK


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
