"""Keys of invisible marks: 32 random bytes in a file of the home, and those of others that are only looked for."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from mezzotint.config import home
from mezzotint.errors import InputError, ProvenanceError, StorageError
from mezzotint.files import make_folder, read_bytes, sha256, storage_error, user_path
from mezzotint.governance.provenance.signer import declared

NAME, SIZE = "mark.key", 32


def place() -> Path:
    """The file of this home's own key."""
    return home() / NAME


def make() -> Path:
    """Makes this home's key, for its owner alone.   Raises StorageError: there is one, or it cannot be written."""
    if place().exists():
        raise StorageError(f"{place()} is there; nothing is overwritten: marks made with it need it, move it")
    part = make_folder(home()) / f".{NAME}.{secrets.token_hex(6)}.part"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(part, place())
    except OSError as error:
        raise storage_error(place(), error) from error
    finally:
        part.unlink(missing_ok=True)
    return place()


def own() -> bytes | None:
    """This home's key, None where it has none.  Raises ProvenanceError: the file is damaged."""
    return _read(place()) if place().exists() else None


def known() -> list[bytes]:
    """All keys whose marks are looked for: the home's, and those of [provenance] ``marks``.

    Raises ProvenanceError; UsageError, InputError (settings).
    """
    first = own()
    more = [_read(user_path(str(one))) for one in declared().get("marks", [])]
    return list(dict.fromkeys([*([] if first is None else [first]), *more]))


def ident(key: bytes) -> str:
    """What a key is called in receipts: 16 hexadecimal digits that do not tell it."""
    return sha256(b"mezzotint/mark/id/1/" + key)[:16]


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(read_bytes(path, 1024).decode("ascii"))
    except (InputError, ValueError) as error:
        raise ProvenanceError(
            f"{path} is no readable key of marks ({error}); expected 64 hexadecimal digits"
        ) from error
    if len(key) != SIZE:
        raise ProvenanceError(
            f"{path} has {len(key)} bytes; expected a key of {SIZE}, as `mezzotint keys mark` makes it"
        )
    return key
