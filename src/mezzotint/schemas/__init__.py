"""JSON schemas (draft 2020-12) of every document that Mezzotint prints or writes: ``<name>-<version>.json``.

A document says which it follows in its field ``schema``: ``mezzotint/<name>/<version>``.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema(document: str) -> dict[str, Any]:
    """The schema of what a document's field ``schema`` says, such as ``mezzotint/receipt/2``.

    Raises KeyError for any other text.
    """
    known = {f"mezzotint/{'/'.join(p.name.removesuffix('.json').rsplit('-', 1))}": p for p in _files()}
    value: dict[str, Any] = json.loads(known[document].read_text(encoding="utf-8"))
    return value


def _files() -> list[Any]:
    return [p for p in resources.files(__name__).iterdir() if p.name.endswith(".json")]


def documents() -> list[str]:
    """What ``schema`` knows, sorted."""
    return sorted(json.loads(p.read_text(encoding="utf-8"))["$id"] for p in _files())
