"""The script that compares methods of tuning: whose pictures are learnt from, and how its table reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tune_methods
from PIL import Image

from mezzotint.products.split import subjects
from mezzotint.tuning.settings import METHODS

CHAIRS = tuple((f"chair-{k}", "chair") for k in range(5))


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Five chairs, eight pictures each, every other one painted; picture k is grey k."""
    for name, kind in CHAIRS:
        (tmp_path / name).mkdir()
        shots = [
            {"number": k, "view": "front", "colour": "red" if k % 2 else "", "shares": {"red": 1.0}} for k in range(8)
        ]
        record = {"kind": kind, "name": name, "shots": shots, "size": 8, "seed": 0}
        (tmp_path / name / "product.json").write_text(json.dumps(record))
        for k in range(8):
            Image.fromarray(np.full((8, 8, 4), k, np.uint8)).save(tmp_path / name / f"{k:02}.png")
    return tmp_path


def numbers(folder: Path) -> list[int]:
    return sorted(int(np.asarray(Image.open(path))[0, 0, 0]) for path in folder.iterdir())


def test_unpainted_pictures_of_a_held_out_product_are_parted(session: Path, tmp_path: Path) -> None:
    held = sorted(subjects(CHAIRS))
    one = tune_methods.product(session, held[0], 2, tmp_path / "out")
    assert (numbers(one.learnt), numbers(one.judges)) == ([0, 6], [2, 4])
    assert one.name == "zorbo chair" and one.kind == "chair"


def test_a_product_that_models_have_seen_is_refused(session: Path, tmp_path: Path) -> None:
    seen = next(name for name, _ in CHAIRS if name not in subjects(CHAIRS))
    with pytest.raises(SystemExit, match=f"{seen} has 0 unpainted pictures, 2 to learn from; held out are chair-"):
        tune_methods.product(session, seen, 2, tmp_path / "out")


def test_a_judge_that_is_learnt_from_ends_the_comparison(session: Path, tmp_path: Path) -> None:
    """``tune`` leaves it out, and under --quiet nobody hears of it."""
    rng, shots = np.random.default_rng(0), tmp_path / "shots"
    for name, numbers in (("learnt", (0, 1)), ("judges", (2, 3))):
        (shots / name).mkdir(parents=True)
        for k in numbers:
            Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(shots / name / f"{k}.png")
    one = tune_methods.Product(shots / "learnt", shots / "judges", "zorbo chair", "chair")
    tune_methods.apart(one)
    shutil.copy(shots / "learnt" / "0.png", shots / "judges" / "4.png")
    with pytest.raises(SystemExit, match=r"^2 of 3 photographs judge, .*: 1 of the photographs .* 4\.png first.*$"):
        tune_methods.apart(one)


def test_results_of_another_judge_are_kept_apart(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, asked = sorted(subjects(CHAIRS))[0], []
    monkeypatch.setattr(tune_methods, "apart", lambda one: None)
    monkeypatch.setattr(tune_methods, "kept", lambda path, make: asked.append(path))
    monkeypatch.setattr(tune_methods, "row", lambda method, one: ("",) * len(tune_methods.HEAD))
    monkeypatch.setattr("harness.finish", lambda outcome, out: outcome.settings["judge"] == tune_methods.JUDGE)
    words = ["--data", str(session), "--subject", held, "--views", "2", "--methods", "lora", "--out", str(tmp_path)]
    for judge in (tune_methods.JUDGE, "pictures"):
        monkeypatch.setattr(tune_methods, "JUDGE", judge)
        assert tune_methods.main(words)
    assert len(set(asked)) == 2


def test_the_table_is_of_the_moment_that_was_kept() -> None:
    def evidence(value: float) -> dict[str, dict[str, float]]:
        one = {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 4}
        return dict.fromkeys(("fidelity", "gain", "adherence", "painted", "drift", "copies"), one)

    found = {"choice": {"step": 4, "kept": False}, "evidence": {"0": evidence(0.1), "4": evidence(0.5)}}
    table = tune_methods.table({"lora": {"found": found, "bytes": 2048, "cpu": 12.4}})
    head, line = table.splitlines()
    assert line.split("  ")[0] == "lora" and "0.5 (0.4 … 0.6)" in line and "0.1" not in line
    assert line.endswith("12") and [word in line for word in ("50%", "no", " 2 ")] == [True] * 3 and "drift" in head


def test_every_method_is_compared() -> None:
    assert set(tune_methods.METHODS) == set(METHODS)
