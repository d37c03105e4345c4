"""Where outputs go: a folder of this machine, or any address of fsspec.  A file is whole or not there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mezzotint.catalog.manifest.table import is_remote
from mezzotint.errors import StorageError, UsageError
from mezzotint.files import make_folder, user_path, write_atomic


class Store(Protocol):
    """Names have slashes between their parts.   address: for people."""

    @property
    def address(self) -> str: ...
    def put(self, name: str, data: bytes) -> None:
        """Raises StorageError."""

    def get(self, name: str) -> bytes | None:
        """None where there is no such file.  Raises StorageError."""

    def drop(self, name: str) -> None:
        """Takes a file away, where there is one.  Raises StorageError."""


@dataclass(frozen=True)
class Folder:
    """On this machine; files are synced before they take their names."""

    path: Path

    @property
    def address(self) -> str:
        return str(self.path)

    def put(self, name: str, data: bytes) -> None:
        write_atomic(self.path / name, data)

    def get(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"cannot read {self.path / name}: {error.strerror}; make it readable") from error

    def drop(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot remove {self.path / name}: {error.strerror}; make it writable") from error


@dataclass(frozen=True)
class Remote:
    """At an address of fsspec.   system: its file system.   An object appears when all of it has been sent."""

    address: str
    system: Any
    root: str

    def put(self, name: str, data: bytes) -> None:
        try:
            self.system.pipe_file(f"{self.root}/{name}", data)
        except Exception as error:  # whatever a file system raises
            raise StorageError(
                f"cannot write {self.address}/{name}: {error}; make it writable, or name another"
            ) from error

    def get(self, name: str) -> bytes | None:
        try:
            data: bytes = self.system.cat_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StorageError(f"cannot read {self.address}/{name}: {error}; make it readable") from error
        return data

    def drop(self, name: str) -> None:
        try:
            self.system.rm_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageError(f"cannot remove {self.address}/{name}: {error}; make it writable") from error


def open_store(address: str) -> Store:
    """Raises UsageError (no such protocol, fsspec is not installed), StorageError (it cannot be written)."""
    if not is_remote(address):
        return Folder(make_folder(user_path(address)))
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UsageError(f"{address}: {error}; pip install 'mezzotint[catalog]', or what the address needs") from error
    except ValueError as error:
        raise UsageError(f"{address}: {error}; expected a folder, or an address of fsspec") from error
    return Remote(address.rstrip("/"), system, root.rstrip("/"))
