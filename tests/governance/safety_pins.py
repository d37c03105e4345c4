"""Writes ``pinned.py``, the hashes of the prompt gate's files that ship: python tests/governance/safety_pins.py"""

from __future__ import annotations

from pathlib import Path

import mezzotint
from mezzotint.files import sha256, write_atomic

PROMPT = Path(mezzotint.__file__).parent / "governance" / "safety" / "prompt"
FOLDER = PROMPT / "lexicon_data"


def pins() -> dict[str, str]:
    """SHA-256 of each data file."""
    return {p.name: sha256(p.read_bytes()) for p in sorted(FOLDER.iterdir()) if p.suffix in (".toml", ".safetensors")}


def text() -> str:
    lines = [f'    "{name}": "{digest}",' for name, digest in pins().items()]
    return "\n".join(
        [
            '"""SHA-256 of the gate\'s files, as they ship.  Written by a script of the tests."""',
            "",
            "FILES = {",
            *lines,
            "}",
            "",
        ]
    )


if __name__ == "__main__":
    write_atomic(PROMPT / "pinned.py", text().encode())
