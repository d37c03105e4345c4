"""A picture with an invisible mark, from making to finding it in another file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

from mezzotint.cli import run
from mezzotint.governance.receipt import read_receipt
from mezzotint.nets.build import build, config_to_dict
from mezzotint.nets.config import DiTConfig
from mezzotint.pretrained.folder import save_model
from mezzotint.pretrained.spec import Card, Sampling, Spec
from mezzotint.schemas import schema

SIDE = 128


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, and a home with a model whose pictures have room for a mark."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    config = DiTConfig(size=(SIDE, SIDE), patch=16, width=32, depth=1, heads=1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = build(config).state_dict()
    spec = Spec(
        net=config_to_dict(config), parametrisation={"name": "flow"}, schedule={"name": "flow"},
        codec={"name": "pixels"}, shape=(1, SIDE, SIDE), labels=(), card=Card("Wide", "Untrained.", "CC0-1.0", seed=0),
        sampling={"standard": Sampling("dpm++2m", {"name": "uniform"}, 32, 1.0)},
    )  # fmt: skip
    save_model(tmp_path / "home" / "models" / "wide", weights, spec, torch.float32)
    # An untrained model's pictures look like anything to a classifier, and differ by processor.
    (tmp_path / "mezzotint.toml").write_text('[safety.output]\nnsfw = "off"\n')
    grounds = np.linspace(60, 190, SIDE).astype(np.uint8)
    Image.fromarray(np.tile(grounds, (SIDE, 1))).save("ground.png")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*words, "--json"]) == code, capsys.readouterr()
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(document["schema"]))
    return document


def watermark(document: dict[str, Any]) -> dict[str, str]:
    return next(one for one in document["findings"] if one["kind"] == "watermark")


LIKE = ("generate", "", "--model", "wide", "--image", "ground.png", "--strength", "0.04", "--quiet")


def test_a_mark_is_put_in_recorded_and_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*LIKE, "--out", "plain"]) == 0
    key = said(capsys, 0, "keys", "mark")["key"]
    assert run(["keys", "mark"]) == 2
    assert run([*LIKE, "--out", "marked"]) == 0 and run([*LIKE, "--out", "off", "--mark", "off"]) == 0
    (path,) = Path("marked/receipts").iterdir()
    receipt = read_receipt(path)
    jsonschema.validate(json.loads(path.read_text()), schema("mezzotint/receipt/2"))
    asset = receipt.made.asset_id
    assert receipt.made.mark == {"version": 1, "key": key} and receipt.mark is not None
    assert receipt.mark["state"] == "embedded" and receipt.mark["name"] == asset[:8]
    ((off,), (plain,)) = (list(Path(f"{one}/receipts").iterdir()) for one in ("off", "plain"))
    assert off.name == plain.name != path.name and "mark" not in json.loads(off.read_text())
    (file,) = Path("marked").glob("*-0.png")
    found = watermark(said(capsys, 0, "verify", str(file)))
    assert found["state"] == "read" and asset in found["text"]
    Image.open(file).save("away.jpg", quality=75)
    document = said(capsys, 0, "verify", "away.jpg")
    assert watermark(document)["state"] == "read" and document["verdict"] == "proves"
    assert said(capsys, 0, "replay", str(path), "--have", "PICTURE=ground.png")["verdict"] == "exact"
    assert "--mark=auto" in said(capsys, 0, "read", str(path))["command"]


def test_made_again_otherwise_it_holds_the_first_one_s_mark(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another number of threads is another id; a mark of that id would make every pixel another."""
    assert run(["keys", "mark", "--json"]) == 0
    assert run([*LIKE, "--threads", "1", "--out", "o"]) == 0
    (path,) = Path("o/receipts").iterdir()
    document = said(capsys, 0, "replay", str(path), "--have", "PICTURE=ground.png", "--threads", "2")
    assert document["again"] != document["asset_id"] and document["largest_difference"] <= 2
    assert [one["name"] for one in document["factors"]] == ["threads"]


def test_another_key_makes_another_picture(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "mark", "--json"]) == 0
    assert run([*LIKE, "--out", "o", "--mark", "required"]) == 0
    (path,) = Path("o/receipts").iterdir()
    (place / "home" / "mark.key").rename(place / "old.key")
    assert run([*LIKE, "--out", "p", "--mark", "required"]) == 2
    document = said(capsys, 4, "replay", str(path), "--have", "PICTURE=ground.png")
    assert "mark" in {one["name"] for one in document["factors"]}
    (file,) = Path("o").glob("*-0.png")
    assert watermark(said(capsys, 0, "verify", str(file)))["state"] == "no-key"
    Path("mezzotint.toml").write_text('[provenance]\nmarks = ["old.key"]\n')
    assert watermark(said(capsys, 0, "verify", str(file)))["state"] == "read"


def test_locked_pixels_stay(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "mark", "--json"]) == 0
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    mask[40:90, 40:90] = 0
    Image.fromarray(mask).save("mask.png")
    assert run([*LIKE, "--mask", "mask.png", "--lock-mask", "--out", "o"]) == 0
    (file,) = Path("o").glob("*-0.png")
    first, made = (np.asarray(Image.open(one)) for one in ("ground.png", file))
    assert np.array_equal(first[mask == 0], made[mask == 0])
    (path,) = Path("o/receipts").iterdir()
    assert read_receipt(path).mark is not None


def test_where_there_is_no_room_the_receipt_says_so(
    place: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", "mark", "--json"]) == 0
    assert run(["generate", "sneaker", "--model", str(tiny), "--quiet", "--out", "o"]) == 0
    (path,) = Path("o/receipts").iterdir()
    assert read_receipt(path).mark == {"state": "no-room"}
    assert run(["generate", "sneaker", "--model", str(tiny), "--quiet", "--out", "p", "--mark", "required"]) == 2
    assert "no room" in capsys.readouterr().err and not list(Path("p").glob("sneaker*.png"))
