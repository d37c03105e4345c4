"""``mezzotint check``, and that ``generate`` heeds the prompt gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from mezzotint.cli import run
from mezzotint.governance.safety.prompt import shipped
from mezzotint.governance.safety.prompt.meaning import PINNED
from mezzotint.schemas import schema
from mezzotint.tensorfile import write_tensors


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    assert run([*words, "--json"]) == code, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(document["schema"]))
    return document


def test_the_exit_code_is_that_of_the_strictest(capsys: pytest.CaptureFixture[str], inside: Path) -> None:
    for code, *prompts in ((0, "a red chair"), (3, "a red chair", "a corpse"), (4, "a corpse", "a naked woman")):
        words = [word for prompt in prompts for word in ("--prompt", prompt)]
        found = said(capsys, code, "check", *words)
        assert len(found["verdicts"]) == len(prompts)


def test_no_message_has_the_word(capsys: pytest.CaptureFixture[str], inside: Path) -> None:
    assert run(["check", "--prompt", "a naked woman"]) == 4
    assert "naked" not in capsys.readouterr().out
    assert run(["check", "--prompt", "a naked woman", "--explain"]) == 4
    assert "MZ-P-nudity-word in prompt, block, score 1.00: naked" in capsys.readouterr().out


def test_a_list_is_hashed(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "names.txt").write_text("Ada Example\n# nobody\n")
    words = ["check", "--hash-names", "names.txt", "--category", "living-artist", "--out", "artists.json"]
    assert run(words) == 0 and "Ada" not in (inside / "artists.json").read_text()
    (inside / "mezzotint.toml").write_text('[safety]\nnames = ["artists.json"]\n')
    assert said(capsys, 4, "check", "--prompt", "in the style of ada example")["verdicts"][0]["findings"][0][
        "code"
    ] == ("MZ-P-living-artist-name")
    assert run(["check", "--hash-names", "names.txt"]) == 2 and run(["check"]) == 2


def test_generate_refuses_and_says_which_code_alone(
    tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, code in (
        (["a naked child"], "prompt_blocked"),
        (["sneaker", "--negative-prompt", "naked", "--scale", "0.5"], "prompt_blocked"),
        (["a corpse"], "prompt_review"),
    ):
        assert run(["generate", *words, "--model", str(tiny), "--out", "o", "--json"]) == 4
        captured = capsys.readouterr()
        assert json.loads(captured.out)["code"] == code and "MZ-P-" in captured.err
        assert "naked" not in captured.err and "corpse" not in captured.err and captured.err.count("\n") == 1
    assert not (inside / "o").exists()


def test_what_is_refused_is_written_down_without_its_text(tiny: Path, inside: Path, home: Path) -> None:
    assert run(["generate", "a naked child", "--model", str(tiny), "--out", "o"]) == 4
    line = (home / "safety" / "audit.jsonl").read_text().splitlines()[-1]
    assert "naked" not in line and json.loads(line)["decision"] == "block" and len(json.loads(line)["hmac"]) == 64
    assert (home / "safety" / "audit.key").stat().st_mode & 0o777 == 0o600


def test_a_changed_list_stops_generate(
    tiny: Path, inside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped.lexicon.cache_clear()
    monkeypatch.setitem(shipped.FILES, "en.toml", "0" * 64)
    assert run(["generate", "sneaker", "--model", str(tiny), "--out", "o"]) == 4
    assert "en.toml was changed, so nothing is made" in capsys.readouterr().err and not (inside / "o").exists()
    shipped.lexicon.cache_clear()


def test_receipts_say_what_was_checked_and_what_was_loosened(tiny: Path, inside: Path) -> None:
    (inside / "mezzotint.toml").write_text('[safety]\nreview = "allow"\n')
    assert run(["generate", "sneaker", "--model", str(tiny), "--out", "o", "--quiet"]) == 0
    (path,) = (inside / "o" / "receipts").iterdir()
    receipt = json.loads(path.read_text())
    jsonschema.validate(receipt, schema(receipt["schema"]))
    check = receipt["prompt_check"]
    assert (
        check["decision"] == "allow"
        and check["loosened"] == ["review=allow"]
        and set(check["files"]) == {*shipped.FILES, *(f"minilm/{name}" for name in PINNED)}
    )


def test_names_of_files_count(tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "sneaker", "--model", str(tiny), "--image", "naked.png", "--out", "o"]
    assert run(words) == 4 and "file name" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["modelspec.trigger_phrase", "modelspec.title", "ss_output_name"])
def test_words_inside_an_adapter_count(tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
    """Its file may be called anything; what calls it is said in prompts."""
    words = ["generate", "sneaker", "--model", str(tiny), "--lora", "style.safetensors:0.7", "--out", "o"]
    for said, blocked in (("a naked body", True), ("zorbo stool", False)):
        write_tensors(inside / "style.safetensors", {"x": torch.zeros(1)}, {key: said})
        assert run(words) == (4 if blocked else 2)  # else it is no adapter of this model
        assert ("(trigger)" in capsys.readouterr().err) == blocked
