"""Which code made a picture: one hash of this package's own source files, and one of each room."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mezzotint.files import canonical_json, sha256

APART = ("diffusion/guidance", "diffusion/solver")
"""Rooms inside a room that have a hash of their own; all others are what lies at the top of the package."""


@cache
def _sources() -> Mapping[str, str]:
    """{path in the package: SHA-256} of every source file."""
    root = Path(__file__).parents[2]
    return {p.relative_to(root).as_posix(): sha256(p.read_bytes()) for p in sorted(root.rglob("*.py"))}


@cache
def code_sha256() -> str:
    """SHA-256 of the canonical JSON of {path in the package: SHA-256} of every source file."""
    return sha256(canonical_json(_sources()))


@cache
def code_rooms() -> Mapping[str, str]:
    """{room: the same of its files alone}, so that a replay can say that the solvers are of another version."""
    rooms: dict[str, dict[str, str]] = {}
    for path, one in _sources().items():
        rooms.setdefault(_room(path), {})[path] = one
    return {room: sha256(canonical_json(files)) for room, files in sorted(rooms.items())}


def _room(path: str) -> str:
    return next((room for room in APART if path.startswith(f"{room}/")), path.split("/")[0])
