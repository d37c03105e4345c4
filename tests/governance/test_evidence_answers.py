"""What each action is answered with, and that no answer is better than what was really written."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from tiny_systems import save_latent

from mezzotint.cli import run
from mezzotint.files import canonical_json, pretty_json, sha256, sha256_file
from mezzotint.governance.evidence import incident
from mezzotint.governance.evidence.build import build
from mezzotint.governance.evidence.catalogue import actions
from mezzotint.governance.evidence.rules import EVIDENCED, NOT_MEASURED, ORGANISATIONAL, PARTIAL, Answer
from mezzotint.governance.evidence.seen import gather
from mezzotint.governance.evidence.table import RULES, items

SHOWN_BY_TOOLS = re.findall(
    r"\S+",
    "GV-1.1-001 GV-1.2-001 GV-1.3-002 GV-1.3-007 GV-1.7-001 MG-2.4-004 GV-1.4-001 GV-3.2-003 GV-4.2-001 GV-1.5-003"
    " GV-1.6-001 GV-1.6-003 GV-4.3-002 GV-6.1-001 GV-6.1-004 GV-6.1-007 GV-6.1-008 GV-6.1-009 GV-6.2-006 MS-2.6-005"
    " MP-2.1-001 MP-2.1-002 MP-2.2-001 MP-2.3-005 MP-5.1-005 MS-2.6-006 MS-2.6-007 MS-4.2-001 MS-2.7-007 MP-4.1-001"
    " MP-4.1-009 MS-2.10-001 MP-4.1-002 MS-2.8-001 MP-4.1-007 MP-4.1-008 MS-2.7-008 MG-3.1-003 MS-1.1-001 MS-1.1-002"
    " MS-2.8-003 MG-2.2-007 MS-1.1-009 MS-2.3-001 MS-2.3-002 MS-2.3-003 MS-2.5-005 MS-2.7-001 MG-3.1-002 MS-2.7-005"
    " MS-2.9-002 MS-2.10-003 MS-2.11-001 MS-2.11-002 MS-2.11-003 MS-2.12-003 MG-2.2-001 MG-2.2-005 MG-3.2-005"
    " MG-3.2-006 MG-3.2-008 MG-3.1-004 MG-3.1-005 MG-3.2-002 MG-3.2-003 MG-4.1-002 MG-4.2-001 MG-4.2-002 MG-4.3-001"
    " MG-4.3-002",
)
"""Every action of the table of what a tool can show (shared/field/TRUST.md, sec. 5)."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, a home of its own, no ledger."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    return tmp_path


def answers() -> dict[str, Answer]:
    return {one.action.id: one.answer for one in items(gather([Path("runs")], incident.folder()))}


def trained(folder: Path, model: Path | None = None, **said: Any) -> Path:
    """A training run's document, whole, and where it is given its model beside it."""
    folder.mkdir(parents=True)
    document = {
        "schema": "mezzotint/training-run/1", "recipe": "shoes", "recipe_sha256": "1" * 64, "first": "",
        "fields": {"seed": 7, "steps": 90}, "parameters": 12345, "device": "cpu", "dtype": "float32", "threads": 1,
        "processes": 1, "torch": "2.13", "data_licence": "CC0-1.0", **said,
    }  # fmt: skip
    (folder / "run.json").write_text(pretty_json(document))
    if model is not None:
        shutil.copytree(model, folder / "model")
    return folder


def carded(folder: Path, **said: Any) -> Path:
    """A model whose card says more."""
    table = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**table, "card": {**table["card"], **said}}))
    return folder


def built(out: str = "evidence") -> Path:
    return build([Path("runs")], Path(out)).folder


def cards_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "cards").glob("*")}


def test_every_action_that_a_tool_can_show_has_a_rule(place: Path) -> None:
    assert len(SHOWN_BY_TOOLS) == len(set(SHOWN_BY_TOOLS)) == 70 and set(SHOWN_BY_TOOLS) <= set(actions())
    assert set(SHOWN_BY_TOOLS) <= set(RULES)
    found = answers()
    assert all(found[name].status != ORGANISATIONAL and len(found[name].claim) > 10 for name in SHOWN_BY_TOOLS)
    others = {one.claim for name, one in found.items() if name not in RULES}
    assert len(others) == 1 and others.pop().startswith("not shown by this tool")


CARDED = ("MS-2.9-002", "MG-3.2-002", "MG-3.2-003")


def test_a_run_without_its_model_has_no_card_and_shows_none(place: Path) -> None:
    """One document of a recipe's name is no model card, nor that of a whole run without the model."""
    Path("runs/run.json").write_text('{"schema": "mezzotint/training-run/1", "recipe": "shoes"}')
    found = answers()
    assert all(found[name].status in (PARTIAL, NOT_MEASURED) for name in CARDED)
    assert not (built() / "cards").exists() and "0 have their model beside them" in found["MS-2.9-002"].claim
    trained(Path("runs/whole"), first="2" * 64)
    assert all(answers()[name].status == PARTIAL for name in CARDED)
    assert not (built("again") / "cards").exists()


WHOLE = {"data": "Our photographs.", "limits": "Shoes alone."}


def test_a_card_is_written_of_a_model_beside_its_run_and_then_it_counts(place: Path, tiny: Path) -> None:
    carded(trained(Path("runs/shoes"), tiny) / "model", **WHOLE)
    found = answers()
    assert found["MS-2.9-002"].status == found["MG-3.2-003"].status == EVIDENCED
    assert found["MG-3.2-002"].status == NOT_MEASURED, "nothing was changed that was there before"
    (card,) = cards_of(built()).values()
    between = card[card.index("## As its training run") : card.index("## Measured here")]
    assert all(word in between for word in ("recipe: shoes", "parameters: 12345", "seed: 7", "data licence: CC0-1.0"))
    assert "Our photographs." in card.partition("## Claimed")[2] and "Our photographs." not in between
    trained(Path("runs/other"))
    assert answers()["MS-2.9-002"].status == PARTIAL, "of one of the two no card is written"


@pytest.mark.parametrize(
    "spoilt", [{"limits": ""}, {"data": " "}, {"summary": ""}], ids=["no limits", "no data", "no summary"]
)
def test_a_card_that_leaves_something_out_is_a_part(place: Path, tiny: Path, spoilt: dict[str, str]) -> None:
    carded(trained(Path("runs/shoes"), tiny) / "model", **{**WHOLE, **spoilt})
    assert answers()["MS-2.9-002"].status == PARTIAL
    assert "- not said: " in next(iter(cards_of(built()).values()))


def test_a_run_whose_weights_are_others_than_they_were_has_no_card(place: Path, tiny: Path) -> None:
    path = carded(trained(Path("runs/shoes"), tiny) / "model", **WHOLE) / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert answers()["MS-2.9-002"].status == PARTIAL and not (built() / "cards").exists()


def test_runs_of_one_name_have_a_card_each(place: Path, tiny: Path, plain_tiny: Path) -> None:
    trained(Path("runs/a/shoes"), tiny)
    trained(Path("runs/b/shoes"), plain_tiny)
    assert set(cards_of(built())) == {"shoes.md", "shoes_2.md"}


def test_a_changed_model_is_that_of_a_run_that_says_what_it_was(place: Path, tiny: Path, plain_tiny: Path) -> None:
    first = trained(Path("runs/first"), plain_tiny)
    digest = sha256_file(first / "model" / "weights.safetensors")
    carded(trained(Path("runs/second"), tiny, first=digest) / "model", **WHOLE)
    assert answers()["MG-3.2-002"].status == EVIDENCED
    front = cards_of(built())["second.md"].split("---")[1]
    assert 'base_model: "first"' in front
    Path("runs/tune.json").write_text('{"schema": "mezzotint/tune/1"}')
    assert answers()["MG-3.2-002"].status == PARTIAL
    said = {"schema": "mezzotint/tune/1", "base": "fashion", "about": {"photographs": {"bag": 4}}}
    Path("runs/tune.json").write_text(json.dumps(said))
    assert answers()["MG-3.2-002"].status == EVIDENCED


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("text", "pipeline_tag: text-to-image"),
        ("nothing", "pipeline_tag: unconditional-image-generation"),
        ("classes", "tags: [class-conditional]"),
    ],
)
def test_a_card_says_what_the_model_is_told(place: Path, tiny: Path, plain_tiny: Path, kind: str, line: str) -> None:
    models = place / "home" / "models"
    if kind == "text":
        save_latent(models / "one")
    else:
        shutil.copytree({"nothing": plain_tiny, "classes": tiny}[kind], models / "one")
    words = ["a red chair"] if kind == "text" else ["sneaker"] if kind == "classes" else [""]
    assert run(["generate", *words, "--model", "one", "--quiet", "--out", "runs/one"]) == 0
    front = cards_of(built())["one.md"].split("---")[1].splitlines()
    assert line in front and sum(one.startswith(("pipeline_tag", "tags")) for one in front) == 1
    assert "license: cc0-1.0" in front and any(one.startswith("license_link: ") for one in front)


def test_a_shipped_model_s_card_names_its_data_and_licence(place: Path) -> None:
    assert run(["generate", "sneaker", "--model", "fashion", "--steps", "1", "--quiet", "--out", "runs/one"]) == 0
    front = cards_of(built())["fashion.md"].split("---")[1]
    assert "license: apache-2.0" in front and "license_link: " in front and "Fashion-MNIST" in front
    assert "tags: [class-conditional]" in front and "pipeline_tag" not in front


def test_what_ran_beside_the_denoiser_is_in_the_bill_of_materials(place: Path) -> None:
    save_latent(place / "home" / "models" / "one")
    assert run(["generate", "a red chair", "--model", "one", "--quiet", "--out", "runs/one"]) == 0
    (path,) = Path("runs/one/receipts").iterdir()
    said = json.loads(path.read_text())
    said["made"]["stages"][0]["classifier"] = {"scale": 1.0, "ranker_sha256": "a" * 64}
    said["made"]["attached"] = [{"kind": "control", "name": "edges", "sha256": "b" * 64, "config_sha256": "c" * 64,
                                 "weight": 1.0, "picture": "d" * 64}]  # fmt: skip
    said["asset_id"] = sha256(canonical_json(said["made"]))[:32]
    path.write_text(pretty_json(said))
    made = json.loads((built() / "bom.json").read_text())["components"]
    by: dict[str, list[str]] = {}
    for one in (one for one in made if "hashes" in one):
        by.setdefault(one["hashes"][0]["content"], []).append(_role(one))
    stage = said["made"]["stages"][0]
    assert by[stage["codec_sha256"]] == ["autoencoder"] and "text encoder" in by[said["made"]["encoder_sha256"]]
    assert (by["a" * 64], by["b" * 64]) == (["ranker"], ["control"])
    gates = {digest for word in ("prompt_check", "output_check") for digest in said[word]["files"].values()}
    assert gates and gates <= set(by) and len({one["bom-ref"] for one in made}) == len(made)
    assert answers()["GV-6.1-008"].status == PARTIAL and "1 of 1 receipts" in answers()["GV-6.1-008"].claim


def _role(component: dict[str, Any]) -> str:
    return " ".join(one["value"] for one in component["properties"] if one["name"] == "mezzotint:role")


def test_a_library_has_the_hash_of_its_list_of_files(place: Path) -> None:
    made = json.loads((built() / "bom.json").read_text())["components"]
    libraries = {one["name"]: one for one in made if one["type"] == "library"}
    assert {"torch", "numpy", "safetensors"} <= set(libraries)
    for name, one in libraries.items():
        assert "hashes" not in one, "of the wheel nothing is known"
        (record,) = (file for file in distribution(name).files or () if str(file).endswith(".dist-info/RECORD"))
        said = {each["name"]: each["value"] for each in one["properties"]}
        assert said["mezzotint:record_sha256"] == sha256_file(Path(str(record.locate())))


def test_incidents_are_what_is_said_of_them(place: Path) -> None:
    of = ("MG-4.2-002", "MG-4.3-001", "MP-4.1-002")
    assert all(answers()[name].status == NOT_MEASURED for name in of)
    words = ["--title", "t", "--reporter", "r", "--system", "s", "--description", "d", "--impact", "i"]
    assert run(["evidence", "incident", *words, "--stakeholder", "x"]) == 0
    assert all(answers()[name].status == PARTIAL and "1 incidents" in answers()[name].claim for name in of)
