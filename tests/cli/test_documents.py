"""Every JSON document that a command prints or writes follows its schema, and every schema is documented."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mezzotint.cli import run
from mezzotint.schemas import documents, schema

PAGE = Path(__file__).parents[2] / "docs/json.md"


def follows(document: dict[str, Any], name: str) -> dict[str, Any]:
    assert document["schema"].startswith(f"mezzotint/{name}/")
    jsonschema.validate(document, schema(document["schema"]))
    return document


@pytest.mark.parametrize("name", documents())
def test_a_schema_is_one_and_is_on_the_page(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == name and f"`{name}`" in PAGE.read_text()


def test_what_commands_print_and_write(inside: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    def said(code: int, *words: str) -> dict[str, Any]:
        assert run([*words, "--json"]) == code
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    follows(said(0, "generate", "sneaker", "--out", "o", "--film", "--quiet"), "run")
    follows(json.loads(Path("o/run.json").read_text()), "run")
    for receipt in Path("o/receipts").iterdir():
        follows(json.loads(receipt.read_text()), "receipt")
    follows(said(0, "noise", "o/sheet.png", "--out", "n", "--quiet"), "noise")
    follows(said(0, "explain"), "explain")
    follows(said(0, "config"), "config")
    for path in ("o", "o/sheet.png", "o/run.json", str(home / "models/fashion")):
        follows(said(0, "inspect", path), "inspect")
    follows(said(2, "inspect", "nothing-here"), "error")
    follows(said(0, "models"), "models")
    follows(said(0, "models", "--families"), "families")
    follows(json.loads((home / "models/fashion/model.json").read_text()), "model")


RULED = ["--guidance-interval", "0.2,3", "--cache", "0.1", "--scale", "2"]


@pytest.mark.parametrize("ruled", ["rescaled:0.7", "apg", "apg:0.5,3"])
def test_what_a_picture_of_other_words_writes(inside: Path, ruled: str) -> None:
    assert run(["generate", "sneaker", "--out", "o", *RULED, "--guidance", ruled, "--quiet"]) == 0
    made = follows(json.loads(Path("o/run.json").read_text()), "run")
    assert json.dumps(made).count(ruled.partition(":")[0]) == 1
    (receipt,) = Path("o/receipts").iterdir()
    follows(json.loads(receipt.read_text()), "receipt")


def test_a_broken_model_too(inside: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bad = inside / "h" / "models" / "bad"
    bad.mkdir(parents=True)
    (bad / "model.json").write_text("{}")
    monkeypatch.setenv("MEZZOTINT_HOME", str(inside / "h"))
    assert run(["models", "--json"]) == 0
    follows(json.loads(capsys.readouterr().out), "models")


def test_a_schema_can_refuse(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "more": 1}, schema("mezzotint/explain/2"))
    with pytest.raises(KeyError):
        schema("mezzotint/explain/9")
