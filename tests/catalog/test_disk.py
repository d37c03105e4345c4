"""A file system of our own that is really full, or really read-only: the run ends with one line, and goes on after.

Mounting takes rights that not every machine gives; where there are none, these are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, receipts, rows, states, worker

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.planning import Asked
from mezzotint.errors import StorageError

pytestmark = pytest.mark.slow


class Disk:
    """In memory, at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mounted(self, *options: str) -> bool:
        words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(self.folder)]
        return subprocess.run(words, capture_output=True).returncode == 0

    def again(self, *options: str) -> None:
        """With other options; what is on it stays."""
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    found = Disk(tmp_path / "disk")
    found.folder.mkdir()
    if os.name != "posix" or os.getuid() != 0 or shutil.which("mount") is None or not found.mounted("size=64m"):
        pytest.skip("nothing can be mounted here")
    yield found
    subprocess.run(["umount", "--lazy", str(found.folder)], check=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def in_a_child(act: Callable[[], None]) -> str:
    """What a forked process ended with: a StorageError's line, or nothing.  Its leases are those of a dead process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            act()
        except StorageError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as said:
        return said.read().decode()


def made(said: Asked, out: Path, ledger: str | None, before: Callable[[], None] = lambda: None) -> str:
    """What a run of it ends with.   before: called once it is planned."""

    def act() -> None:
        run, where, model = begun(said, out, ledger)
        before()
        now = [0.0]

        def pause(seconds: float) -> None:
            now[0] += seconds

        assert worker(run, where, model, wall=lambda: now[0], pause=pause).work() == "done"
        where.db.engine.dispose()
        raise StorageError("none")

    return in_a_child(act)


def goes_on(said: Asked, out: Path, ledger: str | None, whole: Path) -> None:
    assert made(said, out, ledger) == "none"
    _, where, _ = begun(said, out, ledger)
    assert states(where.db) == ["done"] * 12 and len(rows(where.db, t.made)) == 12
    where.db.engine.dispose()
    assert pixels(out) == pixels(whole) and receipts(out) == receipts(whole)
    assert not [p for p in out.rglob(".*") if p.is_file()], "nothing half written is left"


@pytest.mark.parametrize(("beside", "spare"), [(True, 28), (True, 60), (False, 60)], ids=str)
def test_a_disk_that_is_full(tmp_path: Path, tiny: Path, disk: Disk, beside: bool, spare: int) -> None:
    """beside: whether the ledger is on another.   spare: KiB that are left when the run is planned."""
    said, out = asked(manifest(tmp_path), tiny), disk.folder / "out"
    ledger = str(tmp_path / "ledger.sqlite") if beside else None

    def fill() -> None:
        used = int(subprocess.run(["du", "-sk", str(out)], capture_output=True, check=True).stdout.split()[0])
        disk.again(f"size={used + spare}k")

    line = made(said, out, ledger, fill)
    assert "\n" not in line and ("no space left on the disk" in line or "is full" in line)
    disk.again("size=64m")
    made(said, tmp_path / "whole", None)
    goes_on(said, out, ledger, tmp_path / "whole")


def test_a_disk_that_is_read_only(tmp_path: Path, tiny: Path, disk: Disk) -> None:
    said, out, ledger = asked(manifest(tmp_path), tiny), disk.folder / "out", str(tmp_path / "ledger.sqlite")
    line = made(said, out, ledger, lambda: disk.again("ro"))
    assert "\n" not in line and "the file system is read-only; choose a folder that you may write to" in line
    assert "read-only" in made(said, disk.folder / "new", None), "and where nothing has begun"
    disk.again("rw")
    made(said, tmp_path / "whole", None)
    goes_on(said, out, ledger, tmp_path / "whole")
