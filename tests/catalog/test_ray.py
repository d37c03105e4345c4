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
from mezzotint.catalog.ledger.runs import steer
from mezzotint.catalog.running import Engine, work_all
from mezzotint.errors import StorageError, UsageError

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


def test_workers_without_a_place_wait_and_the_others_make_it(tmp_path: Path, tiny: Path) -> None:
    """Three workers where there is room for one, and one where there is room for none, until it is cancelled."""
    import ray

    run, where, model = begun(asked(manifest(tmp_path, rows=4), tiny), tmp_path / "out")
    out, said = str(tmp_path / "out"), list[str]()
    ray.shutdown()
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        assert work_all(run, where, model, (out, None), Engine("ray", 3), lambda: None, said.append) == "done"
        assert states(where.db) == ["done"] * 12
        assert len(said) == 1 and said[0].startswith("Ray has room for 1 of 3 workers, each with 1 processor; the oth")
        other, _, _ = begun(asked(manifest(tmp_path, rows=5), tiny), tmp_path / "out")
        cancel = iter([lambda: None, lambda: steer(where.db, other.id, "cancel")])
        watch = lambda: next(cancel, lambda: None)()  # noqa: E731
        assert work_all(other, where, model, (out, None), Engine("ray", 1, gpus=0.5), watch, said.append) == "cancelled"
        assert "room for 0 of 1 workers, each with 1 processor and 0.5 GPUs" in said[1]
    finally:
        ray.shutdown()


def test_what_a_worker_on_ray_raises_is_said_as_it_is(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(manifest(tmp_path, rows=1), tiny), tmp_path / "out")
    (tmp_path / "out" / "assets").write_text("no folder")
    with pytest.raises(StorageError, match=r"^cannot write .*assets"):
        work_all(run, where, model, (str(tmp_path / "out"), None), Engine("ray", 1), lambda: None)
    with pytest.raises(UsageError, match="--gpus 1: this machine has no such GPU; leave it out"):
        import ray

        ray.shutdown()
        work_all(run, where, model, (str(tmp_path / "out"), None), Engine("ray", 1, gpus=1), lambda: None)
