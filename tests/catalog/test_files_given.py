"""Files that a manifest names: what is changed in them makes another run, what will not do sets its row aside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from catalogs import asked, begun, rows, states, worker
from PIL import Image as Pillow

from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.planning import Asked, read
from mezzotint.pretrained.model import Model, load


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def grey(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> None:
    Pillow.fromarray(np.full(size, value, np.uint8)).save(path)


def older(path: Path) -> None:
    """Its time alone is another."""
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))


def longer(path: Path) -> None:
    """Its size alone is another."""
    at = path.stat()
    path.write_bytes(path.read_bytes() + b"x")
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))


def run_id(said: Asked, model: Model) -> str:
    return read(said).run(said.words, model)


@pytest.mark.parametrize("change", [older, longer])
@pytest.mark.parametrize(
    "name", ["p.png", "m.png", "p.mask.png", "row.safetensors", "level.safetensors", "peft/adapter_model.safetensors"]
)
def test_a_file_that_is_changed_makes_another_run(
    name: str, change: Callable[[Path], None], tmp_path: Path, tiny: Path
) -> None:
    for picture in ("p.png", "m.png", "p.mask.png"):
        grey(tmp_path / picture, 255)
    (tmp_path / "peft").mkdir()
    for file in ("row.safetensors", "level.safetensors", "peft/adapter_model.safetensors"):
        (tmp_path / file).write_bytes(b"x")
    (tmp_path / "n.csv").write_text("sku,prompt,adapter\na,sneaker,row.safetensors:0.5\nb,sneaker,peft\n")
    (tmp_path / "m.csv").write_text("sku,prompt,image,mask\na,sneaker,p.png,\nb,sneaker,p.png,m.png\n")
    (tmp_path / "m.toml").write_text('[factors]\nadapter = ["", "level.safetensors:0.5"]\n')
    said, model = asked(tmp_path / ("n.csv" if name.startswith(("row", "peft")) else "m.csv"), tiny), load(str(tiny))
    before = run_id(said, model)
    assert run_id(said, model) == before
    change(tmp_path / name)
    assert run_id(said, model) != before


def test_a_mask_that_is_laid_beside_a_photograph_makes_another_run(tmp_path: Path, tiny: Path) -> None:
    grey(tmp_path / "p.png", 9)
    (tmp_path / "m.csv").write_text("sku,prompt,image\na,sneaker,p.png\n")
    said, model = asked(tmp_path / "m.csv", tiny), load(str(tiny))
    before = run_id(said, model)
    grey(tmp_path / "p.mask.png", 255)
    assert run_id(said, model) != before


def test_photographs_and_masks_that_will_not_do_leave_the_others(tmp_path: Path, tiny: Path) -> None:
    """Masks without a lock: each of the three is set aside with its reason, and all else is made."""
    for name, value, size in (
        ("p.png", 100, (8, 8)), ("large.png", 100, (9, 8)), ("white.png", 255, (8, 8)), ("large.mask.png", 255, (9, 8)),
        ("small.png", 255, (4, 4)), ("black.png", 0, (8, 8)),
    ):  # fmt: skip
        grey(tmp_path / name, value, size)
    lines = ["a,p.png,white.png", "b,large.png,large.mask.png", "c,p.png,small.png", "d,p.png,black.png", "e,,"]
    (tmp_path / "m.csv").write_text("sku,image,mask,prompt\n" + "".join(f"{line},sneaker\n" for line in lines))
    run, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    assert worker(run, where, model).work() == "done"
    assert states(where.db) == ["done", "parked", "parked", "parked", "done"]
    reasons = [row["detail"] or "" for row in rows(where.db, t.asset)]
    wanted = ("with a mask expected 8x8", "small.png is 4x4", "asks for nothing")
    assert all(said in reason for said, reason in zip(wanted, reasons[1:4], strict=True)), reasons
