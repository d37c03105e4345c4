"""``mezzotint generate`` as people use it."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import jsonschema
import pytest
from PIL import Image

from mezzotint.cli import run
from mezzotint.files import sha256
from mezzotint.governance.receipt import read_receipt
from mezzotint.pictures.png import to_pixels
from mezzotint.schemas import schema

GENERATE = ("generate", "sneakers", "--seed", "7", "--out", "o")


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_pictures_receipts_sheet_and_run(mezzotint, tmp_path: Path) -> None:
    done = mezzotint(*GENERATE, "-n", "3", "--json", "--batch", "2")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    out = tmp_path / "o"
    pictures = {f"sneakers-{k}.png" for k in (7, 8, 9)}
    receipts = {image["receipt"] for image in document["images"]}
    assert names(out) == {*pictures, *receipts, "sheet.png", "run.json"}
    assert json.loads((out / "run.json").read_text()) == {k: v for k, v in document.items() if k != "out"}
    for image in document["images"]:
        receipt = read_receipt(out / image["receipt"])
        jsonschema.validate(json.loads((out / image["receipt"]).read_text()), schema("mezzotint/receipt/2"))
        with Image.open(out / image["file"]) as picture:
            assert picture.size == (8, 8)
            assert sha256(to_pixels(picture).tobytes()) == image["pixels_sha256"] == receipt.pixels_sha256
            assert picture.info["mezzotint:asset_id"] == image["asset_id"] == receipt.made.asset_id
            assert set(picture.info) == {"mezzotint:asset_id", "XML:com.adobe.xmp", "xmp"}
        assert receipt.made.seed == image["seed"] and receipt.made.stage.batch == (2, 1, 8, 8)


def test_the_same_words_give_the_same_bytes(inside: Path) -> None:
    """Also alone, in the middle of a batch, and padded: what counts is the seed and the number of rows."""
    for out, more in (("a", ("-n", "5")), ("b", ("-n", "5")), ("c", ("-n", "1"))):
        seed = "9" if out == "c" else "7"
        assert run(["generate", "sneaker", "--quiet", "--batch", "2", "--seed", seed, "--out", out, *more]) == 0
    for name in names(inside / "a") - {"run.json"}:
        if name.startswith("sneaker-") or name == "sheet.png":
            assert (inside / "a" / name).read_bytes() == (inside / "b" / name).read_bytes(), name
    assert (inside / "a" / "sneaker-9.png").read_bytes() == (inside / "c" / "sneaker-9.png").read_bytes()
    assert {n for n in names(inside / "a") if n.startswith("receipts")} > {
        n for n in names(inside / "c") if n.startswith("receipts")
    }


def test_film(inside: Path) -> None:
    assert (
        run(["generate", "sneaker", "--quiet", "--film", "-n", "2", "--seed", "3", "--steps", "5", "--out", "f"]) == 0
    )
    for seed in (3, 4):
        with (
            Image.open(inside / "f" / f"film-{seed}.webp") as film,
            Image.open(inside / "f" / f"sneaker-{seed}.png") as end,
        ):
            assert film.n_frames == 6
            film.seek(5)
            factor = film.width // end.width
            last = film.convert("L").resize(end.size, Image.Resampling.BOX)
            assert list(last.tobytes()) == list(end.tobytes()) and factor >= 8
        with Image.open(inside / "f" / f"film-{seed}.png") as strip:
            assert strip.width > 6 * 112 and strip.height > 2 * 112


def test_default_folder_and_names(inside: Path) -> None:
    for _ in range(2):
        assert run(["generate", "", "--quiet", "--scale", "1"]) == 0
    runs = sorted((inside / "mezzotint-out").iterdir())
    assert len(runs) == 2 and all("-generate" in r.name for r in runs)
    assert "fashion-0.png" in names(runs[0])


def test_nothing_is_overwritten(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "x"]) == 0
    before = {n: (inside / "x" / n).stat().st_mtime_ns for n in names(inside / "x")}
    assert run(["generate", "sneaker", "--quiet", "--out", "x"]) == 2
    assert run(["generate", "boot", "--quiet", "--out", "x"]) == 2
    assert "finished run; nothing is ever overwritten" in capsys.readouterr().err
    assert {n: (inside / "x" / n).stat().st_mtime_ns for n in names(inside / "x")} == before
    assert run(["generate", "sneaker", "--quiet", "--out", "x", "--model", "no-such-model"]) == 2
    assert "finished run" in capsys.readouterr().err  # said before a model is looked for
    (inside / "y").mkdir()
    (inside / "y" / "sneaker-0.png").write_bytes(b"mine")
    assert run(["generate", "sneaker", "--quiet", "--out", "y"]) == 2
    assert "exists and is not of this run" in capsys.readouterr().err
    assert (inside / "y" / "sneaker-0.png").read_bytes() == b"mine"


@pytest.mark.parametrize("kind", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_interrupted_keeps_whole_pictures_and_goes_on(
    start: Callable[..., Popen[str]], inside: Path, capsys: pytest.CaptureFixture[str], kind: signal.Signals
) -> None:
    words = (*GENERATE, "-n", "6", "--batch", "1", "--steps", "60", "--film")
    child = start(*words)
    first = inside / "o" / "sneakers-7.png"
    until = time.monotonic() + 60
    while not first.exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child.pid, kind)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert out == "" and "Traceback" not in err
    assert "pictures are whole in o; the same command with --out o goes on" in err.splitlines()[-1]
    left = names(inside / "o")
    whole = {n for n in left if n.startswith("sneakers-")}
    assert 1 <= len(whole) < 6 and "run.json" not in left
    assert not [n for n in left if n.endswith(".part")]
    for name in whole:
        with Image.open(inside / "o" / name) as picture:
            picture.load()
    before = {n: (inside / "o" / n).stat().st_mtime_ns for n in left}

    assert run([*words, "--quiet"]) == 0
    assert {n: (inside / "o" / n).stat().st_mtime_ns for n in left} == before
    assert run([*(w if w != "o" else "once" for w in words), "--quiet"]) == 0
    assert names(inside / "o") == names(inside / "once")
    for name in names(inside / "once"):
        if not name.startswith("receipts/") and name != "run.json":
            assert (inside / "o" / name).read_bytes() == (inside / "once" / name).read_bytes(), name
