"""The ledger: an append-only table in one SQLite file, chained by hashes; any number of processes write it.

An entry is durable before the picture that it is of has its name, so that no picture is without one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from mezzotint.config import home
from mezzotint.errors import InputError, LedgerError, StorageError
from mezzotint.files import make_folder, user_path
from mezzotint.governance.provenance.chain import FIRST, Entry, Fault, Head, Record, after, fault_of

OFF, NAME = "off", "ledger.sqlite"
VERSION, WAIT_SECONDS = 1, 60.0
COLUMNS = tuple(field.name for field in fields(Record))
TABLES = f"""
CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, {", ".join(f"{name} TEXT NOT NULL" for name in COLUMNS)},
  before TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash TEXT NOT NULL)
  STRICT;
CREATE INDEX IF NOT EXISTS entry_file ON entry (file_sha256);
CREATE INDEX IF NOT EXISTS entry_pixels ON entry (pixels_sha256);
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_remains BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append-only'); END;
INSERT OR IGNORE INTO head VALUES (1, 0, '{FIRST}');
PRAGMA user_version = {VERSION};
"""
SELECT = f"SELECT number, {', '.join(COLUMNS)}, before, hash FROM entry"
INSERT = f"INSERT INTO entry VALUES ({', '.join('?' * (len(COLUMNS) + 3))})"


@dataclass(frozen=True)
class Checked:
    """What ``check`` found.   head: as the ledger notes it.   fault: the first; None where it is whole.   receipts:
    SHA-256 of the receipts' files that entries are of."""

    path: Path
    head: Head
    fault: Fault | None
    receipts: frozenset[str]


def place(setting: str | None) -> Path | None:
    """The file of the setting ``ledger``: None for ``off``, under the home where it is unset."""
    if setting == OFF:
        return None
    return home() / NAME if setting is None else user_path(setting)


@dataclass(frozen=True)
class Ledger:
    """One that is open for writing."""

    path: Path
    connection: sqlite3.Connection

    def append(self, record: Record) -> Entry:
        """Adds a record, durably, behind all that other processes added; one that says the same is left alone.

        Raises StorageError (full, read-only), LedgerError where the end of the chain is not sound: nothing is added.
        """
        with _plainly(self.path), self._alone():
            same = _one(self.connection, f"{SELECT} WHERE file_sha256 = ? AND receipt_sha256 = ?", *_key(record))
            if same is not None:
                return same
            entry = after(self._end(), record)
            self.connection.execute(INSERT, (entry.number, *astuple(record), entry.before, entry.hash))
            self.connection.execute("UPDATE head SET number = ?, hash = ?", (entry.number, entry.hash))
            return entry

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction that no other process writes in; undone by any exception."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.rollback()
            raise

    def _end(self) -> Head:
        """Where the next entry goes."""
        head = _head(self.connection)
        last = _one(self.connection, f"{SELECT} ORDER BY number DESC LIMIT 1")
        sound = head.number == 0 if last is None else last.sound and last.head == head
        if not sound:
            raise LedgerError(
                f"the ledger {self.path} was changed at its end; `mezzotint ledger check` names the entry"
            )
        return head


def _key(record: Record) -> tuple[str, str]:
    return record.file_sha256, record.receipt_sha256


@contextmanager
def writing(path: Path) -> Iterator[Ledger]:
    """A ledger, made where there is none.  Raises StorageError, LedgerError (the file is something else)."""
    make_folder(path.parent)
    with _plainly(path):
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    with closing(connection):
        with _plainly(path):
            _prepare(connection, path)
        yield Ledger(path, connection)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if _version(connection, path) == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """0 for an empty file.  Raises LedgerError for another program's database or a younger ledger."""
    # One statement sees one state: another process may be making the tables.
    version, said = connection.execute(
        "SELECT user_version, (SELECT group_concat(name) FROM sqlite_master WHERE type = 'table')"
        " FROM pragma_user_version"
    ).fetchone()
    tables = set(str(said or "").split(",")) - {""}
    if (version == 0 and tables) or (version and not {"entry", "head"} <= tables) or version > VERSION:
        raise LedgerError(f"{path} is not a ledger of this version; expected one, or a name that is free")
    return int(version)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """SQLite's write-ahead log: a kill inside a write leaves the entry whole or absent.

    The change of mode does not wait for others as other statements do.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"cannot write the ledger {path}: {error}; nothing is made without its entry, so mend that, name another"
            " file (setting ledger), or say ledger = off"
        ) from error
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a sound ledger ({error}); expected one, or a name that is free") from error


def _entry(row: tuple[object, ...]) -> Entry:
    """Raises LedgerError for one without a number."""
    number, *said, before, own = row
    if not isinstance(number, int):  # as in a head
        raise LedgerError(f"the ledger was changed: an entry has the number {str(number)[:40]!r}; use an intact copy")
    return Entry(number, Record(*map(str, said)), str(before), str(own))


def _one(connection: sqlite3.Connection, query: str, *values: str) -> Entry | None:
    row = connection.execute(query, values).fetchone()
    return None if row is None else _entry(row)


def _head(connection: sqlite3.Connection) -> Head:
    """Raises LedgerError where there is none, or it is no number and hash."""
    row = connection.execute("SELECT number, hash FROM head").fetchone()
    if row is None:
        raise LedgerError("the ledger does not note its end; `mezzotint ledger check` says what is left of it")
    if not isinstance(row[0], int):  # only a table that was made anew, without its types, can hold another
        raise LedgerError(f"the ledger was changed: it notes {str(row[0])[:40]!r} as its end; use an intact copy")
    return Head(row[0], str(row[1]))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """For reading alone.  Raises InputError (no file), LedgerError (another file, or damaged)."""
    if not path.is_file():
        raise InputError(f"no ledger {path}; expected one (setting ledger, or --ledger)")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_SECONDS)
        with closing(connection):
            _version(connection, path)
            yield connection
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} cannot be read as a ledger: {error}; expected an intact one") from error


def check(path: Path, known: Head | None = None) -> Checked:
    """Walks the whole chain.   known: the end as it was noted elsewhere, earlier.

    Raises InputError (no file), LedgerError (no ledger, or its pages are damaged).
    """
    with _reading(path) as connection:
        connection.execute("BEGIN")  # one state of it, whatever others write meanwhile
        damage = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if damage != "ok":
            raise LedgerError(f"{path} is damaged: {damage}; use an intact copy")
        entries = [_entry(row) for row in connection.execute(f"{SELECT} ORDER BY number")]
        head = _head(connection)
    receipts = frozenset(entry.record.receipt_sha256 for entry in entries)
    return Checked(path, head, fault_of(entries, head, known), receipts)


def find(path: Path, file_sha256: str, pixels_sha256: str) -> Entry | None:
    """The entry of a file, else the last of a picture of the same pixels; None where there is none.   Raises as
    ``check``."""
    with _reading(path) as connection:
        found = _one(connection, f"{SELECT} WHERE file_sha256 = ? ORDER BY number DESC LIMIT 1", file_sha256)
        same = f"{SELECT} WHERE pixels_sha256 = ? ORDER BY number DESC LIMIT 1"
        return found or _one(connection, same, pixels_sha256)


def find_named(path: Path, name: str) -> list[Entry]:
    """The entries of the assets whose id begins with a mark's name (hexadecimal digits), one an asset.   Raises as
    ``check``."""
    query = f"{SELECT} WHERE asset_id BETWEEN ? AND ? GROUP BY asset_id ORDER BY number"
    with _reading(path) as connection:
        return [_entry(row) for row in connection.execute(query, (name, f"{name}g"))]
