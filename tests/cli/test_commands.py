"""The small commands, inside this process; ``capsys`` sees what a user sees."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mezzotint.cli import run
from mezzotint.pictures.png import to_pixels

Capture = pytest.CaptureFixture[str]


def answer(capsys: Capture, *words: str) -> dict:
    """The JSON document of a command that succeeds."""
    assert run([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def refusal(capsys: Capture, *words: str) -> str:
    assert run(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("mezzotint: ")
    return err


def test_models(inside: Path, capsys: Capture) -> None:
    found = {m["name"]: m for m in answer(capsys, "models")["models"]}
    assert found["fashion"]["licence"] == "CC0-1.0" and found["fashion"]["origin"] == "home"
    assert found["fashion"]["prompts"] == ["T-shirt/top", "Sneaker", "Ankle boot"]
    assert run(["models"]) == 0
    assert "CC0-1.0" in capsys.readouterr().out


def test_a_broken_model_is_listed_as_such(inside: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(inside / "h"))
    bad = inside / "h" / "models" / "bad"
    bad.mkdir(parents=True)
    (bad / "model.json").write_text("{}")
    (found,) = [m for m in answer(capsys, "models")["models"] if m["name"] == "bad"]
    assert "schema None" in found["fault"]


def test_explain(inside: Path, capsys: Capture) -> None:
    said = answer(capsys, "explain", "fashion", "--steps", "6", "--solver", "ddim", "--scale", "3")
    said = said["stages"][0]
    assert said["steps"] == 6 and len(said["rows"]) == 7 and said["calls"] == 12
    assert [r["sigma"] for r in said["rows"]] == sorted((r["sigma"] for r in said["rows"]), reverse=True)
    assert answer(capsys, "explain", "--scale", "1")["calls"] == 4
    assert run(["explain"]) == 0
    assert "8 of the network a picture" in capsys.readouterr().out


def test_config(inside: Path, capsys: Capture) -> None:
    (inside / "mezzotint.toml").write_text("threads = 2")
    said = answer(capsys, "config")["settings"]
    assert said["threads"] == {"value": 2, "source": "mezzotint.toml"}
    (inside / "mezzotint.toml").write_text("treads = 2")
    assert "unknown setting 'treads'; did you mean threads?" in refusal(capsys, "config")


def test_settings_reach_generate(inside: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside / "mezzotint.toml").write_text('quality = "draft"\nout = "from-file"')
    monkeypatch.setenv("MEZZOTINT_BATCH", "3")
    said = answer(capsys, "generate", "sneaker", "--quiet")
    stage = said["stages"][0]
    assert stage["steps"] == 2 and stage["batch"][0] == 3 and said["out"] == "from-file"


def test_small_pictures_take_one_thread(inside: Path, capsys: Capture) -> None:
    """Restored afterwards: this process has other tests to run."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        said = answer(capsys, "generate", "sneaker", "--quiet", "--out", "a")
        receipt = json.loads((inside / "a" / said["images"][0]["receipt"]).read_text())
        assert receipt["made"]["threads"] == 1
        torch.set_num_threads(2)
        said = answer(capsys, "generate", "sneaker", "--quiet", "--out", "b", "--batch", "64")
        receipt = json.loads((inside / "b" / said["images"][0]["receipt"]).read_text())
        assert receipt["made"]["threads"] == 2
    finally:
        torch.set_num_threads(before)


def picture(path: Path, size: tuple[int, int] = (20, 12), mode: str = "RGB") -> Path:
    shape = (size[1], size[0], *((3,) if mode == "RGB" else ()))
    Image.fromarray(np.random.default_rng(0).integers(0, 255, shape, np.uint8)).save(path)
    return path


def test_noise(inside: Path, capsys: Capture) -> None:
    picture(inside / "My Picture.png")
    said = answer(capsys, "noise", "My Picture.png", "-n", "4", "--schedule", "flow", "--seed", "5", "--out", "n")
    assert said["file"] == "n/my-picture-noise-5.png"
    levels = said["levels"]
    assert [v["t"] for v in levels] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert levels[0]["logsnr"] is None and levels[1]["alpha"] == pytest.approx(2 / 3)
    with Image.open(inside / said["file"]) as strip, Image.open(inside / "My Picture.png") as original:
        factor = 10
        first = strip.crop((4, 4, 4 + 20 * factor, 4 + 12 * factor)).resize((20, 12), Image.Resampling.BOX)
        assert np.array_equal(to_pixels(first), to_pixels(original.convert("RGB")))
    assert "exists already" in refusal(capsys, "noise", "My Picture.png", "--seed", "5", "--out", "n")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.png", b"", "not a sound picture"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "not a sound picture"),
        ("a.txt", b"hello", "not a sound picture"),
        ("absent.png", None, "no file absent.png"),
    ],
)
def test_noise_of_no_picture(inside: Path, capsys: Capture, name: str, data: bytes | None, said: str) -> None:
    if data is not None:
        (inside / name).write_bytes(data)
    assert said in refusal(capsys, "noise", name)


def test_a_truncated_picture_and_a_bomb(inside: Path, capsys: Capture) -> None:
    whole = picture(inside / "whole.png", (64, 64)).read_bytes()
    (inside / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert "not a sound picture" in refusal(capsys, "noise", "cut.png")
    Image.new("L", (5000, 5000)).save(inside / "bomb.png")
    assert "at most 16000000 are taken" in refusal(capsys, "noise", "bomb.png")


def test_inspect(inside: Path, capsys: Capture, home: Path) -> None:
    made = answer(capsys, "generate", "sneaker", "--quiet", "--out", "o")
    (image,) = made["images"]
    kinds = {}
    for path in (
        inside / "o" / image["file"],
        inside / "o" / image["receipt"],
        inside / "o",
        home / "models" / "fashion",
        home / "models" / "fashion" / "weights.safetensors",
    ):
        said = answer(capsys, "inspect", str(path))
        kinds[said["kind"]] = said["facts"]
    assert set(kinds) == {"picture", "receipt", "run", "model", "weights"}
    assert kinds["picture"]["pixels_sha256"] == image["pixels_sha256"]
    assert kinds["receipt"]["intact"] is True
    assert kinds["model"]["hash_matches"] is True and kinds["weights"]["parameters"] > 1000
    assert run(["inspect", str(home / "models" / "fashion" / "weights.safetensors")]) == 0
    assert "tensors" in capsys.readouterr().out


def test_inspect_tells_a_changed_receipt(inside: Path, capsys: Capture) -> None:
    (image,) = answer(capsys, "generate", "sneaker", "--quiet", "--out", "o")["images"]
    path = inside / "o" / image["receipt"]
    path.write_text(path.read_text().replace('"prompt": "sneaker"', '"prompt": "boot"'))
    assert answer(capsys, "inspect", str(path))["facts"]["intact"] is False


def test_inspect_a_checkpoint(inside: Path, capsys: Capture) -> None:
    from mezzotint.training.checkpoint import Checkpoint, Store

    parts = {part: {"a": torch.ones(3)} for part in ("weights", "ema", "optimiser")}
    folder = Store(inside / "c").save(Checkpoint(parts, {"step": 7}))
    said = answer(capsys, "inspect", str(folder))
    assert said["kind"] == "checkpoint" and said["facts"]["step"] == 7 and said["facts"]["intact"] is True
    assert said["facts"]["parts"]["ema.safetensors"]["parameters"] == 3
    torn = folder / "ema.safetensors"
    torn.write_bytes(torn.read_bytes()[:-5])
    said = answer(capsys, "inspect", str(folder))
    assert said["facts"]["intact"] is False
    assert "not a sound safetensors file" in said["facts"]["parts"]["ema.safetensors"]["fault"]


def test_inspect_opens_no_pickle(inside: Path, capsys: Capture) -> None:
    torch.save({"a": torch.ones(1)}, inside / "x.bin")
    assert "is a pickle" in refusal(capsys, "inspect", "x.bin")
    (inside / "x.dat").write_bytes(b"what is this?")
    assert "of no known kind" in refusal(capsys, "inspect", "x.dat")
    assert "no file or folder" in refusal(capsys, "inspect", "absent")


def test_inspect_cannot_move_the_cursor(inside: Path, capsys: Capture) -> None:
    from mezzotint.tensorfile import write_tensors

    write_tensors(inside / "w.safetensors", {"a": torch.ones(1)}, {"note": "\x1b[2J\x07"})
    assert run(["inspect", "w.safetensors"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_unknown_command(inside: Path, capsys: Capture) -> None:
    assert "No such command 'genrate'" in refusal(capsys, "genrate")
