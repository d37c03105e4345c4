"""The ledger in a real PostgreSQL, started here: the same runs; the server stopped and started in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, rows, states, worker

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.ledger.runs import the_run
from mezzotint.errors import StorageError, UsageError

pytest.importorskip("psycopg")
pytestmark = pytest.mark.skipif(shutil.which("initdb") is None, reason="no PostgreSQL here")


class Server:
    """One of its own: a folder, a socket in it, nobody else's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user is not None:
            shutil.chown(folder, self.user)
        self._do("initdb", "-D", str(folder / "data"), "-U", "mezzotint", "-A", "trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://mezzotint@/postgres?host={self.folder}&port=54329"

    def _do(self, *command: str) -> None:
        program = shutil.which(command[0])
        assert program is not None
        words = [str(Path(program).resolve()), *command[1:]]
        subprocess.run(words, check=True, capture_output=True, user=self.user, cwd="/", timeout=60)

    def start(self) -> None:
        options = f"-k {self.folder} -p 54329 -c listen_addresses='' -c fsync=off"
        log = str(self.folder / "log")
        program = shutil.which("pg_ctl")
        assert program is not None
        words = [str(Path(program).resolve()), "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start"]
        subprocess.run(words, check=True, user=self.user, cwd="/", timeout=60, stdout=subprocess.DEVNULL)

    def stop(self, mode: str) -> None:
        self._do("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def kill_and_start(self) -> None:
        """With -9, and no word to anybody."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while True:  # until its orphans have seen that it is gone
            try:
                self.start()
                break
            except subprocess.CalledProcessError:
                assert time.monotonic() < until
                time.sleep(0.1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """In a folder whose parents anybody may pass: a server does not run as root."""
    with tempfile.TemporaryDirectory(prefix="mezzotint-pg-", ignore_cleanup_errors=True) as folder:
        one = Server(Path(folder))
        yield one
        one.stop("immediate")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))


def test_a_run_is_the_same_as_with_sqlite(tmp_path: Path, tiny: Path, server: Server) -> None:
    said = asked(manifest(tmp_path), tiny)
    run, where, model = begun(said, tmp_path / "there", server.url)
    assert worker(run, where, model).work() == "done"
    here, place, _ = begun(said, tmp_path / "here")
    worker(here, place, model).work()
    assert here.id == run.id and pixels(tmp_path / "here") == pixels(tmp_path / "there")
    assert [r for r in states(where.db) if r == "done"] == ["done"] * 12
    assert {row["id"] for row in rows(where.db, t.made)} == {row["id"] for row in rows(place.db, t.made)}
    assert "mezzotint@" in where.db.name
    where.db.engine.dispose()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_the_server_restarts_in_the_middle(tmp_path: Path, tiny: Path, server: Server, how: str) -> None:
    path = manifest(tmp_path, rows=5)
    run, where, model = begun(asked(path, tiny, seed=len(how)), tmp_path / "out", server.url)
    done: list[int] = []

    def told(batch: int, steps: int) -> None:
        if batch == 1 and not done:
            done.append(batch)
            if how == "killed":
                server.kill_and_start()
            else:
                server.stop("immediate")
                server.start()

    assert worker(run, where, model, told=told).work() == "done"
    mine = [row for row in rows(where.db, t.asset) if row["run"] == run.id]
    assert done and [row["state"] for row in mine] == ["done"] * 15
    where.db.engine.dispose()


def test_two_workers_take_no_batch_twice(tmp_path: Path, tiny: Path, server: Server) -> None:
    import threading

    run, where, model = begun(asked(manifest(tmp_path, rows=7), tiny, seed=2), tmp_path / "out", server.url)
    threads = [threading.Thread(target=lambda: worker(run, where, model).work()) for _ in range(3)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    mine = [row for row in rows(where.db, t.made) if row["run"] == run.id]
    assert len(mine) == 21 and {r["state"] for r in rows(where.db, t.batch) if r["run"] == run.id} == {"done"}
    where.db.engine.dispose()


def test_the_book_too_and_a_budget_holds_over_homes(
    tmp_path: Path, tiny: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes spend one budget from one book, ledger and book in PostgreSQL."""
    from mezzotint.catalog.money import book_here, paid, spent_by
    from mezzotint.costs.book import opened

    monkeypatch.chdir(tmp_path)
    Path("mezzotint.toml").write_text(f'[cost]\nbook = "{server.url}"\n')
    run, where, _ = begun(asked(manifest(tmp_path), tiny, seed=3), tmp_path / "out", server.url)
    values = {"cap": 10_000_000, "book": book_here(), "per_hour": 3_600_000_000, "currency": "USD"}
    where.db.write(lambda c: c.execute(t.run.update().where(t.run.c.id == run.id).values(**values)))
    run = the_run(where.db, run.id)
    with paid(run) as first:
        assert first is not None and first.covers(6.0)
        monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "other"))
        with paid(run) as second:
            assert second is not None and not second.covers(4.5) and second.covers(4.0)
            second.settle(1.0, 2)
        first.note(2.0)
        line = spent_by(run)
        assert (float(line.spent.amount), float(line.reserved.amount), line.pictures) == (3.0, 4.0, 2)
    with opened() as book:
        assert sum(one.pictures for one in book.lines()) == 2 and float(book.lines()[0].reserved.amount) == 0
    Path("mezzotint.toml").write_text('[cost]\nbook = "mysql://x"\n')
    with pytest.raises(UsageError, match="expected postgresql://USER@HOST/NAME"), opened():
        pytest.fail("it opened")
    where.db.engine.dispose()


def test_a_line_that_was_taken_for_lost_is_counted_again(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from decimal import Decimal

    from mezzotint.costs.book import opened
    from mezzotint.costs.caps import Caps
    from mezzotint.governance.licence.money import Money

    monkeypatch.chdir(tmp_path)
    Path("mezzotint.toml").write_text(f'[cost]\nbook = "{server.url}"\n')
    caps = Caps("lost", Money(Decimal(3600), "USD"), None, Money(Decimal(1), "USD"), None)
    with opened() as book:
        first, second, third = (book.begin("generate", caps, "USD") for _ in range(3))
        assert book.reserve(first, 1_000_000, 0, 0, caps) == 1_000_000
        book.connection.execute("UPDATE spending SET host = 'elsewhere', seen = 0 WHERE id = ?", (first,))
        assert book.reserve(second, 850_000, 0, 0, caps) == 850_000
        assert book.reserve(first, 1_000_000, 0, 0, caps) == 150_000, "what it had went to the second"
        assert book.reserve(third, 1_000_000, 0, 0, caps) == 0, "the first is counted again"
        for line in (first, second, third):
            book.settle(line, 0, 0)


def test_what_is_no_database_is_one_line(tmp_path: Path) -> None:
    from mezzotint.catalog.ledger import connect

    with pytest.raises(UsageError, match="expected a file, or postgresql://USER@HOST/NAME"):
        connect.connected("nothing://x")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StorageError, match="cannot use the ledger postgresql"):
        patch.setattr(connect, "FIRST_SECONDS", 0.0)
        connect.connected(f"postgresql://mezzotint@/postgres?host={tmp_path}")
