"""Writes ``index.json`` of the licence records that ship, and prints its hash, which ``licence.library`` has:

python tests/governance/licence_index.py
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from mezzotint.files import pretty_json, sha256_file, write_atomic
from mezzotint.governance.licence.library import INDEX
from mezzotint.governance.licence.record import Record, read_record

FOLDER = Path(str(resources.files("mezzotint.governance.licence.records")))


def records() -> dict[str, Record]:
    """Every record, by its file's name."""
    return {path.name: read_record(path.read_bytes(), path.name) for path in sorted(FOLDER.glob("*.toml"))}


def entries() -> list[dict[str, Any]]:
    """What the index says of them."""
    return [
        {
            "id": one.id,
            "file": name,
            "sha256": one.sha256,
            "aliases": [alias.casefold() for alias in one.aliases],
            "texts": list(one.text_sha256),
        }
        for name, one in records().items()
    ]


if __name__ == "__main__":
    print(f'INDEX_SHA256 = "{sha256_file(write_atomic(FOLDER / INDEX, pretty_json(entries())))}"')
