"""Which code made a picture: one hash of this package's own source files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mezzotint.files import canonical_json, sha256


@cache
def code_sha256() -> str:
    """SHA-256 of the canonical JSON of {path in the package: SHA-256} of every source file."""
    root = Path(__file__).parents[2]
    return sha256(canonical_json({str(p.relative_to(root)): sha256(p.read_bytes()) for p in root.rglob("*.py")}))
