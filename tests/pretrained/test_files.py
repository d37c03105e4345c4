"""Files are whole or absent, also when the disk is full, the process dies, or the name is taken."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mezzotint.errors import InputError, StorageError
from mezzotint.files import atomic_writer, canonical_json, read_bytes, sha256, sha256_file, sweep, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_write_and_hash(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "a" / "b.txt", "Größe")
    assert path.read_text(encoding="utf-8") == "Größe"
    assert names(path.parent) == ["b.txt"]
    assert sha256_file(path) == sha256(path.read_bytes()) == sha256([b"Gr", "öße".encode()])


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_block_leaves_nothing(error: type[BaseException], tmp_path: Path) -> None:
    write_atomic(tmp_path / "f", "old")
    with pytest.raises(error), atomic_writer(tmp_path / "f") as file:
        file.write(b"half")
        raise error
    assert names(tmp_path) == ["f"] and (tmp_path / "f").read_text() == "old"


def test_never_replaces_when_told_not_to(tmp_path: Path) -> None:
    write_atomic(tmp_path / "f", "first", replace=False)
    with pytest.raises(StorageError, match="exists already"):
        write_atomic(tmp_path / "f", "second", replace=False)
    assert names(tmp_path) == ["f"] and (tmp_path / "f").read_text() == "first"


def test_only_one_of_many_writers_wins(tmp_path: Path) -> None:
    won: list[int] = []

    def write(i: int) -> None:
        try:
            write_atomic(tmp_path / "f", str(i), replace=False)
            won.append(i)
        except StorageError:
            pass

    threads = [threading.Thread(target=write, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(won) == 1 and (tmp_path / "f").read_text() == str(won[0])


def test_unwritable_places_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, why in (
        (tmp_path / "file" / "x", "a file, not a folder|exists already"),
        (Path("/proc/nothing/x"), "cannot write"),
        (Path("/dev/full/x"), "cannot write"),
        (tmp_path / ("n" * 300), "too long"),
    ):
        with pytest.raises(StorageError, match=why) as fault:
            write_atomic(path, "x")
        assert "\n" not in str(fault.value)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The kernel refuses to grow files beyond 4 kB in the child, as a full disk does."""
    code = (
        "import sys, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from pathlib import Path\n"
        "from mezzotint.files import write_atomic; from mezzotint.errors import StorageError\n"
        "try: write_atomic(Path(sys.argv[1]), bytes(100_000))\n"
        "except StorageError as e: print(e)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "big")],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert out.stdout.startswith("cannot write") and out.stdout.count("\n") == 1
    assert names(tmp_path) == []


def test_killed_while_writing_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from mezzotint.files import atomic_writer\n"
        "with atomic_writer(Path(sys.argv[1])) as f:\n f.write(b'half'); f.flush()\n"
        " print('.', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "f")], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert "f" not in names(tmp_path)


def test_what_killed_writers_left_goes_when_it_is_old(tmp_path: Path) -> None:
    old, new, mine = (tmp_path / n for n in (".a.png.0a1b2c.part", ".b.png.0a1b2c.part", "notes.part"))
    below = tmp_path / "receipts" / ".c.json.0a1b2c.part"
    below.parent.mkdir()
    for path in (old, new, mine, below):
        path.write_bytes(b"half")
        os.utime(path, (0, 0)) if path != new else None
    sweep(tmp_path)
    assert [p.exists() for p in (old, below, new, mine)] == [False, False, True, True]


def test_canonical_json() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_read_bytes_has_a_limit(tmp_path: Path) -> None:
    write_atomic(tmp_path / "f", bytes(10))
    assert read_bytes(tmp_path / "f", 10) == bytes(10)
    with pytest.raises(InputError, match="larger than 9"):
        read_bytes(tmp_path / "f", 9)
