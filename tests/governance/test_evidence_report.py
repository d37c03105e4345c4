"""Evidence never says more than documents do, and cites no action that NIST does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.files import canonical_json, pretty_json, sha256
from mezzotint.governance.evidence import incident
from mezzotint.governance.evidence.build import build
from mezzotint.governance.evidence.catalogue import FUNCTIONS, actions
from mezzotint.governance.evidence.rules import EVIDENCED, NOT_MEASURED, ORGANISATIONAL, PARTIAL
from mezzotint.governance.evidence.seen import gather
from mezzotint.governance.evidence.table import RULES, items
from mezzotint.schemas import schema

COUNTS = {
    "GV-1.1": 1, "GV-1.2": 2, "GV-1.3": 7, "GV-1.4": 2, "GV-1.5": 3, "GV-1.6": 3, "GV-1.7": 2, "GV-2.1": 5,
    "GV-3.2": 5, "GV-4.1": 3, "GV-4.2": 3, "GV-4.3": 2, "GV-5.1": 2, "GV-6.1": 10, "GV-6.2": 7, "MP-1.1": 4,
    "MP-1.2": 2, "MP-2.1": 2, "MP-2.2": 2, "MP-2.3": 5, "MP-3.4": 6, "MP-4.1": 10, "MP-5.1": 6, "MP-5.2": 2,
    "MS-1.1": 9, "MS-1.3": 3, "MS-2.2": 4, "MS-2.3": 4, "MS-2.5": 6, "MS-2.6": 7, "MS-2.7": 9, "MS-2.8": 4,
    "MS-2.9": 2, "MS-2.10": 3, "MS-2.11": 5, "MS-2.12": 4, "MS-2.13": 1, "MS-3.2": 1, "MS-3.3": 5,
    "MS-4.2": 5, "MG-1.3": 2, "MG-2.2": 9, "MG-2.3": 1, "MG-2.4": 4, "MG-3.1": 5, "MG-3.2": 9, "MG-4.1": 7,
    "MG-4.2": 3, "MG-4.3": 3,
}  # fmt: skip
"""How many actions each subcategory has, counted in the text apart from the catalogue; GV-4.3-001 is not there."""


@pytest.fixture
def place(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of two pictures, a home with a ledger and the model."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEZZOTINT_LEDGER", str(tmp_path / "home" / "ledger.sqlite"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    Path("mezzotint.toml").write_text('[cost]\nper_hour = "0.4 USD"\nwatts = 65\n')
    assert run(["generate", "sneaker", "--model", str(tiny), "--n", "2", "--quiet", "--out", "runs/one"]) == 0
    return tmp_path


def rewritten(path: Path, made: dict[str, Any]) -> None:
    """A receipt that says other things, whole: its id is the hash of them."""
    path.write_text(
        pretty_json(json.loads(path.read_text()) | {"made": made, "asset_id": sha256(canonical_json(made))[:32]})
    )


def answers(folder: Path = Path("runs")) -> dict[str, Any]:
    return {one.action.id: one.answer for one in items(gather([folder], incident.folder()))}


def test_the_catalogue_is_that_of_the_final_text() -> None:
    found = actions()
    numbers: dict[str, list[int]] = {}
    for name in found:
        assert re.fullmatch(r"(GV|MP|MS|MG)-\d+\.\d+-\d{3}", name) and found[name].function in FUNCTIONS.values()
        of, _, number = name.rpartition("-")
        numbers[of] = [*numbers.get(of, []), int(number)]
    first = {"GV-4.3": 2}
    assert numbers == {of: [*range(first.get(of, 1), first.get(of, 1) + n)] for of, n in COUNTS.items()}
    assert len(found) == 211 and "GV-4.3-001" not in found
    assert all(one.asks and len(one.asks) < 100 for one in found.values())


def test_every_id_that_is_cited_exists() -> None:
    source = Path(mz.__file__).parent
    files = [*source.rglob("*.py"), *Path(__file__).parents[2].joinpath("docs").rglob("*.md")]
    cited = {
        name for file in files for name in re.findall(r"\b(?:GV|MP|MS|MG)-\d+\.\d+-\d{3}\b", file.read_text("utf-8"))
    }
    assert cited >= set(RULES) and cited - {"GV-4.3-001"} <= set(actions())


def test_every_action_is_answered_once_and_what_no_tool_can_show_is_said(place: Path) -> None:
    found = items(gather([Path("runs")], incident.folder()))
    assert [one.action.id for one in found] == list(actions())
    said = {one.action.id: one.answer.status for one in found}
    assert all(said[name] == ORGANISATIONAL for name in actions() if name not in RULES)
    assert said["GV-2.1-005"] == said["MS-1.3-003"] == ORGANISATIONAL
    assert said["MS-2.11-002"] == NOT_MEASURED and said["MS-1.1-009"] == EVIDENCED


def test_without_documents_nothing_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    shown = {name for name, one in answers().items() if one.status in (EVIDENCED, PARTIAL)}
    assert shown == {"MS-1.1-009", "GV-4.3-002", "MG-4.3-002"}, "the report itself, and the form of records"


def test_what_documents_show_is_shown(place: Path) -> None:
    found = answers()
    assert found["MS-1.1-001"].status == EVIDENCED and "2 receipts" in found["MS-1.1-001"].claim
    assert {digest for _, digest in found["MS-1.1-001"].artefacts} == {
        sha256(path.read_bytes()) for path in Path("runs/one/receipts").iterdir()
    }
    assert found["MG-3.2-005"].status == PARTIAL and "2 of 2 receipts" in found["MG-3.2-005"].claim
    assert found["MS-2.12-003"].status == PARTIAL and "by estimate" in found["MS-2.12-003"].claim
    assert found["GV-1.1-001"].status == NOT_MEASURED and "--use" in found["GV-1.1-001"].claim
    assert found["MS-2.7-005"].status == NOT_MEASURED and found["MS-2.3-002"].status == NOT_MEASURED


def test_a_broken_ledger_is_no_evidence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    with sqlite3.connect(place / "home" / "ledger.sqlite") as book:
        book.executescript("DROP TRIGGER entry_stays; UPDATE entry SET asset_id = 'x' WHERE number = 1;")
    found = answers()
    assert found["MS-1.1-001"].status == PARTIAL and "was changed" in found["MS-1.1-001"].claim
    assert found["MS-2.8-003"].status == PARTIAL
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    assert answers()["MS-2.8-003"].status == NOT_MEASURED


def test_the_folder_that_is_built(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["evidence", "build", "runs", "--out", "evidence", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("mezzotint/evidence/1"))
    for name in ("evidence.json", "dataset.json"):
        made = json.loads((place / "evidence" / name).read_text())
        jsonschema.validate(made, schema(made["schema"]))
    report = (place / "evidence" / "report.html").read_text()
    assert (
        all(name in report for name in actions())
        and "Not measured" in report
        and "@" not in report.partition("<h1>")[2]
    )
    assert "http://" not in report and "https://" not in report and "<script" not in report
    (card,) = (place / "evidence" / "cards").iterdir()
    text = card.read_text()
    assert text.index("## Checked") < text.index("## Measured here") < text.index("## Claimed")
    assert run(["evidence", "build", "runs", "--out", "evidence"]) == 2 and run(["evidence", "build", "nowhere"]) == 2
    assert run(["evidence", "build", "runs"]) == 0


def test_a_card_says_where_bytes_are_others(place: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    shutil.copytree(tiny, place / "home" / "models" / "tiny")
    made = build([Path("runs")], place / "same")
    (card,) = (made.folder / "cards").iterdir()
    assert "same bytes" in card.read_text()
    (path, _) = Path("runs/one/receipts").iterdir()
    said = json.loads(path.read_text())["made"]
    said["stages"][0]["weights_sha256"] = "f" * 64
    rewritten(path, said)
    (card,) = (build([Path("runs")], place / "other").folder / "cards").iterdir()
    assert "**the model here has other bytes**" in card.read_text()


def test_a_model_whose_bytes_are_others_is_found_out_by_them_not_at_what_a_folder_says_of_them(
    place: Path, tiny: Path
) -> None:
    """Whose bytes are others though its ``model.json`` says what it said."""
    import shutil

    path = Path(shutil.copytree(tiny, place / "home" / "models" / "tiny")) / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (card,) = (build([Path("runs")], place / "out").folder / "cards").iterdir()
    assert "**the model here has other bytes**" in card.read_text()


def test_the_bill_of_materials_is_cyclonedx(place: Path) -> None:
    made = json.loads((build([Path("runs")], place / "out").folder / "bom.json").read_text())
    models = [one for one in made["components"] if one["type"] == "machine-learning-model"]
    assert models and all(re.fullmatch(r"[0-9a-f]{64}", one["hashes"][0]["content"]) for one in models)
    assert len({one["bom-ref"] for one in made["components"]}) == len(made["components"])
    validators = pytest.importorskip("cyclonedx.validation.json")
    versions = pytest.importorskip("cyclonedx.schema")
    checker = validators.JsonStrictValidator(versions.SchemaVersion.V1_6)
    assert checker.validate_str(json.dumps(made)) is None
    assert checker.validate_str(json.dumps({**made, "components": [{"type": "model"}]})) is not None


def test_names_in_documents_do_nothing_in_the_report(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    (path, _) = Path("runs/one/receipts").iterdir()
    rewritten(path, json.loads(path.read_text())["made"] | {"model": "<img src=x onerror=alert(1)>/../../x"})
    built = build([Path("runs")], place / "out")
    report = (built.folder / "report.html").read_text()
    assert "<img" not in report and "&lt;img" in report
    assert all(one.parent == built.folder / "cards" for one in (built.folder / "cards").rglob("*"))


def test_damaged_documents_are_named(place: Path) -> None:
    Path("runs/one/receipts/torn.json").write_text('{"schema": "mezzotint/receipt/2", "made": {')
    Path("runs/one/other.json").write_text("[1, 2]")
    assert [path.name for path in gather([Path("runs")], incident.folder()).unread] == ["torn.json"]
    assert "torn.json" in (build([Path("runs")], place / "out").folder / "report.html").read_text()


def changed(receipt: dict[str, Any]) -> dict[str, Any]:
    return {**receipt, "made": {**receipt["made"], "prompt": "a boot"}}


def partial(receipt: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "mezzotint/receipt/1", "made": {"model": receipt["made"]["model"]}}


def without_stages(receipt: dict[str, Any]) -> dict[str, Any]:
    return {**receipt, "made": {name: one for name, one in receipt["made"].items() if name != "stages"}}


def of_no_letters(receipt: dict[str, Any]) -> dict[str, Any]:
    return {**receipt, "made": {**receipt["made"], "prompt": "\ud800"}}


@pytest.mark.parametrize("spoilt", [changed, partial, without_stages, of_no_letters])
def test_a_receipt_that_is_not_what_was_written_shows_nothing(
    place: Path, spoilt: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    whole, path = sorted(Path("runs/one/receipts").iterdir())
    path.write_text(json.dumps(spoilt(json.loads(path.read_text()))))
    seen = gather([Path("runs")], incident.folder())
    assert seen.unread == (path,) and [one.path for one in seen.of("receipt")] == [whole]
    assert run(["evidence", "build", "runs", "--out", "evidence"]) == 0
    assert path.name in Path("evidence/report.html").read_text()
    assert [p for p, _ in answers()["MS-1.1-001"].artefacts] == [whole]


COST = {"seconds": 1.0}
TRAINED = {"schema": "mezzotint/training-run/1", "recipe": "fashion"}
MEASURED = {"schema": "mezzotint/evaluation/2", "model": "m", "n": 1, "reference_sha256": "0", "metrics": {}}


@pytest.mark.parametrize(
    "document",
    [
        {"schema": "mezzotint/evaluation/1"},
        {**MEASURED, "metrics": {"fid": "low"}},
        {**MEASURED, "metrics": {"fid": 10**400}},
        {**MEASURED, "metrics": []},
        {**MEASURED, "model": "\ud800"},
        {"schema": "mezzotint/tune/1", "about": []},
        {"schema": "mezzotint/tune/1", "about": {"photographs": 7}},
        {"schema": "mezzotint/tune/1", "about": {"photographs": {"bag": 7}, "photographs_sha256": [7]}},
        {**TRAINED, "cost": {}},
        {**TRAINED, "cost": {"seconds": "long"}},
        {**TRAINED, "cost": {**COST, "energy_wh_estimate": None}},
        {**TRAINED, "fields": []},
        {"schema": "mezzotint/training-run/1"},
    ],
)
def test_a_document_that_is_not_as_its_kind_shows_nothing(place: Path, document: dict[str, Any]) -> None:
    Path("runs/other.json").write_text(json.dumps(document))
    assert run(["evidence", "build", "runs", "--out", "evidence"]) == 0
    assert "1 files look like documents and are not whole, or were changed: other.json" in report_of("evidence")


@pytest.mark.parametrize("document", [MEASURED, {**TRAINED, "cost": COST}, {"schema": "mezzotint/tune/1"}])
def test_a_document_that_is_as_its_kind_is_read(place: Path, document: dict[str, Any]) -> None:
    Path("runs/other.json").write_text(json.dumps(document))
    seen = gather([Path("runs")], incident.folder())
    assert not seen.unread and "other.json" in {one.path.name for one in seen.artefacts}


@pytest.mark.parametrize(
    "spoilt",
    [{"around": {"code_sha256": "0", "licence": []}}, {"mark": {}}, {"cost": {}}, {"prompt_check": {"decision": 1}}],
)
def test_a_receipt_whose_surroundings_are_none_shows_nothing(place: Path, spoilt: dict[str, Any]) -> None:
    path = min(Path("runs/one/receipts").iterdir())
    path.write_text(pretty_json(json.loads(path.read_text()) | spoilt))
    assert gather([Path("runs")], incident.folder()).unread == (path,)
    assert run(["evidence", "build", "runs", "--out", "evidence"]) == 0


def report_of(folder: str) -> str:
    return (Path(folder) / "report.html").read_text()


def test_a_receipt_counts_that_an_entry_of_the_ledger_is_of(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, path = sorted(Path("runs/one/receipts").iterdir())
    said = json.loads(path.read_text())
    licence = {"decision": "allowed", "enforced": True, "inputs_sha256": "0" * 64, "rules_version": "1"}
    path.write_text(pretty_json(said | {"around": said["around"] | {"licence": licence}}))
    seen = gather([Path("runs")], incident.folder())
    assert [one.path for one in seen.loose] == [path] and [one.path for one in seen.of("receipt")] == [whole]
    found = answers()
    assert found["GV-1.1-001"].status == NOT_MEASURED and found["MS-1.1-001"].status == PARTIAL
    assert "1 receipt is in no ledger" in found["MS-1.1-001"].claim
    assert [where for where, _ in found["MS-1.1-001"].artefacts] == [whole]
    build([Path("runs")], Path("evidence"))
    assert f"1 receipt is in no ledger, and not counted: {path.name}" in report_of("evidence")
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")
    build([Path("runs")], Path("other"))
    assert "no ledger: nothing shows whether receipts were changed" in report_of("other")
    assert "1 of 2 receipts carry a licence decision" in answers()["GV-1.1-001"].claim


def test_a_ledger_that_cannot_be_read_does_not_hold(place: Path) -> None:
    (place / "home" / "ledger.sqlite").write_text("no database" * 100)
    seen = gather([Path("runs")], incident.folder())
    assert seen.ledger is not None and seen.ledger.fault is not None and len(seen.loose) == 2
    build([Path("runs")], Path("evidence"))
    assert "THE LEDGER DOES NOT HOLD" in report_of("evidence")
    assert "2 receipts are in no ledger" in report_of("evidence")


@pytest.mark.parametrize("line", [[], ["nowhere"], ["mezzotint-out", "--out", "mezzotint-out/evidence"]])
def test_without_a_folder_of_runs_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["evidence", "build", *line]) == 2 and not list(tmp_path.iterdir())
    said = capsys.readouterr().err
    assert "nothing to read" in said and len(said.splitlines()) == 1


NINE = ["system_id", "title", "reporter", "source", "data_reported", "date", "description", "impacts", "stakeholders"]
WORDS = {"--title": "A logo", "--reporter": "A. N.", "--system": "shop", "--description": "A rival's logo was made.",
         "--impact": "one picture withdrawn", "--stakeholder": "the rival"}  # fmt: skip


def incident_line(leave: str = "") -> list[str]:
    return ["evidence", "incident", *(w for name, text in WORDS.items() if name != leave for w in (name, text))]


def test_an_incident_has_the_nine_fields(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    line = [*incident_line(), "--date", "2026-11-20", "--asset", "a" * 32, "--file", "mezzotint.toml", "--json"]
    assert run(line) == 0
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, schema("mezzotint/incident/1"))
    assert all(made[name] for name in NINE) and made["evidence"] == {
        "mezzotint.toml": sha256(Path("mezzotint.toml").read_bytes())
    }
    found = answers()
    assert found["GV-4.3-002"].status == EVIDENCED and found["MG-4.3-002"].status == PARTIAL
    assert made["system_id"] in (build([Path("runs")], place / "out").folder / "report.html").read_text()


@pytest.mark.parametrize("leave", WORDS)
def test_an_incident_without_one_is_refused(place: Path, leave: str) -> None:
    assert run(incident_line(leave)) == 2 and not list(incident.folder().glob("*"))


@pytest.mark.parametrize(
    "more",
    [["--date", "yesterday"], ["--date", "2999-01-01"], ["--asset", "x"], ["--out", "x"], ["runs"], ["--file", "no"]],
)
def test_wrong_words_of_an_incident(place: Path, more: list[str]) -> None:
    assert run([*incident_line(), *more]) == 2 and not list(incident.folder().glob("*"))


def test_build_takes_no_words_of_an_incident(place: Path) -> None:
    assert run(["evidence", "build", "runs", "--title", "x"]) == 2
