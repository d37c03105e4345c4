"""The same plan on a Ray that is begun here: the same pictures, also where an actor dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from catalogs import asked, begun, manifest, pixels, receipts, rows, states, worker

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.running import Engine, work_all

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")


def test_it_makes_what_one_process_makes(tmp_path: Path, tiny: Path) -> None:
    said = asked(manifest(tmp_path, rows=16), tiny)
    here, place, model = begun(said, tmp_path / "here")
    worker(here, place, model).work()
    run, where, model = begun(said, tmp_path / "out")
    killed: list[int] = []

    def kill() -> None:
        """The first holder of a batch, once."""
        while not killed:
            owners = [row["owner"] for row in rows(where.db, t.batch) if row["state"] == "leased"]
            if owners:
                killed.append(int(owners[0].split("|")[1]))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.002)

    hand = threading.Thread(target=kill, daemon=True)
    hand.start()
    out = str(tmp_path / "out")
    assert work_all(run, where, model, (out, None), Engine("ray", 2), lambda: None) == "done"
    assert killed and killed[0] != os.getpid()
    assert states(where.db) == ["done"] * 48 and len(rows(where.db, t.made)) == 48
    assert pixels(tmp_path / "out") == pixels(tmp_path / "here")
    assert receipts(tmp_path / "out") == receipts(tmp_path / "here")
