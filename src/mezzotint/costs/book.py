"""The book of what was spent: one SQLite file under the home, or a PostgreSQL that machines share; money is reserved
before it is spent, and settled after.

What all processes together have reserved and spent never passes a cap: a reservation is decided alone, in one
transaction.  A process that is gone without settling keeps what it had noted as spent; the rest of its reservation
returns: at once where it ran on this machine (no process of its number that began when it did), on others an hour after
its last note.  One that was only silent, and goes on, has lost what it had reserved, and is counted again.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from mezzotint.config import home, section
from mezzotint.costs.caps import Caps
from mezzotint.costs.shared import SCHEMES, Shared, shared
from mezzotint.errors import BudgetError, StorageError, UsageError
from mezzotint.files import make_folder
from mezzotint.governance.licence.money import Money

NAME, WAIT_SECONDS, SILENT_SECONDS = "costs.sqlite", 60.0, 3600.0
UNIT = Decimal(1_000_000)
"""Money is kept in millionths."""

TABLE = """CREATE TABLE IF NOT EXISTS spending (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, month TEXT NOT NULL, project TEXT NOT NULL, command TEXT NOT NULL,
  currency TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, born REAL NOT NULL, seen REAL NOT NULL,
  reserved INTEGER NOT NULL, spent INTEGER NOT NULL, pictures INTEGER NOT NULL, open INTEGER NOT NULL,
  run TEXT NOT NULL DEFAULT '') STRICT"""
RUNS = "ALTER TABLE spending ADD COLUMN run TEXT NOT NULL DEFAULT ''"
"""For books that were begun before lines had a run."""

NUMBER = "CREATE TABLE IF NOT EXISTS book (id TEXT NOT NULL) STRICT"
LEFT = "CASE WHEN open = 1 AND reserved > spent THEN reserved - spent ELSE 0 END"
HELD = f"SELECT coalesce(sum(spent + {LEFT}), 0) FROM spending"


def place() -> Path:
    """The file."""
    return home() / NAME


def address() -> str | None:
    """Of a book that is shared, as ``book`` in ``[cost]`` says; None is the file.

    Raises UsageError for one that is no PostgreSQL.
    """
    said = section("cost").get("book")
    if said is None:
        return None
    value, where = said
    if not isinstance(value, str) or not value.startswith(SCHEMES):
        raise UsageError(f"{where}: book is {value!r}; expected postgresql://USER@HOST/NAME")
    return value


def is_begun() -> bool:
    """Whether there is one to look at."""
    return address() is not None or place().is_file()


def units(amount: Money) -> int:
    """Millionths, rounded up."""
    return int((amount.amount * UNIT).to_integral_value(ROUND_CEILING))


def money(count: int, currency: str) -> Money:
    """The inverse."""
    return Money(Decimal(count) / UNIT, currency)


@dataclass(frozen=True)
class Line:
    """Of a project in a month: spent, by how many pictures, and what is still reserved."""

    month: str
    project: str
    spent: Money
    reserved: Money
    pictures: int


@dataclass(frozen=True)
class Book:
    """One that is open."""

    connection: sqlite3.Connection | Shared

    @property
    def id(self) -> str:
        """Of this book, whatever its file is called: a cap that is counted in one does not hold in another."""
        return str(self.connection.execute("SELECT id FROM book").fetchone()[0])

    def begin(self, command: str, caps: Caps, currency: str, run: str = "") -> int:
        """A new line for this process, nothing reserved yet.   run: that it is part of.   Returns: its number."""
        now = datetime.now(UTC)
        row = (f"{now:%Y-%m-%dT%H:%M:%SZ}", f"{now:%Y-%m}", caps.project, command, currency, run)
        with _alone(self.connection):
            made = self.connection.execute(
                "INSERT INTO spending (at, month, project, command, currency, run, host, pid, born, seen, reserved,"
                " spent, pictures, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 1) RETURNING id",
                (*row, socket.gethostname(), os.getpid(), _born(os.getpid()), time.time()),
            )
            return int(made.fetchone()[0])

    def reserve(self, number: int, wanted: int, spent: int, pictures: int, caps: Caps, least: int = 0) -> int:
        """Reserves up to ``wanted`` in all for a line, and notes what it has spent.   least: nothing more is reserved
        where a cap does not leave so much.

        Returns: what is reserved now: less than wanted where a cap leaves no more, also less than before where others
        took the line for lost, and what it had reserved went to them.
        """
        with _alone(self.connection):
            self._return_lost()
            left = [cap - held for cap, held in self._held(number, caps).values()]
            granted = min([wanted, *left])
            granted = 0 if granted < least else max(granted, 0)
            self.connection.execute(
                "UPDATE spending SET reserved = CASE WHEN open = 1 AND reserved > ? THEN reserved ELSE ? END, open = 1,"
                " spent = ?, pictures = ?, seen = ? WHERE id = ?",
                (granted, granted, spent, pictures, time.time(), number),
            )
            return int(self.connection.execute("SELECT reserved FROM spending WHERE id = ?", (number,)).fetchone()[0])

    def keep(self, number: int, spent: int, pictures: int) -> None:
        """Notes what a line has spent, and returns what it had reserved beyond; the line goes on."""
        with _alone(self.connection):
            self.connection.execute(
                "UPDATE spending SET reserved = ?, open = 1, spent = ?, pictures = ?, seen = ? WHERE id = ?",
                (spent, spent, pictures, time.time(), number),
            )

    def of_run(self, run: str, currency: str) -> Line:
        """What all lines of a run have spent and reserved, whenever that was."""
        with _alone(self.connection):
            self._return_lost()
            spent, kept, pictures = self.connection.execute(
                f"SELECT coalesce(sum(spent), 0), coalesce(sum({LEFT}), 0), coalesce(sum(pictures), 0) FROM spending"
                " WHERE run = ? AND currency = ?",
                (run, currency),
            ).fetchone()
        return Line("", "", money(int(spent), currency), money(int(kept), currency), int(pictures))

    def settle(self, number: int, spent: int, pictures: int) -> None:
        """Ends a line: what was spent stays, the rest of what it had reserved returns."""
        with _alone(self.connection):
            self.connection.execute(
                "UPDATE spending SET open = 0, spent = ?, pictures = ? WHERE id = ?", (spent, pictures, number)
            )

    def _held(self, number: int, caps: Caps) -> Mapping[str, tuple[int, int]]:
        """Of each cap: (the cap, what all others hold of it)."""
        month, currency, run = self.connection.execute(
            "SELECT month, currency, run FROM spending WHERE id = ?", (number,)
        ).fetchone()
        found = {}
        if caps.command is not None:
            found["command"] = (units(caps.command), 0)
        if caps.run is not None:
            others = (f"{HELD} WHERE id != ? AND currency = ? AND run = ?", (number, currency, run))
            found["run"] = (units(caps.run), self._sum(*others))
        if caps.of_project is not None:
            others = (f"{HELD} WHERE id != ? AND currency = ? AND project = ?", (number, currency, caps.project))
            found["project"] = (units(caps.of_project), self._sum(*others))
        if caps.month is not None:
            others = (f"{HELD} WHERE id != ? AND currency = ? AND month = ?", (number, currency, month))
            found["month"] = (units(caps.month), self._sum(*others))
        return found

    def _sum(self, query: str, values: tuple[object, ...]) -> int:
        return int(self.connection.execute(query, values).fetchone()[0])

    def refusal(self, number: int, caps: Caps) -> BudgetError:
        """Which cap leaves nothing."""
        currency = self.connection.execute("SELECT currency FROM spending WHERE id = ?", (number,)).fetchone()[0]
        name, (cap, held) = min(self._held(number, caps).items(), key=lambda one: one[1][0] - one[1][1])
        of = {"command": "a command", "run": "this run", "project": f"project {caps.project}", "month": "this month"}
        raised = "--budget" if name == "run" else f"cap_{name} in [cost] of mezzotint.toml"
        return BudgetError(
            f"the cap of {of[name]}, {money(cap, currency)}, leaves no more: {money(held, currency)} are spent or"
            f" reserved by others; `mezzotint cost` shows it, {raised} raises it"
        )

    def _return_lost(self) -> None:
        """Ends the lines of processes that are gone."""
        rows = self.connection.execute("SELECT id, host, pid, born, seen FROM spending WHERE open = 1").fetchall()
        gone = [(row[0],) for row in rows if _gone(*row[1:])]
        self.connection.executemany("UPDATE spending SET open = 0 WHERE id = ?", gone)

    def lines(self) -> list[Line]:
        """Everything, by month and project, the latest first."""
        with _alone(self.connection):
            self._return_lost()
        rows = self.connection.execute(
            f"SELECT month, project, currency, sum(spent), sum({LEFT}),"
            " sum(pictures) FROM spending GROUP BY month, project, currency ORDER BY month DESC, project"
        )
        return [Line(m, p, money(int(spent), c), money(int(kept), c), int(n)) for m, p, c, spent, kept, n in rows]


def per_picture(lines: list[Line]) -> Money | None:
    """What a picture came to, over all lines of the currency that was used last; None where none was made."""
    made = [line for line in lines if line.pictures]
    same = [line for line in made if line.spent.currency == made[0].spent.currency]
    if not same:
        return None
    total = sum((line.spent.amount for line in same), Decimal(0))
    return Money((total / sum(line.pictures for line in same)).quantize(1 / UNIT), same[0].spent.currency)


def _gone(host: str, pid: int, born: float, seen: float) -> bool:
    if host != socket.gethostname():
        return time.time() - seen > SILENT_SECONDS
    return abs(_born(pid) - born) > 1


def _born(pid: int) -> float:
    """When a process began, -1 where there is none."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return -1.0


def _begun(connection: sqlite3.Connection | Shared) -> None:
    """The tables, made where they are not there, or not as they are now."""
    if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'book'").fetchone()[0]:
        return
    with _alone(connection):
        connection.execute(TABLE)
        if isinstance(connection, sqlite3.Connection) and not _has_runs(connection):
            connection.execute(RUNS)
        connection.execute(NUMBER)
        if connection.execute("SELECT count(*) FROM book").fetchone()[0] == 0:
            connection.execute("INSERT INTO book VALUES (?)", (secrets.token_hex(8),))


def _has_runs(connection: sqlite3.Connection) -> bool:
    return "run" in {row[1] for row in connection.execute("PRAGMA table_info(spending)")}


@contextmanager
def opened() -> Iterator[Book]:
    """The book, made where there is none.  Raises StorageError, UsageError."""
    url, file = address(), place()
    if url is not None:
        with shared(url) as there:
            _begun(there)
            yield Book(there)
        return
    make_folder(file.parent)
    try:
        with closing(sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
            with suppress(sqlite3.OperationalError):  # others have it open just now: it is slower, and as sound
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            _begun(connection)
            yield Book(connection)
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"cannot write {file}: {error}; nothing is spent without its entry: mend that, or move the file away"
        ) from error


@contextmanager
def _alone(connection: sqlite3.Connection | Shared) -> Iterator[None]:
    """A transaction that no other process writes in; undone by any exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
