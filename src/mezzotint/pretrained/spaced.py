"""Optimised grids on disk: ``<home>/solvers/<weights' hash>/grids/<key>.json``, and a reader of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from mezzotint.errors import InputError, ModelError
from mezzotint.files import canonical_json, pretty_json, read_bytes, sha256, write_atomic
from mezzotint.pretrained.sidecar import MAX_BYTES, RECEIPTS, home_of

SCHEMA = "mezzotint/grid/1"


def grid_path(weights_sha256: str, *depends: Any) -> Path:
    """Of a grid that depends on these JSON values."""
    return home_of(weights_sha256) / "grids" / f"{sha256(canonical_json(list(depends)))[:24]}.json"


def write_grid(path: Path, by: str, u: tuple[float, ...]) -> Path:
    """by: the method's name.  u: sigma/(alpha+sigma), N+1 of them.   Raises StorageError."""
    return write_atomic(path, pretty_json({"schema": SCHEMA, "by": by, "u": list(u)}))


def read_grid(path: Path) -> tuple[str, tuple[float, ...]]:
    """(method, u), from such a file or from a receipt's main stage.  Raises InputError, ModelError."""
    try:
        value = json.loads(read_bytes(path, MAX_BYTES))
        if str(value["schema"]).startswith(RECEIPTS):
            value = value["made"]["stages"][value["made"]["main"]]["grid"]
        u = tuple(float(v) for v in value["u"])
        if len(u) < 2 or any(not (0 <= b < a <= 1) for a, b in pairwise(u)):
            raise ValueError("it does not fall from at most 1 to at least 0")
        return str(value["by"]), u
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path} holds no optimised grid ({error}); delete it, or make it again") from error
