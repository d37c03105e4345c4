"""The passport of an adapter: in a header and back, to its schema; what is wrong with one is said in a line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from mezzotint.errors import ModelError
from mezzotint.pretrained.passport import KEY, Base, Passport, Photos, passport_in, said
from mezzotint.schemas import schema

PASSPORT = Passport(
    title="acme bag",
    base=Base("products-latent", "dit", "a" * 64),
    method="lora",
    rank=16,
    alpha=8.5,
    triggers=("acme bag",),
    kind="bag",
    photos=Photos(12, "b" * 64, "our own"),
    evaluation={"fidelity": {"value": 0.8}},
    settings={"steps": 600},
    command="mezzotint tune photos/ --name 'acme bag' --seed 3",
    versions={"mezzotint": "0.1.0"},
    seed=3,
    created="2026-11-27T12:00:00Z",
)
FALLS = replace(PASSPORT, method="tlora", rank_at_noise=8)


@pytest.mark.parametrize(
    "one", [PASSPORT, replace(PASSPORT, rank=None, alpha=None, triggers=(), licence="CC0-1.0"), FALLS]
)
def test_it_comes_back_as_it_was(one: Passport) -> None:
    assert passport_in({KEY: said(one)}, "f") == one
    jsonschema.validate(json.loads(said(one)), schema("mezzotint/passport/1"))
    assert passport_in({}, "f") is None


def test_only_what_falls_says_so() -> None:
    """Programs that do not know the word read all other files, and refuse those that they would put on wrongly."""
    assert "rank_at_noise" in json.loads(said(FALLS)) and "rank_at_noise" not in json.loads(said(PASSPORT))


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"schema": "mezzotint/passport/2"}, "is not a mezzotint/passport/1"),
    ({"more": 1}, "unknown key 'more'"),
    ({"base": "x"}, "base: expected a table"),
    ({"base": {"name": 1, "architecture": "", "sha256": ""}}, "expected texts"),
    ({"base": {"name": "a\nb", "architecture": "", "sha256": ""}}, "in one line"),
    ({"base": {"name": "\x1b[2J", "architecture": "", "sha256": ""}}, "in one line"),
    ({"base": {"name": "a" * 1000, "architecture": "", "sha256": ""}}, "in one line"),
    ({"triggers": "acme"}, "expected texts"),
    ({"triggers": [["acme"]]}, "expected texts"),
    ({"versions": {"a": 1}}, "expected texts"),
    ({"evaluation": [1]}, "expected tables"),
    ({"seed": -1}, "expected whole numbers"),
    ({"seed": True}, "expected whole numbers"),
    ({"rank": 1.5}, "expected whole numbers"),
    ({"rank_at_noise": "8"}, "expected whole numbers"),
    ({"rank_at_noise": -1}, "expected whole numbers"),
    ({"alpha": "8"}, "expected a number for alpha"),
]


@pytest.mark.parametrize(("change", "line"), HOSTILE)
def test_what_is_wrong_is_said_in_a_line(change: dict[str, Any], line: str) -> None:
    text = json.dumps({**json.loads(said(PASSPORT)), **change})
    with pytest.raises(ModelError, match=line) as error:
        passport_in({KEY: text}, "f.safetensors")
    assert str(error.value).startswith("f.safetensors: its mezzotint.passport") and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, '{"alpha": NaN}'])
def test_no_table_at_all(text: str) -> None:
    with pytest.raises(ModelError, match="is not"):
        passport_in({KEY: text}, "f")
