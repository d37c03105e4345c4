"""Siblings that came out too alike are replaced, three times at most, the same ones each time."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from catalogs import asked, begun, manifest, rows, states, worker
from PIL import Image as Pillow

from mezzotint.catalog.engine.distinct import features, replace_alike
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.running import make_all


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEZZOTINT_LEDGER", "off")


def told(folder: Path, distinct: float) -> Path:
    path = manifest(folder, rows=2, variants=3)
    path.with_suffix(".toml").write_text(f"[plan]\ndistinct = {distinct}\n")
    return path


def test_where_all_are_alike_each_is_tried_three_times_more(tmp_path: Path, tiny: Path) -> None:
    outs = []
    for name in ("a", "b"):
        run, where, model = begun(asked(told(tmp_path, 2.0), tiny), tmp_path / name)
        assert make_all(run, where, model) == "done" and states(where.db) == ["done"] * 6
        outs.append(sorted((row["number"], row["id"], row["seed"]) for row in rows(where.db, t.asset)))
        assert sorted(row["again"] for row in rows(where.db, t.asset)) == [0, 0, 3, 3, 3, 3]
        there = {str(path.relative_to(tmp_path / name)) for path in (tmp_path / name / "assets").rglob("*.png")}
        assert there == {row["file"] for row in rows(where.db, t.made)} and len(there) == 6, "the replaced are gone"
        assert len(list((tmp_path / name / "receipts").iterdir())) == 6
        review = [json.loads(row["detail"]).get("review", "") for row in rows(where.db, t.asset)]
        assert review == ["", "it is much like #1", "it is much like #1"] * 2
        assert {row["state"] for row in rows(where.db, t.batch)} == {"done"}
    assert outs[0] == outs[1]


def test_where_none_are_nothing_is_replaced(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(told(tmp_path, 1e-9), tiny), tmp_path / "out")
    assert make_all(run, where, model) == "done" and len(rows(where.db, t.made)) == 6


def test_the_one_that_is_like_another_is_the_one_that_goes(tmp_path: Path, tiny: Path) -> None:
    run, where, model = begun(asked(told(tmp_path, 0.5), tiny), tmp_path / "out")
    worker(run, where, model).work()
    before = {row["number"]: row["id"] for row in rows(where.db, t.asset)}
    axes = np.eye(6, dtype=np.float32)
    axes[5] = axes[3]
    order = {row["file"]: axes[k] for k, row in enumerate(_files(where))}
    by_data = {where.store.get(name): axis for name, axis in order.items()}
    assert replace_alike(where.db, run.id, where.store, 0.5, lambda data: by_data[data]) == 1
    after = {row["number"]: row["id"] for row in rows(where.db, t.asset)}
    assert [number for number in before if before[number] != after[number]] == [5]
    assert replace_alike(where.db, run.id, where.store, 0.5, lambda data: by_data[data]) == 0, "it is not there yet"


def _files(where) -> list[dict]:
    made = {row["id"]: row for row in rows(where.db, t.made)}
    return [made[row["id"]] for row in sorted(rows(where.db, t.asset), key=lambda row: row["number"])]


def test_features_tell_pictures_apart() -> None:
    look, generator = features(), np.random.default_rng(0)

    def file(pixels: np.ndarray) -> bytes:
        out = io.BytesIO()
        Pillow.fromarray(pixels).save(out, "PNG")
        return out.getvalue()

    one = np.zeros((64, 64, 3), np.uint8)
    one[16:48, 16:48] = (200, 30, 30)
    near = (one.astype(int) + generator.integers(0, 2, one.shape)).clip(0, 255).astype(np.uint8)
    other = generator.integers(0, 256, one.shape, np.uint8)
    same, far = 1 - look(file(one)) @ look(file(near)), 1 - look(file(one)) @ look(file(other))
    assert same < far / 2
