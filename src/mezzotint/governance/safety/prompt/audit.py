"""What is written down of a refused request: no text, but a keyed hash of it, the codes, and what it was found with.

The key is the installation's own, under its home, so that the hash tells nobody else what was asked, and the same
request is known again.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from mezzotint.config import home
from mezzotint.files import make_folder, storage_error, write_atomic

FOLDER, KEY, LOG = "safety", "audit.key", "audit.jsonl"
KEY_BYTES = 32


class Documented(Protocol):
    """A verdict of either gate."""

    @property
    def document(self) -> dict[str, Any]: ...


def record(verdict: Documented, texts: Sequence[str], key: bytes) -> dict[str, Any]:
    """One line.  hmac: HMAC-SHA256 (RFC 2104) of the texts, each after its length."""
    said = b"".join(len(t).to_bytes(8, "big") + t.encode("utf-8", "surrogatepass") for t in texts)
    return {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "hmac": hmac.new(key, said, sha256).hexdigest(),
        **verdict.document,
    }


def key_of(folder: Path) -> bytes:
    """The key, made where there is none.  Raises StorageError."""
    path = make_folder(folder) / KEY
    if not path.exists():
        write_atomic(path, secrets.token_bytes(KEY_BYTES))
        path.chmod(0o600)
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error(path, error) from error


def write_down(verdict: Documented, texts: Sequence[str]) -> Path:
    """Adds a line to the home's log, whole or not at all.  Raises StorageError."""
    folder = home() / FOLDER
    line = json.dumps(record(verdict, texts, key_of(folder)), sort_keys=True) + "\n"
    path = folder / LOG
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(path, error) from error
    return path
