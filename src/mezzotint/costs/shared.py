"""The book in PostgreSQL, for machines that spend from one: asked in the words in which the file is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mezzotint.errors import StorageError, UsageError

SCHEMES = ("postgresql://", "postgres://")
ALONE = "BEGIN; SELECT pg_advisory_xact_lock(6207913)"
"""One transaction at a time, of all machines, also before there is a table."""

SAID = {
    "BEGIN IMMEDIATE": ALONE,
    "SELECT count(*) FROM sqlite_master WHERE name = 'book'": "SELECT count(*) FROM pg_tables WHERE tablename = 'book'",
}
KINDS = {
    "INTEGER PRIMARY KEY": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    " INTEGER": " BIGINT",
    " REAL": " DOUBLE PRECISION",
    " STRICT": "",
}


@dataclass(frozen=True)
class Shared:
    """A connection of psycopg, as one of sqlite3."""

    real: Any

    def execute(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The cursor.   Raises what psycopg does."""
        said = SAID.get(sql, sql)
        if said.startswith("CREATE"):
            for word, own in KINDS.items():
                said = said.replace(word, own)
        return self.real.execute(said.replace("?", "%s"), tuple(values) or None)

    def executemany(self, sql: str, several: Sequence[Sequence[object]]) -> None:
        """Each of several."""
        for values in several:
            self.execute(sql, values)

    def rollback(self) -> None:
        """Undoes what was not committed."""
        self.real.execute("ROLLBACK")


@contextmanager
def shared(url: str) -> Iterator[Shared]:
    """The book at an address.   Raises UsageError (psycopg is not installed), StorageError."""
    try:
        import psycopg
    except ImportError as error:
        raise UsageError(f"the book at {_name(url)} needs psycopg; pip install 'mezzotint[catalog]'") from error
    try:
        with psycopg.connect(url, autocommit=True) as real:
            yield Shared(real)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StorageError(f"cannot use the book at {_name(url)}: {reason}; nothing is spent without it") from error


def _name(url: str) -> str:
    """For messages, without a password."""
    return url.partition("://")[2].rpartition("@")[2]
