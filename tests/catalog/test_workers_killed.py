"""``catalog run --workers 2`` with processes killed by -9: a worker alone, and the one that began them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from catalogs import manifest, pixels, receipts, rows, states

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.ledger.connect import connected
from mezzotint.catalog.running import LEDGER

pytestmark = pytest.mark.slow
SECONDS = 240.0
HELD = 2 * 2
"""Assets in the batches that two workers hold."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def begin(path: Path, model: Path, out: Path, workers: int) -> subprocess.Popen[bytes]:
    """The command, in batches of two, of so many steps that a worker which begins late still finds most of them."""
    words = ["--model", str(model), "--out", str(out), "--workers", str(workers), "--batch", "2", "--probe", "0"]
    words += ["--steps", "160", "--scale", "1", "--threads", "1", "--quiet"]
    return subprocess.Popen([sys.executable, "-m", "mezzotint", "catalog", "run", str(path), *words])


def ended(process: subprocess.Popen[bytes]) -> int:
    return process.wait(SECONDS)


def holders(out: Path) -> list[int]:
    """Processes that hold a batch now."""
    held = [row for row in rows(connected(out / LEDGER), t.batch) if row["state"] == "leased"]
    return [int(row["owner"].split("|")[1]) for row in held]


def when(true: Callable[[], bool]) -> None:
    """Waits for it."""
    until = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def left(out: Path) -> int:
    return states(connected(out / LEDGER)).count("waiting")


def same(out: Path, whole: Path) -> None:
    db = connected(out / LEDGER)
    assert set(states(db)) == {"done"} and len(rows(db, t.made)) == len(states(db)) == 48
    assert pixels(out) == pixels(whole) and receipts(out) == receipts(whole)


def test_a_run_outlives_its_workers_and_workers_end_with_their_run(tmp_path: Path, tiny: Path) -> None:
    path, whole = manifest(tmp_path, rows=16), tmp_path / "whole"
    assert ended(begin(path, tiny, whole, 1)) == 0
    worker_alone(path, tiny, tmp_path / "worker", whole)
    parent_too(path, tiny, tmp_path / "parent", whole)


def worker_alone(path: Path, tiny: Path, out: Path, whole: Path) -> None:
    """The other one makes what it held."""
    run = begin(path, tiny, out, 2)
    when(lambda: (out / LEDGER).is_file() and (out / "assets").is_dir())
    when(lambda: len(holders(out)) == 2)
    victim = holders(out)[0]
    assert victim != run.pid and left(out) > HELD, "what is left is held: nothing would be shown"
    os.kill(victim, signal.SIGKILL)
    assert ended(run) == 0
    same(out, whole)


def parent_too(path: Path, tiny: Path, out: Path, whole: Path) -> None:
    """Its workers give back what they hold, and end; the same command goes on."""
    run = begin(path, tiny, out, 2)
    when(lambda: (out / LEDGER).is_file() and (out / "assets").is_dir())
    when(lambda: len(holders(out)) == 2)
    workers = [psutil.Process(pid) for pid in holders(out)]
    assert left(out) > HELD, "what is left is held: nothing would be shown"
    run.kill()
    assert ended(run) == -signal.SIGKILL
    psutil.wait_procs(workers, SECONDS)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in workers)
    assert holders(out) == [] and left(out), "they ended before the work did"
    assert ended(begin(path, tiny, out, 2)) == 0
    same(out, whole)
