"""``mezzotint catalog``: the commands."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from mezzotint.cli import run
from mezzotint.schemas import schema


def test_check_lists_problems(inside: Path, capsys) -> None:
    (inside / "m.csv").write_text("sku,prompt\na,sneaker\na,boots\n")
    assert run(["catalog", "check", "m.csv", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/catalog-check/1"))
    assert [(p["row"], p["column"]) for p in found["problems"]] == [(3, "prompt")]
    (inside / "m.csv").write_text("sku,prompt\na,sneaker\nb,{kind}\n")
    (inside / "m.toml").write_text('[factors]\nkind = ["sneaker", "t-shirt"]\n')
    assert run(["catalog", "check", "m.csv"]) == 0
    assert "2 rows are sound; no problems" in capsys.readouterr().err
    assert run(["catalog", "check", "none.csv"]) == 2
