"""Receipts: the id is the hash of what determines the picture, and of nothing else."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mezzotint.errors import InputError
from mezzotint.governance.licence.library import INDEX_SHA256
from mezzotint.governance.provenance.manifest import claim_of
from mezzotint.governance.receipt import (
    Around,
    Made,
    Receipt,
    StageMade,
    beside,
    from_dict,
    read_receipt,
    to_dict,
    write_receipt,
)
from mezzotint.schemas import schema

STAGE = StageMade(
    model="fashion",
    weights_sha256="a" * 64,
    codec_sha256="",
    config_sha256="b" * 64,
    link={"name": "keep"},
    solver={"name": "dpm++2m"},
    grid={"name": "karras", "rho": 7.0},
    levels_sha256="c" * 64,
    steps=20,
    scale=1.5,
    batch=(16, 1, 28, 28),
)
MADE = Made(
    model="fashion",
    stages=(STAGE,),
    main=0,
    task={"name": "generate"},
    adapters=({"name": "bag", "sha256": "e" * 64, "weight": 0.8},),
    attached=(
        {
            "kind": "control",
            "name": "edges",
            "sha256": "1" * 64,
            "config_sha256": "2" * 64,
            "weight": 0.5,
            "picture": "3" * 64,
            "begin": 0.0,
            "end": 0.5,
        },
        {
            "kind": "ip-adapter",
            "name": "ip",
            "sha256": "4" * 64,
            "config_sha256": "5" * 64,
            "weight": 1.0,
            "picture": "6" * 64,
            "encoder_sha256": "7" * 64,
        },
    ),
    embeddings=({"name": "acme", "sha256": "f" * 64},),
    prompt="sneaker",
    negative_prompt="",
    apart={"prompt_2": "a shoe"},
    read=("", ""),
    tokens=({"encoder": "minilm", "text": "prompt", "used": 1, "dropped": 0, "lost": ""},),
    encoder_sha256="",
    seed=7,
    size=(28, 28),
    dtype="float32",
    device="cpu",
    processor="AVX512",
    threads=2,
    versions={"mezzotint": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"},
)
RECEIPT = Receipt(MADE, "d" * 64, "2026-01-02T03:04:05Z", 1.25)


def test_matches_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("mezzotint/receipt/2"))
    jsonschema.validate(to_dict(RECEIPT), schema("mezzotint/receipt/2"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**to_dict(RECEIPT), "more": 1}, schema("mezzotint/receipt/2"))


YOUNGER, YOUNGER_MADE = {"guidance_interval", "guidance", "cache", "candidates", "classifier"}, {"files", "mark"}
"""What receipts of before have no word for: their ids are those of receipts without it."""


def test_schema_and_class_have_the_same_fields() -> None:
    made = schema("mezzotint/receipt/2")["properties"]["made"]
    names = {f.name for f in dataclasses.fields(Made)}
    assert set(made["properties"]) == names == set(made["required"]) | YOUNGER_MADE
    stage = made["properties"]["stages"]["items"]
    assert set(stage["properties"]) == {f.name for f in dataclasses.fields(StageMade)}
    optional = {f.name for f in dataclasses.fields(StageMade) if f.default is not dataclasses.MISSING}
    assert set(stage["required"]) == set(stage["properties"]) - optional and optional == YOUNGER


def changed(old: Any) -> Any:
    return {
        str: lambda: old + "x",
        int: lambda: old + 1,
        float: lambda: old + 0.5,
        tuple: lambda: (*old[:-1], changed(old[-1])),
        dict: lambda: {**old, "more": "x"},
        type(None): lambda: (0.28, None),
        StageMade: lambda: dataclasses.replace(old, steps=old.steps + 1),
    }[type(old)]()


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Made)])
def test_each_field_changes_the_id(field: str) -> None:
    new = changed(getattr(MADE, field))
    assert dataclasses.replace(MADE, **{field: new}).asset_id != MADE.asset_id


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(StageMade)])
def test_each_field_of_a_stage_does_too(field: str) -> None:
    stage = dataclasses.replace(STAGE, **{field: changed(getattr(STAGE, field))})
    assert dataclasses.replace(MADE, stages=(stage,)).asset_id != MADE.asset_id


def test_a_stage_more_does_too() -> None:
    assert dataclasses.replace(MADE, stages=(STAGE, STAGE)).asset_id != MADE.asset_id


def test_time_does_not() -> None:
    later = dataclasses.replace(RECEIPT, created="2027-01-02T03:04:05Z", batch_seconds=9.0)
    assert to_dict(later)["asset_id"] == to_dict(RECEIPT)["asset_id"]


def test_id_is_independent_of_the_order_of_keys() -> None:
    stage = dataclasses.replace(STAGE, grid={"rho": 7.0, "name": "karras"})
    assert dataclasses.replace(MADE, stages=(stage,)).asset_id == MADE.asset_id


def test_known_id() -> None:
    """The canonical form may never change: here it is made again from the schema's words alone."""
    import hashlib

    made = json.loads(json.dumps(dataclasses.asdict(MADE)))
    assert [stage.pop(name) for stage in made["stages"] for name in YOUNGER] == [None] * len(YOUNGER)
    assert [made.pop(name) for name in YOUNGER_MADE] == [None] * 2
    text = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert MADE.asset_id == "89c19763319370f7f0a64090505bf70d"
    assert MADE.asset_id == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_file_round_trip(tmp_path: Path) -> None:
    path = write_receipt(tmp_path, RECEIPT)
    assert path.name == f"{MADE.asset_id}.json"
    assert read_receipt(path) == RECEIPT
    before = path.stat().st_mtime_ns
    assert write_receipt(tmp_path, RECEIPT) == path and path.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "mezzotint/receipt/9"}, "not a receipt of schema"),
        ({"made": {**to_dict(RECEIPT)["made"], "seed": 8}}, "was changed"),
        ({"made": {"seed": 8}}, "damaged"),
        ({"made": {**to_dict(RECEIPT)["made"], "more": 1}}, "damaged"),
        ({"times": None}, "damaged"),
    ],
)
def test_damage_is_told(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        from_dict({**to_dict(RECEIPT), **change}, "receipt")


def test_not_json(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{" * 10)
    with pytest.raises(InputError, match="not JSON"):
        read_receipt(tmp_path / "r.json")


def test_it_is_found_beside_a_picture_and_beside_the_assets_that_it_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, (product, receipts) = "ab" * 16, (tmp_path / "assets" / "P-1", tmp_path / "receipts")
    for folder in (product, receipts, tmp_path / "other" / "P-1"):
        folder.mkdir(parents=True)
    kept = receipts / f"{asset}.json"
    kept.write_text("{}")
    assert beside(product / "1.png", asset) == kept
    assert beside(tmp_path / "1.png", asset) == kept
    assert beside(tmp_path / "other" / "P-1" / "1.png", asset) is None
    assert beside(product / "1.png", "../" + asset) is None
    monkeypatch.chdir(product)
    assert beside(Path("1.png"), asset) == kept
    receipts.rename(tmp_path / "away")
    receipts.symlink_to(tmp_path / "away")
    assert beside(product / "1.png", asset) is None


def test_of_a_licence_s_decision_the_public_learns_no_fact() -> None:
    said = {"decision": "allowed", "use": "advertising", "rules_version": "1"}
    private = {"enforced": True, "inputs_sha256": "0" * 64, "revenue": "1 USD"}
    found = dataclasses.replace(RECEIPT, around=Around("e" * 64, {**said, **private}))
    assert claim_of(found, "f" * 64, (), embed_prompt=False).licence == {**said, "table_sha256": INDEX_SHA256}
    for none in (RECEIPT, dataclasses.replace(RECEIPT, around=Around("e" * 64))):
        assert claim_of(none, "f" * 64, (), embed_prompt=False).licence is None
