"""The actions that NIST AI 600-1 suggests, and which of them a tool can speak to."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FUNCTIONS = {"GV": "Govern", "MP": "Map", "MS": "Measure", "MG": "Manage"}


@dataclass(frozen=True)
class Action:
    """id: as NIST has it.   asks: in our own words."""

    id: str
    asks: str

    @property
    def function(self) -> str:
        """Of AI RMF 1.0."""
        return FUNCTIONS[self.id[:2]]


@cache
def actions() -> Mapping[str, Action]:
    """All of them, by id, in NIST's order."""
    return {name: Action(name, asks) for name, asks in _table()["asks"].items()}


@cache
def source() -> str:
    """Where the list is from."""
    return str(_table()["source"])


def _table() -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = tomllib.loads(
        (files("mezzotint.governance.evidence") / "actions.toml").read_text("utf-8")
    )
    return found
