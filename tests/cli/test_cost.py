"""``mezzotint cost plan``: real pictures for a moment, and what they say of many."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from mezzotint.cli import run
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
