"""Files that are whole or absent: a write goes to a hidden file in the same folder, is synced, then takes its name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from mezzotint.errors import InputError, StorageError, UsageError

CHUNK_BYTES = 1 << 20

_ADVICE = {
    errno.ENOSPC: ("no space left on the disk", "free some space or choose another folder"),
    errno.EDQUOT: ("your disk quota is used up", "free some space or choose another folder"),
    errno.EACCES: ("permission denied", "choose a folder that you may write to"),
    errno.EPERM: ("permission denied", "choose a folder that you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a folder that you may write to"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another folder"),
    errno.EISDIR: ("it is a folder", "choose another name"),
    errno.EEXIST: ("it exists already", "nothing is ever overwritten; choose another name"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.EFBIG: ("the file would be larger than the limit", "raise the limit (ulimit -f) or choose another folder"),
}


def user_path(said: str | Path) -> Path:
    """As a user gives it: a first ~ is the user's home, and ~name that of another.

    Raises UsageError where there is no such user: such a name is a slip far more often than a file's.
    """
    try:
        return Path(said).expanduser()
    except RuntimeError as error:
        who, _, _ = str(said).partition(os.sep)
        raise UsageError(f"{said}: no home is known of {who}; for a file of that name give its whole path") from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """The one line for a failed write: what, why, what to do."""
    reason, advice = _ADVICE.get(error.errno or 0, (error.strerror or str(error), "choose another folder"))
    return StorageError(f"cannot write {path}: {reason}; {advice}")


def make_folder(folder: Path) -> Path:
    """Creates a folder and its parents.  Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable; file systems that cannot sync a folder are left as they are."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_new_name(temporary: Path, path: Path) -> None:
    """Gives the temporary file its name unless that exists: a hard link is atomic and never replaces."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)
        return
    temporary.unlink()


@contextmanager
def atomic_writer(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """A binary file for streaming that appears under ``path`` when the block ends well, and never in part.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is as it was.
    Args: replace: whether an existing file gives way.
    Raises: StorageError (unwritable, full, or it exists and must not be replaced).
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        make_folder(path.parent)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path) if replace else _take_new_name(temporary, path)
            _sync_folder(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def sweep(folder: Path, age: float = 3600.0) -> None:
    """Removes what killed processes left half written here and one folder down: hidden ``.part`` files older than
    ``age`` seconds, so that a write of another process is not disturbed.
    """
    for left in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):
        if left.parent != folder and left.parent.is_symlink():  # what it leads to is not ours to clear
            continue
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > age:
                left.unlink()


def write_atomic(path: Path, data: bytes | str, *, replace: bool = True) -> Path:
    """Writes a whole file (text as UTF-8) atomically and durably; see ``atomic_writer``.   Returns: path."""
    with atomic_writer(path, replace=replace) as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path


def write_once(path: Path, data: bytes) -> Path:
    """Writes a file unless it is there with the same bytes.  Raises StorageError where it is there with others."""
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return path
    return write_atomic(path, data, replace=False)


def canonical_json(value: Any) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces, UTF-8; NaN is a ValueError.  For hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def pretty_json(value: Any) -> str:
    """JSON for people and diffs: two spaces, keys in the order given, a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_bytes(path: Path, limit: int) -> bytes:
    """A whole small file.  Raises InputError when it cannot be read or is larger than ``limit`` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected a readable file") from error
    if len(data) > limit:
        raise InputError(f"{path} is larger than {limit} bytes; it is not what it should be")
    return data


def sha256(data: bytes | Iterable[bytes]) -> str:
    """SHA-256 in hexadecimal of bytes, or of a stream of them."""
    digest = hashlib.sha256()
    for part in (data,) if isinstance(data, bytes) else data:
        digest.update(part)
    return digest.hexdigest()


def sha256_file(path: Path, start: int = 0) -> str:
    """SHA-256 in hexadecimal of a file from a byte on, read once in pieces.  Raises InputError when it cannot be
    read."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; expected a readable file") from error
