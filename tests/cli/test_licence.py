"""``mezzotint licence``, and that ``generate``, ``tune``, ``vary`` and ``models`` heed licences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from mezzotint.cli import run
from mezzotint.config import settings
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card
from mezzotint.schemas import schema
from mezzotint.tensorfile import write_tensors

NC = '[licence]\nuse = "advertising"\ndelivery = "outputs_only"\n'
RECORD = """schema = 1
[[component]]
role = "denoiser"
name = "tiny"
sha256 = "SHA"
licence = "LICENCE"
evidence = "declared"
quote = "Licence: LICENCE"
source = "CARD.md"
"""


@pytest.fixture
def place(inside: Path, home: Path) -> Path:
    """A folder whose mezzotint.toml declares a use, and names a folder of records with one of the tiny model."""
    (inside / "records").mkdir()
    (inside / "mezzotint.toml").write_text(NC + 'records = "records"\n')
    put(inside, home, "CC0-1.0")
    return inside


def put(inside: Path, home: Path, licence: str) -> None:
    said = json.loads((home / "models/fashion/model.json").read_text())["weights"]["sha256"]
    text = RECORD.replace("SHA", said).replace("LICENCE", licence)
    (inside / "records" / "tiny.model.toml").write_text(text)


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    assert run([*words, "--json"]) == code, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(document["schema"]))
    return document


@pytest.mark.parametrize(
    ("licence", "code", "decision"),
    [
        ("CC0-1.0", 0, "allowed"),
        ("CC-BY-4.0", 0, "allowed_with_conditions"),
        ("LicenseRef-CreativeML-OpenRAIL-PP-M", 3, "unknown"),
        ("CC-BY-NC-4.0", 4, "denied"),
    ],
)
def test_the_exit_code_says_it(
    place: Path, home: Path, capsys: pytest.CaptureFixture[str], licence: str, code: int, decision: str
) -> None:
    put(place, home, licence)
    document = said(capsys, code, "licence", "fashion")
    assert document["decision"] == decision and document["facts"]["use"] == "advertising"
    assert run(["licence", "fashion"]) == code
    shown = capsys.readouterr().out
    assert decision.replace("_", " ").upper() in shown.splitlines()[0]
    assert not document["conditions"] or document["conditions"][0]["text"] in shown


def test_weights_are_known_by_their_own_hash(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by what model.json says of them."""
    model = Path(shutil.copytree(home / "models/fashion", "copy"))
    assert said(capsys, 0, "licence", "./copy")["decision"] == "allowed"
    (weights,) = model.glob("*.safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert run(["licence", "./copy"]) != 0
    assert "the weights were changed or damaged" in capsys.readouterr().err


def test_generate_heeds_it(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "sneaker", "--out", "a", "--quiet"]) == 0
    put(place, home, "CC-BY-NC-4.0")
    error = said(capsys, 4, "generate", "sneaker", "--out", "b", "--quiet")
    assert error["code"] == "licence_denied" and "CC-BY-NC-4.0" in error["message"]
    assert not Path("b").exists()
    assert run(["generate", "sneaker", "--out", "c", "--licence-mode", "warn"]) == 0
    assert "not enforced" in capsys.readouterr().err
    (place / "records" / "tiny.model.toml").unlink()
    assert said(capsys, 4, "generate", "sneaker", "--out", "d", "--quiet")["code"] == "licence_unknown"


def test_a_use_on_the_line_is_heeded_too(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(place, home, "CC-BY-NC-4.0")
    (place / "mezzotint.toml").write_text('[licence]\nrecords = "records"\ndelivery = "outputs_only"\n')
    assert run(["generate", "sneaker", "--out", "a", "--quiet"]) == 0  # no use is declared
    assert run(["generate", "sneaker", "--out", "b", "--quiet", "--use", "advertising"]) == 4


def test_what_is_put_on_counts(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / "a.safetensors"
    write_tensors(file, {"x": torch.zeros(1)})
    assert said(capsys, 0, "licence", "fashion")["may_begin"]
    more = said(capsys, 3, "licence", "fashion", "--lora", str(file))
    assert [c["role"] for c in more["components"]] == ["denoiser", "adapter"]
    assert said(capsys, 4, "generate", "sneaker", "--lora", str(file))["code"] == "licence_unknown"


def test_tune_heeds_it(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "photos").mkdir()
    words = ["tune", "photos", "--name", "acme bag", "--out", "t", "--quiet"]
    assert said(capsys, 4, *words)["code"] == "licence_unknown"  # nobody says whose the photographs are
    assert said(capsys, 4, *words, "--photo-licence", "CC-BY-NC-4.0")["code"] == "licence_denied"
    error = said(capsys, 2, *words, "--photo-licence", "our own")  # the gate is passed; the model takes no text
    assert error["code"] == "usage"


def test_train_heeds_what_it_begins_with(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "fashion", "--data", "none", "--out", "t", "--quiet"]
    begun = [*words, "--from", str(home / "models/fashion")]
    put(place, home, "CC-BY-NC-4.0")
    assert said(capsys, 2, *words)["code"] == "input"  # drawn weights: there is no such data
    assert said(capsys, 4, *begun)["code"] == "licence_denied" and not Path("t").exists()
    assert said(capsys, 2, *begun, "--licence-mode", "warn")["code"] == "input"
    put(place, home, "CC0-1.0")
    assert said(capsys, 2, *begun)["code"] == "input"
    (place / "records" / "tiny.model.toml").unlink()
    assert said(capsys, 4, *begun)["code"] == "licence_unknown"
    (place / "mezzotint.toml").unlink()
    assert said(capsys, 2, *begun)["code"] == "input"  # no use is declared


@pytest.mark.parametrize(
    ("licence", "code"),
    [("CC-BY-NC-4.0", "licence_denied"), ("", "licence_unknown"), ("free, I think", "licence_unknown"),
     ("our own", "input"), ("CC-BY-4.0", "input"), ("CC-BY-ND-4.0", "licence_denied")],
)  # fmt: skip
def test_train_heeds_its_data(place: Path, capsys: pytest.CaptureFixture[str], licence: str, code: str) -> None:
    words = ["train", "fashion", "--data", "none", "--out", "t", "--quiet", "--data-licence", licence]
    assert said(capsys, 2 if code == "input" else 4, *words)["code"] == code  # input: past the gate, there is no data
    assert said(capsys, 2, *words, "--licence-mode", "warn")["code"] == "input"
    assert not Path("t").exists()


def test_a_run_that_goes_on_keeps_the_licence_of_its_data(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "fashion", "--data", "none", "--resume", "--out", "t", "--quiet"]
    (place / "t").mkdir()
    (place / "t" / "run.json").write_text(json.dumps({"data_licence": "CC-BY-NC-4.0"}))
    assert said(capsys, 4, *words)["code"] == "licence_denied"
    assert said(capsys, 2, *words, "--data-licence", "MIT")["code"] == "input"


def test_data_that_a_card_declares_counts(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights that are not on record are unknown; data that is not for trade makes them denied."""
    shutil.copytree(home / "models/fashion", place / "own")
    table = json.loads((place / "own/model.json").read_text())
    (place / "records" / "tiny.model.toml").unlink()
    for licence, code in (("CC-BY-NC-4.0", 4), ("MIT", 3), ("our own", 3)):
        table["card"]["data_licence"] = licence
        (place / "own/model.json").write_text(json.dumps(table))
        document = said(capsys, code, "licence", "own")
        assert ("training_data" in [c["role"] for c in document["components"]]) == (licence != "our own")


def test_train_heeds_it_where_changed_versions_are_not_granted(
    place: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A licence that lets the model be tried, and nothing be made of it."""
    facts = 'use = "internal_research"\nstage = "evaluation"\ndelivery = "internal"\n'
    (place / "mezzotint.toml").write_text(f'[licence]\n{facts}records = "records"\n')
    put(place, home, "CC-BY-ND-4.0")
    assert said(capsys, 0, "licence", "fashion")["may_begin"]
    error = said(capsys, 4, "train", "fashion", "--from", str(home / "models/fashion"), "--out", "t")
    assert error["code"] == "licence_denied" and "changed versions" in error["message"]


def test_a_run_that_goes_on_is_asked_by_the_hash_that_it_began_with(
    place: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(place, home, "CC-BY-NC-4.0")
    first = json.loads((home / "models/fashion/model.json").read_text())["weights"]["sha256"]
    (place / "t").mkdir()
    for sha, code in ((first, 4), ("", 2), ("0" * 64, 4)):
        (place / "t" / "run.json").write_text(json.dumps({"first": sha}))
        assert run(["train", "fashion", "--data", "none", "--resume", "--out", "t", "--quiet"]) == code
    (place / "t" / "run.json").write_text("[]")
    assert said(capsys, 2, "train", "fashion", "--data", "none", "--resume", "--out", "t")["code"] == "input"


def test_parts_of_what_is_trained_count(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = {"w": torch.zeros(1)}
    part = save_network(place / "vae", weights, {}, Card("vae", "A part.", "ours"))
    words = ["train", "products-latent", "--part", "autoencoder=vae", "--out", "t", "--data", "none"]
    assert said(capsys, 4, *words)["code"] == "licence_unknown"  # a card alone is no licence
    record = RECORD.replace("SHA", part.weights_sha256).replace("denoiser", "autoencoder")
    for licence, code in (("CC-BY-NC-4.0", 4), ("CC0-1.0", 2)):
        (place / "records" / "part.model.toml").write_text(record.replace("LICENCE", licence))
        assert run(words) == code


@pytest.mark.parametrize(
    "words",
    [
        ["export", "fashion", "--out", "e"],
        ["calibrate", "fashion", "--calls", "2", "--rows", "16", "--updates", "2"],
        ["distill", "fashion", "--calls", "2", "--updates", "2", "--out", "d"],
        ["guide", "fashion", "--scale", "2", "--updates", "2"],
        ["frontier", "fashion", "-n", "200"],
    ],
    ids=lambda words: words[0],
)
def test_what_is_made_of_a_model_heeds_it(
    place: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    shutil.copytree(home, place / "own")
    table = json.loads((place / "own/models/fashion/model.json").read_text())
    table["sampling"]["standard"]["steps"] = 10  # with 4 it would count as distilled
    (place / "own/models/fashion/model.json").write_text(json.dumps(table))
    monkeypatch.setenv("MEZZOTINT_HOME", str(place / "own"))
    put(place, home, "CC-BY-NC-4.0")
    assert said(capsys, 4, *words)["code"] == "licence_denied"
    assert not [*Path("e").glob("*"), *Path("d").glob("*.safetensors")]


def test_models_show_the_verdict(place: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(place, home, "CC-BY-NC-4.0")
    (one,) = (m for m in said(capsys, 0, "models")["models"] if m["name"] == "fashion")
    assert one["verdict"] == {
        "use": "advertising", "decision": "denied", "may_begin": False, "codes": ["purpose_denied"],
    }  # fmt: skip
    assert run(["models"]) == 0 and "denied" in capsys.readouterr().out
    (place / "mezzotint.toml").unlink()
    assert all(m.get("verdict") is None for m in said(capsys, 0, "models")["models"])


def test_the_list_of_records(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, 0, "licence", "--records")["licences"]
    assert len(found) >= 24 and any(one["unverified"] for one in found)
    assert run(["licence", "--records"]) == 0 and "Apache-2.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no-such-model"],
        ["fashion", "--use", "adverts"],
        ["fashion", "--stage", "later"],
        ["fashion", "--delivery", "post"],
        ["fashion", "--revenue", "-1USD"],
        ["fashion", "--revenue", "2e6"],
        ["fashion", "--revenue", "2e6XYZ"],
        ["fashion", "--territory", "UK"],
        ["fashion", "--territory", "SG,Germany"],
        ["fashion", "--lora", "none.safetensors"],
    ],
)
def test_bad_words_give_one_line(inside: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(["licence", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and not captured.out and "bug" not in captured.err


@pytest.mark.parametrize(
    "text",
    [
        "[licence",
        "licence = 1",
        '[licence]\nuse = "adverts"',
        '[licence]\nuses = "advertising"',
        '[licence]\nrevenue = "-5 USD"',
        '[licence]\nrevenue = "5 XYZ"',
        "[licence]\nrevenue = 5",
        "[licence]\nmau = -1",
        '[licence]\nterritory = ["UK"]',
        "[licence]\nterritory = 1",
        '[licence]\nterritory = {moon = ["SG"]}',
        '[licence]\nrecords = "nowhere"',
        '[licence]\nmode = "soft"',
        '[licence]\nsafeguards = ["prayer"]',
        "[licence.rates]\nEUR = 1",
        "[licence.rates]\nEUR = {usd = -1, date = 2026-11-01}",
        '[licence.signed."MIT"]\nreviewer = "x"',
    ],
)
def test_bad_facts_give_one_line(inside: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (inside / "mezzotint.toml").write_text(text)
    others = [] if "records" in text else [["generate", "sneaker", "--quiet"], ["models"], ["config"]]
    for words in [["licence", "fashion"], *others]:
        assert run(words) == 2, words
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1 and "bug" not in captured.err


def test_facts_do_not_disturb_settings(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "mezzotint.toml").write_text('batch = 2\n[licence]\nuse = "evaluation"\nterritory = ["EU"]\n')
    assert settings()["batch"].value == 2
    document = said(capsys, 0, "config")
    assert document["settings"]["licence.use"] == {"value": "evaluation", "source": "mezzotint.toml"}
    assert run(["config"]) == 0 and "licence.territory" in capsys.readouterr().out
