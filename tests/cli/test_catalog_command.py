"""``mezzotint catalog``: the commands."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema

from mezzotint.cli import run
from mezzotint.cli.catalog.plan import command as plan
from mezzotint.cli.catalog.words import asked_of
from mezzotint.schemas import schema


def test_check_lists_problems(inside: Path, capsys) -> None:
    (inside / "m.csv").write_text("sku,prompt\na,sneaker\na,boots\n")
    assert run(["catalog", "check", "m.csv", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/catalog-check/1"))
    assert [(p["row"], p["column"]) for p in found["problems"]] == [(3, "prompt"), (3, "sku")]
    (inside / "m.csv").write_text("sku,prompt\na,sneaker\nb,{kind}\n")
    (inside / "m.toml").write_text('[factors]\nkind = ["sneaker", "t-shirt"]\n')
    assert run(["catalog", "check", "m.csv"]) == 0
    assert "2 rows are sound; no problems" in capsys.readouterr().err
    assert run(["catalog", "check", "none.csv"]) == 2 and run(["catalog", "check", "."]) == 2
    assert run(["catalog", "plan", "m.csv", "--probe", "-3"]) == 2
    capsys.readouterr()
    assert run(["catalog", "run", "m.csv", "--workers", "0"]) == 2
    said = capsys.readouterr().err
    assert said.splitlines() == ["mezzotint: --workers 0: expected at least 1"], "before anything is planned"


def test_a_run_is_made_priced_and_reported(inside: Path, capsys) -> None:
    (inside / "m.csv").write_text("sku,prompt\na,{kind}\nb,{kind}\n")
    factors, rest = 'kind = ["sneaker", "t-shirt"]', '[cost]\nper_hour = "3 USD"\n[test]\nrate = 0.03\nlift = 0.5\n'
    (inside / "m.toml").write_text(f'[factors]\n{factors}\n[plan]\nmodel = "fashion"\n{rest}')
    words = ["m.csv", "--probe", "0.1", "--budget", "1", "--steps", "2", "--json", "--quiet"]
    assert run(["catalog", "plan", *words, "--csv", "plan.csv"]) == 0
    planned = json.loads(capsys.readouterr().out)
    jsonschema.validate(planned, schema("mezzotint/catalog-plan/1"))
    assert planned["assets"] == planned["to_make"] == 4 and planned["calls"] == 16 and planned["rungs"] == []
    assert planned["factors"] == {"kind": {"sneaker": 2, "t-shirt": 2}} and planned["views_needed"] > 1000
    held = re.fullmatch(r"([\d.]+) (MB|GB) at most, with the probe's batches in it", planned["memory"])
    assert held and 1e8 < float(held[1]) * {"MB": 1e6, "GB": 1e9}[held[2]] < 5e9
    assert run(["catalog", "plan", "m.csv", "--probe", "0"]) == 0
    unknown = capsys.readouterr().out
    assert "money     not known, as the time is not; at 3 USD an hour" in unknown and "memory" not in unknown
    assert len((inside / "plan.csv").read_text().splitlines()) == 5 and not (inside / "mezzotint-out").exists()
    assert run(["catalog", "run", *words]) == 0
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, schema("mezzotint/catalog-status/1"))
    assert made["assets"]["done"] == 4 and made["money"]["budget"] == "1 USD"
    out = inside / "mezzotint-out" / "catalog-m"
    assert {"report.html", "catalog.csv", "catalog.json"} <= {path.name for path in out.iterdir()}
    assert run(["catalog", "status", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["state"] == "done" and shown["seconds"]["left"] == 0
    spent, left = (Decimal(shown["money"][name].removesuffix(" USD")) for name in ("spent", "left"))
    assert spent > 0 and spent + left == 1
    assert run(["catalog", "status", str(out)]) == 0
    assert capsys.readouterr().out.strip().endswith(f"{shown['money']['spent']} spent, {shown['money']['left']} left")
    assert run(["catalog", "report", str(out), "--json", "--quiet"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), schema("mezzotint/catalog/1"))
    assert run(["catalog", "pause", str(out)]) == 2 and run(["catalog", "status", "nowhere"]) == 2
    assert run(["catalog", "run", "m.csv", "--budget", "-1"]) == 2


def test_a_plan_has_the_same_ids_at_any_batch(inside: Path, capsys) -> None:
    """On a model so small that a thread is enough for sixteen pictures of it, and not for a thousand."""
    (inside / "m.csv").write_text("sku,prompt,variants\na,sneaker,3\nb,ankle boot,3\n")
    for batch in ("1", "16"):
        words = ["m.csv", "--model", "fashion", "--probe", "0", "--quiet", "--batch", batch, "--csv", f"{batch}.csv"]
        assert run(["catalog", "plan", *words]) == 0
    assert (inside / "1.csv").read_bytes() == (inside / "16.csv").read_bytes()
    unsaid = {parameter.name: None for parameter in plan.params}
    said = {**unsaid, "manifest": "m.csv", "model": "fashion", "seed": 0, "probe": 0.0}
    own = ("sheet", "out", "ledger", "as_json", "quiet")
    both = [asked_of({k: v for k, v in {**said, "batch": n}.items() if k not in own}) for n in (1, 1024)]
    assert both[0].words.sampling == both[1].words.sampling, "also where there is but one core to run this on"


def test_the_example_is_sound(capsys, monkeypatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert run(["catalog", "check", "examples/catalog.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 40 and not found["problems"] and not found["notes"]
