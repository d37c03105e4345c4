"""Outputs at a server that speaks S3, on loopback; and one that refuses."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, states, worker

from mezzotint.catalog.report.write import write_report
from mezzotint.errors import StorageError

s3fs = pytest.importorskip("s3fs")
pytest.importorskip("moto.server")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    child.kill()
    child.wait()


@pytest.fixture(autouse=True)
def settings(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("ENDPOINT_URL", server)):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_run_into_a_bucket_is_that_into_a_folder(tmp_path: Path, tiny: Path) -> None:
    files = s3fs.S3FileSystem()
    files.mkdir("shop")
    said = asked(manifest(tmp_path), tiny)
    run, where, model = begun(said, "s3://shop/catalog", ledger=str(tmp_path / "l.sqlite"))
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 12
    write_report(where.db, where.store, run)
    here, place, _ = begun(said, tmp_path / "out")
    worker(here, place, model).work()
    names = pixels(tmp_path / "out")
    assert all(files.cat_file(f"shop/catalog/{name}") == (tmp_path / "out" / name).read_bytes() for name in names)
    assert files.exists("shop/catalog/report.html") and files.exists("shop/catalog/catalog.csv")


def test_a_bucket_that_goes_away_in_the_middle_ends_the_run_which_goes_on_after(tmp_path: Path, tiny: Path) -> None:
    files = s3fs.S3FileSystem()
    files.mkdir("gone")
    run, where, model = begun(asked(manifest(tmp_path), tiny), "s3://gone/catalog", ledger=str(tmp_path / "l.sqlite"))
    now, kept = [0.0], dict[str, bytes]()

    def told(batch: int, steps: int) -> None:
        if batch == 1 and not kept:
            kept.update({name: files.cat_file(name) for name in files.find("gone")})
            files.rm("gone", recursive=True)

    clocks = {"wall": lambda: now[0], "pause": lambda seconds: now.__setitem__(0, now[0] + seconds)}
    with pytest.raises(StorageError, match=r"cannot write s3://gone/catalog"):
        worker(run, where, model, told=told, **clocks).work()
    assert states(where.db).count("done") == 4 and states(where.db).count("waiting") == 8
    files.mkdir("gone")
    for name, data in kept.items():
        files.pipe_file(name, data)
    assert worker(run, where, model, **clocks).work() == "done" and states(where.db) == ["done"] * 12
    assert len([name for name in files.find("gone") if name.endswith(".png")]) == 12


def test_a_bucket_that_refuses_ends_the_run_and_loses_nothing(tmp_path: Path, tiny: Path) -> None:
    said = asked(manifest(tmp_path, rows=1), tiny)
    with pytest.raises(StorageError, match=r"cannot write s3://nowhere/catalog"):
        begun(said, "s3://nowhere/catalog", ledger=str(tmp_path / "l.sqlite"))
