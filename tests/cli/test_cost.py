"""``mezzotint cost plan``: real pictures for a moment, and what they say of many."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest

from mezzotint.cli import run
from mezzotint.costs.purse import Purse
from mezzotint.errors import BudgetError
from mezzotint.schemas import schema

WORDS = ["cost", "plan", "sneaker", "--probe", "0.3", "--threads", "1", "--scale", "1"]


def test_it_plans_and_keeps_nothing(inside: Path, capsys) -> None:
    (inside / "mezzotint.toml").write_text('[cost]\nper_hour = "3600 USD"\nwatts = 100\nphotograph = "35 EUR"\n')
    assert run([*WORDS, "-n", "1000", "--steps", "3", "--batch", "4", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/cost-plan/1"))
    assert (found["pictures"], found["batches"], found["calls"]) == (1000, 250, 3)
    seconds, usd = found["seconds"], float(found["money"]["expected"].split()[0])
    assert usd == pytest.approx(seconds["value"], rel=1e-4), "at one dollar a second"
    assert found["watt_hours"] == pytest.approx(100 * seconds["value"] / 3600)
    assert sorted(p.name for p in inside.iterdir()) == ["mezzotint.toml"]


def test_for_people(inside: Path, capsys) -> None:
    assert run([*WORDS, "--steps", "2", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "fashion: 1 pictures in 1 batches, 2 network calls each" in said
    assert "energy    not known: say watts" in said and "money     not known: say per_hour" in said
    (inside / "mezzotint.toml").write_text('[cost]\nper_hour = "0.40 USD"\nphotograph = "35 EUR"\n')
    assert run([*WORDS, "--steps", "2", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "at 0.40 USD an hour" in said and "photographed, at 35 EUR each: 35.00 EUR" in said and "list prices" in said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--probe", "0"], "--probe 0: expected seconds above 0"),
        (["--probe", "nan"], "--probe nan: expected seconds above 0"),
        (["-n", "0"], "0"),
        (["--model", "nothing"], "nothing"),
        (["--steps", "0"], "steps"),
    ],
)
def test_bad_words_are_one_line(inside: Path, capsys, words: list[str], what: str) -> None:
    assert run([*WORDS, *words]) == 2
    said = capsys.readouterr().err
    assert what in said and len(said.splitlines()) == 1


def test_a_batch_too_long_for_the_probe_is_worth_its_steps(inside: Path, capsys) -> None:
    assert (
        run(["cost", "plan", "sneaker", "--probe", "0.001", "--steps", "200", "--scale", "1", "--json", "--quiet"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["probed"] == 2 and found["calls"] == 200
    assert found["seconds"]["value"] > 0


def test_what_was_spent_stands_against_caps(inside: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(_own(inside)))
    assert run(["cost"]) == 0 and "nothing was spent here yet" in capsys.readouterr().out
    (inside / "mezzotint.toml").write_text('[cost]\nper_hour = "0.40 USD"\nproject = "autumn"\ncap_month = "5 USD"\n')
    assert run(["generate", "sneaker", "--n", "2", "--quiet", "--out", "o"]) == 0
    (receipt, _) = (json.loads(p.read_text()) for p in Path("o/receipts").iterdir())
    jsonschema.validate(receipt, schema("mezzotint/receipt/2"))
    assert receipt["cost"]["money"].endswith("USD") and receipt["cost"]["calls"] == 20
    capsys.readouterr()
    assert run(["cost", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/cost-spent/1"))
    (line,) = found["lines"]
    assert (line["project"], line["pictures"], line["reserved"]) == ("autumn", 2, "0 USD") and line["spent"] != "0 USD"
    assert run(["cost"]) == 0 and "all projects:" in capsys.readouterr().out
    assert run(["cost", "compare", "-n", "100", "--out", "page.html", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/cost-comparison/1"))
    assert {row["kind"] for row in found["rows"]} == {"ours", "photographed", "hosted"}
    assert Path("page.html").read_text().startswith("<!doctype html>")
    assert run(["cost", "compare", "--out", "page.html"]) == 2


def test_a_cap_ends_a_run_and_it_goes_on_where_there_is_more(inside: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(_own(inside)))
    words = ["generate", "sneaker", "--n", "3", "--batch", "1", "--quiet", "--out", "o"]
    said = '[cost]\nper_hour = "3600 USD"\ncap_command = "{} USD"\n'
    (inside / "mezzotint.toml").write_text(said.format("0"))
    assert run(words) == 4 and "leaves no more" in capsys.readouterr().err
    assert not list(Path("o").glob("sneaker*.png"))
    (inside / "mezzotint.toml").write_text(said.format("1000"))
    real, steps = Purse.heed, []

    def heed(money: Purse) -> None:
        steps.append(1)
        if len(steps) == 15:  # in the second picture
            raise BudgetError("the cap leaves no more")
        real(money)

    monkeypatch.setattr(Purse, "heed", heed)
    assert run(words) == 3 and "1 of 3 pictures are whole" in capsys.readouterr().err
    assert run(words) == 0 and len(list(Path("o").glob("sneaker*.png"))) == 3


@pytest.mark.parametrize(
    "words", [["cost", "plan"], ["cost", "spent", "shoe"], ["cost", "--out", "x"], ["cost", "compare", "-n", "0"]]
)
def test_words_that_do_not_go_together(inside: Path, words: list[str]) -> None:
    assert run(words) == 2


LONG = {
    "calibrate": ["fashion", "--calls", "2", "--rows", "16", "--updates", "2"],
    "guide": ["fashion", "--scale", "2", "--updates", "2"],
    "distill": ["fashion", "--updates", "2", "--out", "o"],
    "frontier": ["fashion", "-n", "200"],
    "evaluate": ["fashion", "--data", "nowhere"],
    "tune": ["photos", "--name", "acme bag", "--out", "o"],
}


@pytest.mark.parametrize("name", LONG)
def test_where_nothing_is_left_nothing_begins(inside: Path, monkeypatch, capsys, name: str) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(_own(inside)))
    (inside / "mezzotint.toml").write_text('[cost]\nper_hour = "1 USD"\ncap_month = "0 USD"\n')
    assert run([name, *LONG[name], "--quiet"]) == 4, capsys.readouterr().err
    assert "the cap of this month, 0 USD, leaves no more" in capsys.readouterr().err


def test_a_fit_is_stopped_and_goes_on(inside: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(_own(inside)))
    (inside / "mezzotint.toml").write_text('[cost]\nper_hour = "1 USD"\ncap_month = "9 USD"\n')
    real, asked = Purse.heed, []

    def heed(money: Purse) -> None:
        asked.append(1)
        if len(asked) == 3:
            raise BudgetError("the cap leaves no more")
        real(money)

    monkeypatch.setattr(Purse, "heed", heed)
    words = ["calibrate", *LONG["calibrate"], "--threads", "1", "--quiet"]
    assert run(words) == 3 and "the same command goes on" in capsys.readouterr().err
    assert run(words) in (0, 3) and "leaves no more" not in capsys.readouterr().err


def _own(inside: Path) -> Path:
    """A home that is not shared: the same models, nothing spent."""
    home = inside / "own"
    shutil.copytree(Path(os.environ["MEZZOTINT_HOME"]) / "models", home / "models")
    model = home / "models" / "fashion" / "model.json"
    table = json.loads(model.read_text())
    table["sampling"]["standard"]["steps"] = 10  # with 4 it would count as distilled
    model.write_text(json.dumps(table))
    return home
