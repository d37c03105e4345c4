"""``mezzotint distill``, and what it makes in use: pictures, adapters that bring their steps, words that do not fit."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import mezzotint
from mezzotint.cli import run
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header

FAST = [
    *["--updates", "30", "--batch", "32", "--rows", "256", "--teacher", "6", "--rate", "3e-3", "--threads", "1"],
    *["--dtype", "float32", "--quiet"],
]


def placed(home: Path, folder: Path) -> Path:
    """A home with the tiny model as one that is sampled in ten steps: with 4 it would count as distilled."""
    model = folder / "models" / "fashion"
    shutil.copytree(home / "models" / "fashion", model)
    table = json.loads((model / "model.json").read_text())
    table["sampling"]["standard"]["steps"] = 10
    (model / "model.json").write_text(json.dumps(table))
    return folder


@pytest.fixture
def own(inside: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    folder = placed(home, inside / "own")
    monkeypatch.setenv("MEZZOTINT_HOME", str(folder))
    return folder


def picture(folder: Path) -> tuple[str, dict]:
    """(the hash of a run's one picture, its main stage's receipt)."""
    made = json.loads(next((folder / "receipts").glob("*.json")).read_text())
    return made["pixels_sha256"], made["made"]["stages"][made["made"]["main"]]


def test_a_model_is_made_that_runs_like_any_other(own: Path, inside: Path, capsys) -> None:
    assert run(["distill", *FAST, "--out", "two", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("mezzotint/distill/1"))
    assert found == json.loads((inside / "two" / "distill.json").read_text())
    held = found["held_out"]
    assert found["kept"] and held["found"] < held["start"] and found["scale"] == 1.5
    said = json.loads((inside / "two" / "model" / "model.json").read_text())
    jsonschema.validate(said, schema("mezzotint/model/1"))
    assert said["distilled"]["calls"] == 2 and said["distilled"]["by"] == "trajectory"
    assert said["distilled"]["scale"] == 1.5 and said["distilled"]["base_sha256"] == found["base_sha256"]
    words = ["generate", "Sneaker", "--seed", "5", "--threads", "1", "--quiet", "--model", "two/model"]
    assert run([*words, "--out", "one"]) == 0
    pixels, stage = picture(inside / "one")
    assert stage["steps"] == 2 and stage["solver"]["name"] == "ddim" and stage["scale"] == 1.0
    receipt = next((inside / "one" / "receipts").glob("*.json"))
    capsys.readouterr()
    assert run(["read", str(receipt)]) == 0
    assert "--steps=2" in capsys.readouterr().out
    again = [*words, "--solver", "ddim", "--steps", "2", "--quality", "best", "--out", "again"]
    assert run([*again, "--grid", _grid(said)]) == 0
    assert picture(inside / "again")[0] == pixels
    assert run(["explain", "two/model"]) == 0
    assert "2 steps" in capsys.readouterr().out


def _grid(said: dict) -> str:
    """The model's own grid in words."""
    grid = dict(said["sampling"]["standard"]["grid"])
    return f"{grid.pop('name')}:" + ",".join(f"{k}={v}" for k, v in grid.items())


@pytest.fixture(scope="module")
def two_made(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distilled model, never written to."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_HOME", str(placed(home, folder / "own")))
        assert run(["distill", *FAST, "--out", str(folder / "two")]) == 0
    return folder / "two"


@pytest.fixture
def two(own: Path, two_made: Path) -> Path:
    """The distilled model, and a home with what it was made of."""
    return two_made


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--scale", "3"], "distilled to 2 calls by trajectory at guidance 1.5, which is in its weights"),
        (["--steps", "4"], "distilled to 2 calls by trajectory, not to 4; leave --steps out"),
        (["--solver", "unipc"], "with a solver and levels of its own; leave --solver and --grid out"),
        (["--grid", "uniform"], "with a solver and levels of its own; leave --solver and --grid out"),
    ],
)
def test_words_that_it_was_not_made_for_are_one_line(two: Path, capsys, words: list[str], what: str) -> None:
    assert run(["generate", "Sneaker", "--threads", "1", "--model", str(two / "model"), *words]) == 2
    said = capsys.readouterr().err
    assert what in said and len(said.splitlines()) == 1


def test_what_is_distilled_is_not_distilled_again(two: Path, capsys) -> None:
    for command in (["distill", *FAST], ["calibrate", "--calls", "3", "--rows", "32", "--quiet"]):
        assert run([command[0], str(two / "model"), *command[1:]]) == 2
        said = capsys.readouterr().err
        assert "model is already distilled, to 2 calls by trajectory; use what it was made of, fashion" in said
    assert run(["distill", *FAST, "--out", str(two)]) == 2
    assert "holds what was distilled, model; choose another --out" in capsys.readouterr().err


@pytest.mark.slow
def test_an_adapter_brings_its_steps_and_stacks(own: Path, inside: Path, capsys) -> None:
    fast = ["--rate", "1e-2", "--updates", "60", "--as", "adapter", "--rank", "8"]
    assert run(["distill", *FAST, *fast, "--out", "fast"]) == 0
    file = inside / "fast" / "adapter.safetensors"
    passport = json.loads(read_header(file).metadata["mezzotint.passport"])
    jsonschema.validate(passport, schema("mezzotint/passport/1"))
    assert passport["settings"]["few_calls"]["distilled"]["calls"] == 2 and passport["rank"] == 8
    words = ["generate", "Sneaker", "--seed", "5", "--threads", "1", "--quiet", "--lora", str(file)]
    assert run([*words, "--out", "one"]) == 0
    pixels, stage = picture(inside / "one")
    assert stage["steps"] == 2 and stage["solver"]["name"] == "ddim" and stage["scale"] == 1.0
    other = inside / "other.safetensors"
    brand(file, other)
    assert run([*words, "--lora", str(other), "--out", "both"]) == 0
    both, stage = picture(inside / "both")
    assert stage["steps"] == 2 and both != pixels
    capsys.readouterr()
    assert run([*words, "--steps", "6", "--out", "more"]) == 2
    assert "not to 6; leave --steps out" in capsys.readouterr().err
    assert run([*words, "--lora", str(file), "--out", "twice"]) == 2
    assert "two things here make few calls" in capsys.readouterr().err


def brand(file: Path, to: Path) -> None:
    """The same tensors, turned, as an adapter that says nothing of calls."""
    from mezzotint.tensorfile import read_tensors, write_tensors

    write_tensors(to, {k: -0.3 * v if "B" in k or "up" in k else v for k, v in read_tensors(file).items()})


def pictures(folder: Path, n: int = 600) -> Path:
    """Stripes in class folders of PNG."""
    from PIL import Image

    draw = np.random.default_rng(0)
    for k in range(n):
        place = (
            folder
            / ("validation" if k % 2 else "train")
            / ("Sneaker", "T-shirt/top", "Ankle boot")[k % 3].replace("/", "-")
        )
        place.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 60, (8, 8), dtype=np.uint8)
        pixels[k % 8] += 190
        Image.fromarray(pixels).save(place / f"{k}.png")
    return folder


CONSISTENT = ["distill", *FAST, "--by", "consistency", "--q", "8"]


def test_data_that_do_not_do_are_refused_before_anything_is_learnt(own: Path, inside: Path, capsys) -> None:
    data = pictures(inside / "data", 120)
    assert run([*CONSISTENT, "--data", str(data), "--out", "few"]) == 2
    said = capsys.readouterr().err
    assert "60 pictures are held out and can be read, and the check needs 256: put so many into a folder" in said
    assert "or give about 12,800 pictures, of which every 50th is held out" in said and said.count("\n") == 1
    assert not (inside / "few" / "run").exists()
    pictures(data)
    for part in ("train", "validation"):
        (data / part / "Sneaker").rename(data / part / "lamp")
    assert run([*CONSISTENT, "--data", str(data), "--out", "bad"]) == 2
    assert "class folder 'lamp': unknown label 'lamp'" in capsys.readouterr().err


@pytest.mark.slow
def test_consistency_is_learnt_from_pictures(own: Path, inside: Path) -> None:
    words = [*CONSISTENT, "--data", str(pictures(inside / "data", 800))]
    assert run([*words, "--updates", "100", "--rate", "1e-2", "--out", "c"]) == 0
    assert run(["generate", "Sneaker", "--threads", "1", "--quiet", "--model", "c/model", "--out", "one"]) == 0
    assert picture(inside / "one")[1]["solver"]["name"] == "lcm"
    more = ["generate", "Sneaker", "--threads", "1", "--quiet", "--model", "c/model", "--steps", "4", "--out", "four"]
    assert run(more) == 0
    assert picture(inside / "four")[1]["steps"] == 4


def test_a_model_that_a_kill_left_half_written_is_written_again(two: Path, inside: Path, capsys) -> None:
    """``model.json`` is the last of its files."""
    left = shutil.copytree(two, inside / "left")
    (left / "model" / "model.json").unlink()
    assert run(["distill", *FAST, "--out", str(left), "--resume"]) == 0
    assert (left / "model" / "model.json").read_bytes() == (two / "model" / "model.json").read_bytes()
    capsys.readouterr()
    assert run(["distill", *FAST, "--out", str(left), "--resume"]) == 2
    assert "holds what was distilled, model" in capsys.readouterr().err


def test_a_misfit_is_refused_and_nothing_is_kept(own: Path, inside: Path, capsys) -> None:
    assert run(["distill", *FAST, "--updates", "8", "--rate", "0.9", "--out", "bad"]) == 3
    said = capsys.readouterr()
    assert "not better than its start on what is held out, and not kept" in said.err and "refused" in said.out
    assert not (inside / "bad" / "model").exists()
    found = json.loads((inside / "bad" / "distill.json").read_text())
    assert not found["kept"] and found["file"] is None


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--calls", "0"], "calls is 0; expected 1 to 8"),
        (["--calls", "6"], "calls is 6 and the teacher makes 6"),
        (["--by", "consistency"], "consistency is learnt from data"),
        (["--data", "nowhere"], "needs no data"),
        (["--by", "consistency", "--data", "nowhere"], "nowhere"),
        (["--loss", "lpips"], "loss is 'lpips'; expected one of absolute, log, texture"),
        (["--seed", "-1"], "seed -1 is out of range"),
        (["--rank", "64", "--as", "adapter"], "rank 64 is larger than a layer"),
        (["--last", "-1"], "the last call is at -1"),
        (["--resume"], "--resume goes on with the run in a folder; give it with --out"),
        (["--resume", "--out", "none"], "holds no run of distill to go on with"),
    ],
)
def test_bad_words_are_one_line(own: Path, capsys, words: list[str], what: str) -> None:
    out = [] if "--out" in words or "--resume" in words else ["--out", "a"]
    assert run(["distill", *FAST, *out, *words]) == 2
    said = capsys.readouterr().err
    assert what in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("how", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL])
def test_interrupted_it_goes_on_to_the_same_bits(start, own: Path, inside: Path, environment, how: int) -> None:
    """Stopped in a process of its own, and gone on with in this one."""
    words = ["distill", *FAST, "--updates", "50"]
    source = Path(mezzotint.__file__).parents[1]
    environment |= {
        "MEZZOTINT_HOME": str(own),
        "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{source}",
    }
    process = start(*words, "--out", "parts")
    while process.poll() is None and not list((inside / "parts" / "run" / "checkpoints").glob("step-*")):
        time.sleep(0.005)
    process.send_signal(how)
    assert process.wait() == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert run([*words, "--out", "parts"]) == 2
    assert run([*words, "--out", "parts", "--resume"]) == 0
    assert run([*words, "--out", "whole"]) == 0
    one, two = ((inside / name / "model" / "weights.safetensors").read_bytes() for name in ("parts", "whole"))
    assert one == two


def test_a_full_disk_is_one_line(start, inside: Path, home: Path, environment) -> None:
    source = Path(mezzotint.__file__).parents[1]
    placed(home, inside / "own")
    environment |= {
        "MEZZOTINT_HOME": str(inside / "own"),
        "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{source}",
    }

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    process = start("distill", *FAST, "--rows", "64", "--out", "full", preexec_fn=full)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "cannot write" in said and len(said.splitlines()) == 1
