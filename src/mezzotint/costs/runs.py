"""What a training run used, in its ``run.json``: all of its parts, those that were resumed included."""

from __future__ import annotations

import json
from pathlib import Path

from mezzotint.costs.meter import Used, cost_of, used_in
from mezzotint.costs.prices import Prices
from mezzotint.files import pretty_json, write_atomic

NAME = "run.json"
NOTHING = Used(0, 0, 0, 0)


def noted(folder: Path) -> Used:
    """What a run's folder says was used so far; nothing where it says nothing, or not soundly."""
    try:
        return used_in(json.loads((folder / NAME).read_bytes())["cost"])
    except (OSError, KeyError, TypeError, ValueError):
        return NOTHING


def note(folder: Path, used: Used, prices: Prices) -> None:
    """Writes what was used in all.   Raises StorageError."""
    path = folder / NAME
    write_atomic(path, pretty_json({**json.loads(path.read_bytes()), "cost": cost_of(used, prices)}))
