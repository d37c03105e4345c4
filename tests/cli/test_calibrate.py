"""``mezzotint calibrate``, and what it makes in use: pictures, receipts, words that do not fit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

import mezzotint
from mezzotint.cli import run
from mezzotint.cli.calibrate import text
from mezzotint.diffusion.solver.learned import backbone
from mezzotint.fewstep.calibrated import Calibrated, Checked
from mezzotint.making.calibrated.calibrate import Calibration, Made
from mezzotint.schemas import schema

FAST = [
    "--calls",
    "3",
    "--rows",
    "32",
    "--updates",
    "20",
    "--teacher",
    "8",
    "--threads",
    "1",
    "--dtype",
    "float32",
    "--quiet",
]


def placed(home: Path, folder: Path, steps: int = 10) -> Path:
    """A home with the tiny model as one that is sampled in so many steps: with 4 it would count as distilled."""
    model = folder / "models" / "fashion"
    shutil.copytree(home / "models" / "fashion", model)
    table = json.loads((model / "model.json").read_text())
    table["sampling"]["standard"]["steps"] = steps
    (model / "model.json").write_text(json.dumps(table))
    return folder


@pytest.fixture
def own(inside: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    folder = placed(home, inside / "own")
    monkeypatch.setenv("MEZZOTINT_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def calibrated_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny model, calibrated for 3 calls; never written to."""
    folder = placed(home, tmp_path_factory.mktemp("calibrated") / "own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_HOME", str(folder))
        assert run(["calibrate", *FAST]) == 0
    return folder


@pytest.fixture
def calibrated(inside: Path, calibrated_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The side-car of the tiny model for 3 calls, in a home of its own."""
    own = shutil.copytree(calibrated_home, inside / "own")
    monkeypatch.setenv("MEZZOTINT_HOME", str(own))
    return next(own.glob("solvers/*/3-*.json"))


def made(folder: Path) -> tuple[str, Path]:
    """(the hash of a run's one picture, its receipt)."""
    receipt = next((folder / "receipts").glob("*.json"))
    return json.loads(receipt.read_text())["pixels_sha256"], receipt


def test_a_side_car_is_made_used_and_remade_from_a_receipt(calibrated: Path, inside: Path, capsys) -> None:
    assert calibrated.stat().st_size < 4096
    car = json.loads(calibrated.read_text())
    held = car["measured"]["held_out"]
    assert held["found"] < held["start"] and held["loss_found"] < held["loss_start"]
    assert car["measured"]["fit"]["loss"] == "texture"
    words = ["Sneaker", "--seed", "5", "--threads", "1", "--quiet"]
    assert run(["generate", *words, "--solver", "learned", "--steps", "3", "--out", "one"]) == 0
    pixels, receipt = made(inside / "one")
    stage = json.loads(receipt.read_text())["made"]["stages"][0]
    assert stage["solver"]["name"] == "learned" and stage["solver"]["answers"] == car["answers"]
    assert stage["grid"] == {"name": "learned", "u": car["u"]} and stage["steps"] == 3
    capsys.readouterr()
    assert run(["read", str(receipt)]) == 0
    assert "--solver=learned:from=RECEIPT" in capsys.readouterr().out
    calibrated.unlink()
    again = [*words, "--solver", f"learned:from={receipt}", "--out", "two"]
    assert run(["generate", *again]) == 0
    assert made(inside / "two")[0] == pixels and made(inside / "two")[1].name == receipt.name


def test_another_scale_warns_and_takes_the_default(calibrated: Path, inside: Path, capsys) -> None:
    words = ["generate", "Sneaker", "--threads", "1", "--scale", "3"]
    assert run([*words, "--solver", "learned", "--out", "other"]) == 0
    assert "made for scale 1.5, not 3" in capsys.readouterr().err
    assert run([*words, "--out", "usual"]) == 0
    assert made(inside / "other")[0] == made(inside / "usual")[0]


def test_explain_and_begin_from_a_picture(calibrated: Path, inside: Path, capsys) -> None:
    assert run(["explain", "--solver", "learned"]) == 0
    said = capsys.readouterr().out
    assert "solver   learned, order 2" in said and "grid     learned, 3 steps" in said
    assert run(["generate", "Sneaker", "--threads", "1", "--out", "base", "--quiet"]) == 0
    picture = next((inside / "base").glob("*.png"))
    capsys.readouterr()
    assert run(["generate", "Sneaker", "--image", str(picture), "--solver", "learned", "--out", "from"]) == 2
    assert "cannot begin at step" in capsys.readouterr().err


def test_an_optimised_grid_is_made_once_and_remade_from_a_receipt(own: Path, inside: Path, capsys) -> None:
    words = ["Sneaker", "--seed", "5", "--threads", "1", "--quiet", "--solver", "unipc", "--steps", "4"]
    assert run(["generate", *words, "--grid", "auto", "--out", "one"]) == 0
    pixels, receipt = made(inside / "one")
    stage = json.loads(receipt.read_text())["made"]["stages"][0]
    (kept,) = own.glob("solvers/*/grids/*.json")
    assert stage["grid"] == {"name": "auto", "by": "dmn", "u": json.loads(kept.read_text())["u"]}
    capsys.readouterr()
    assert run(["read", str(receipt)]) == 0
    assert "--grid=auto:from=RECEIPT" in capsys.readouterr().out
    before = kept.stat().st_mtime_ns
    assert run(["explain", "--solver", "unipc", "--steps", "4", "--grid", "auto"]) == 0
    assert kept.stat().st_mtime_ns == before
    kept.unlink()
    assert run(["generate", *words, "--grid", f"auto:from={receipt}", "--out", "two"]) == 0
    assert made(inside / "two")[0] == pixels and made(inside / "two")[1].name == receipt.name
    assert not kept.exists()
    kept.write_text("{}")
    assert run(["generate", *words, "--grid", "auto", "--out", "three"]) == 2
    assert "holds no optimised grid" in capsys.readouterr().err


def test_after_calibration_the_grid_follows_the_models_trajectories(calibrated: Path, inside: Path) -> None:
    assert (
        run(["generate", "Sneaker", "--threads", "1", "--grid", "auto", "--steps", "5", "--quiet", "--out", "a"]) == 0
    )
    grid = json.loads(made(inside / "a")[1].read_text())["made"]["stages"][0]["grid"]
    assert grid["by"] == "gits" and len(grid["u"]) == 6 and grid["u"][-1] == 0
    assert run(["generate", "Sneaker", "--grid", "auto", "--solver", "ddpm", "--scale", "2", "--out", "b"]) == 2
    assert run(["generate", "Sneaker", "--grid", "auto", "--solver", "learned", "--out", "c"]) == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--calls", "1"], "calls is 1; expected 2 to 64"),
        (["--calls", "1"], "a solver of one call has nothing to learn from"),
        (["--calls", "70", "--teacher", "100"], "calls is 70; expected 2 to 64: published solvers need no more"),
        (["--calls", "4,x"], "expected whole numbers with commas between"),
        (["--calls", ""], "expected whole numbers"),
        (["--calls", "8"], "calls is 8 and the teacher makes 8; give fewer, or more with --teacher"),
        (["--rows", "3"], "rows is 3; expected 16 or more"),
        (["--updates", "0"], "updates is 0; expected 1 or more"),
        (["--loss", "lpips"], "loss is 'lpips'; expected one of absolute, log, texture"),
        (["--prompts", "nowhere.txt"], "cannot read nowhere.txt"),
        (["--seed", "-1"], "seed -1 is out of range"),
    ],
)
def test_bad_words_are_one_line(own: Path, capsys, words: list[str], what: str) -> None:
    assert run(["calibrate", *FAST, *words]) == 2
    said = capsys.readouterr().err
    assert what in said and len(said.splitlines()) == 1


def test_calls_are_looked_at_before_anything_is_loaded(environment: dict[str, str]) -> None:
    words = "['calibrate', '--calls', '1']"
    code = f"import sys; sys.modules['torch'] = None; from mezzotint.cli import run; sys.exit(run({words}))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "calls is 1; expected 2 to 64" in done.stderr


def test_a_solver_that_is_refused_says_by_which_check() -> None:
    """One that is nearer may be refused by its loss."""
    checked = Checked(start=0.2, found=0.1, loss_start=0.5, loss_found=0.6, better=0.4)
    assert not checked.holds and len(checked.wanting) == 2
    one = Made(Calibrated(4, backbone(4), (1.0, 0.5, 0.2, 0.1, 0.0), "karras", checked), None, 1.0)
    said = text(Calibration("fashion", 1.0, "many steps", 1.0, (one,)))
    assert "refused: loss 0.5000 -> 0.6000, less loss in 40% of the rows, not in most" in said
    assert Checked(0.2, 0.3, 0.5, 0.4, 0.6).wanting == ("distance 0.2000 -> 0.3000",)
    assert Checked(0.2, 0.1, 0.5, 0.4, 0.6).holds


def test_a_distilled_model_is_told_so(inside: Path, home: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(placed(home, inside / "few", 2)))
    assert run(["calibrate", *FAST]) == 2
    assert "fashion is already distilled: it is sampled in 2 steps" in capsys.readouterr().err


def test_json_says_what_was_made(own: Path, capsys) -> None:
    assert run(["calibrate", *FAST, "--calls", "2,3", "--json"]) in (0, 3)
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/calibrate/1"))
    for path in own.glob("solvers/*/*.json"):
        jsonschema.validate(json.loads(path.read_text()), schema("mezzotint/solver/1"))
    for path in own.glob("solvers/*/grids/*.json"):
        jsonschema.validate(json.loads(path.read_text()), schema("mezzotint/grid/1"))
    assert found["schema"] == "mezzotint/calibrate/1" and [s["calls"] for s in found["solvers"]] == [2, 3]
    for one in found["solvers"]:
        assert one["kept"] == (one["file"] is not None) and one["held_out"]["start"] > 0


def has_checkpoint(folder: Path) -> bool:
    """``os.walk`` passes over folders that are renamed meanwhile."""
    return any(name.startswith("step-") for _, folders, _ in os.walk(folder) for name in folders)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_it_goes_on_to_the_same_bits(
    start, inside: Path, home: Path, environment, monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    """Stopped in a process of its own, and gone on with in this one."""
    words = ["calibrate", *FAST, "--updates", "60"]
    parts, whole = (placed(home, inside / name) for name in ("parts", "whole"))
    source = Path(mezzotint.__file__).parents[1]
    environment |= {"MEZZOTINT_HOME": str(parts), "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{source}"}
    process = start(*words)
    while process.poll() is None and not has_checkpoint(parts):
        time.sleep(0.005)
    process.send_signal(how)
    assert process.wait() == (130 if how == signal.SIGINT else -signal.SIGKILL)
    for folder in (parts, whole):
        monkeypatch.setenv("MEZZOTINT_HOME", str(folder))
        assert run(words) == 0
    one, two = (next(folder.glob("solvers/*/3-*.json")).read_text() for folder in (parts, whole))
    assert one == two
