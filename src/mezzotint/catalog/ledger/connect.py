"""Connections: SQLite with its write-ahead log, PostgreSQL by URL; what is passing is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mezzotint.errors import LedgerError, StorageError, UsageError
from mezzotint.files import make_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
WAIT_SECONDS, FIRST_SECONDS, PAUSE_SECONDS = 60.0, 5.0, 0.2
"""For how long a database that is gone is asked again, and one that was never there; how long is waited between."""

READS = "reads"


@dataclass(frozen=True)
class Database:
    """One that is open.   name: for messages, without a password.   wait: for it where it is gone, in seconds."""

    engine: Engine
    name: str
    wait: float = WAIT_SECONDS

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One state of it, whatever others write meanwhile."""
        with self.engine.connect().execution_options(**{READS: True}) as connection, connection.begin():
            yield connection

    def write(self, change: Callable[[Connection], T]) -> T:
        """A transaction that no other process writes in between, or nothing at all.

        ``change`` may run again where the connection was lost, so it must find out by itself whether it was done.
        Raises StorageError (full, read-only, gone for a minute).
        """
        return self._tried(lambda: self._change(change))

    def read(self, look: Callable[[Connection], T]) -> T:
        """The same for looking."""

        def once() -> T:
            with self.reading() as connection:
                return look(connection)

        return self._tried(once)

    def _change(self, change: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return change(connection)

    def _tried(self, act: Callable[[], T]) -> T:
        from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, OperationalError

        until = time.monotonic() + self.wait
        while True:
            try:
                return act()
            except (OperationalError, InterfaceError) as error:
                if not self._passing(error) or time.monotonic() > until:
                    raise self._said(error) from error
                time.sleep(PAUSE_SECONDS)
            except IntegrityError:
                raise
            except DatabaseError as error:
                raise LedgerError(f"{self.name} is no sound ledger of catalogs ({error.orig}); name another") from error

    def _passing(self, error: Any) -> bool:
        """Whether it may be better in a moment: another writer, a server that starts again."""
        text = str(error.orig).lower()
        if self.engine.dialect.name == "sqlite":
            return "locked" in text or "busy" in text
        return bool(error.connection_invalidated) or any(
            word in text for word in ("connect", "closed", "starting up", "terminat", "deadlock", "serializ")
        )

    def _said(self, error: Any) -> StorageError:
        reason = str(error.orig).strip().splitlines()[0]
        return StorageError(f"cannot use the ledger {self.name}: {reason}; free or mend it, or name another (--ledger)")


def connected(place: str | Path) -> Database:
    """A file, made where there is none, or the URL of a database.

    Raises UsageError (SQLAlchemy is not installed, a wrong URL), StorageError, LedgerError (no ledger, or of another
    version).
    """
    try:
        import sqlalchemy
    except ImportError as error:
        raise UsageError("catalogs keep their ledger by SQLAlchemy; pip install 'mezzotint[catalog]'") from error
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        found = _sqlite(Path(place)) if "://" not in str(place) else _by_url(str(place))
    except (ArgumentError, NoSuchModuleError, sqlalchemy.exc.InvalidRequestError, ImportError) as error:
        raise UsageError(f"--ledger {place}: {error}; expected a file, or postgresql://USER@HOST/NAME") from error
    from mezzotint.catalog.ledger.tables import meta

    first = found if found.engine.dialect.name == "sqlite" else replace(found, wait=FIRST_SECONDS)
    first.write(meta.create_all)
    _of_this_version(found)
    return found


def _of_this_version(db: Database) -> None:
    """Raises LedgerError where a table has other columns than those of this version: what other versions count in them
    is not known here, and what they made is found again without them."""
    from sqlalchemy import inspect

    from mezzotint.catalog.ledger.tables import meta

    there = db.read(lambda c: {name: {one["name"] for one in inspect(c).get_columns(name)} for name in meta.tables})
    for name, table in meta.tables.items():
        if other := there[name] ^ set(table.columns.keys()):
            named = ", ".join(sorted(other))
            raise LedgerError(
                f"{db.name} is a ledger of another version of mezzotint (table {name}: {named}); move it away, or name"
                " another (--ledger), and run the manifest again: pictures that are in its folder are found there and"
                " not made twice"
            )


def _by_url(url: str) -> Database:
    from sqlalchemy import create_engine, make_url

    said = make_url(url)
    if said.drivername == "postgresql":
        said = said.set(drivername="postgresql+psycopg")
    if said.get_backend_name() == "sqlite":
        return _sqlite(Path(said.database or ""))
    engine = create_engine(said, isolation_level="READ COMMITTED")
    return Database(engine, said.render_as_string(hide_password=True))


def _sqlite(path: Path) -> Database:
    from sqlalchemy import create_engine, event

    make_folder(path.parent)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return Database(engine, str(path))
