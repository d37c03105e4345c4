"""Pictures that the output gate withholds: nothing of them is written anywhere; ``protect`` and ``check`` on files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from asking import request_of
from PIL import Image

import mezzotint
from mezzotint.cli import run
from mezzotint.errors import OutputBlockedError
from mezzotint.making.released import Withheld
from mezzotint.schemas import schema

BLOCKS = '[safety.output]\ncopies = "block"\n'


@pytest.fixture(autouse=True)
def no_registry(home: Path) -> Iterator[None]:
    """Each test with its own."""
    yield
    (home / "safety" / "copies.sqlite").unlink(missing_ok=True)


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*words, "--json"]) == code, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(document["schema"]))
    return document


def make(tiny: Path, out: str, *words: str) -> list[str]:
    return ["generate", "sneaker", "--model", str(tiny), "--seed", "5", "--out", out, *words]


@pytest.fixture
def protected(tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The picture of seed 5, registered; then its folder is gone."""
    assert run(make(tiny, "first", "--quiet")) == 0
    (picture,) = [p for p in (inside / "first").glob("*.png") if p.name != "sheet.png"]
    shutil.copy(picture, inside / "ours.png")
    found = said(capsys, 0, "protect", "ours.png")
    assert (found["new"], found["counts"]["protected"]) == (1, 1)
    shutil.rmtree(inside / "first")
    return inside / "ours.png"


def pixels_anywhere(folder: Path, wanted: np.ndarray[Any, Any]) -> list[Path]:
    """Files of pictures that show it."""
    shown = []
    for path in folder.rglob("*"):
        if path.suffix in (".png", ".webp", ".jpg", ".part"):
            with Image.open(path) as picture:
                if picture.size == wanted.shape[1::-1] and np.array_equal(np.asarray(picture), wanted):
                    shown.append(path)
    return shown


def test_nothing_of_a_picture_that_is_withheld_is_written(
    tiny: Path, inside: Path, protected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = np.asarray(Image.open(protected))
    protected.unlink()
    assert run(make(tiny, "o", "--film", "--json")) == 4
    captured = capsys.readouterr()
    assert json.loads(captured.out)["code"] == "output_blocked" and "MZ-O-copy-protected" in captured.err
    assert pixels_anywhere(inside, wanted) == [] and list((inside / "o").rglob("*.*")) == []


def test_a_run_goes_on_without_what_is_withheld(
    tiny: Path, inside: Path, protected: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = np.asarray(Image.open(protected))
    protected.unlink()
    found = said(capsys, 3, *make(tiny, "o", "-n", "3", "--film"))
    assert [one["seed"] for one in found["images"]] == [6, 7]
    (gone,) = found["withheld"]
    assert (gone["seed"], gone["decision"], gone["codes"]) == (5, "block", ["MZ-O-copy-protected"])
    names = {path.name for path in (inside / "o").rglob("*") if path.is_file()}
    assert not [name for name in names if name.startswith("film-5") or gone["asset_id"] in name]
    assert pixels_anywhere(inside, wanted) == []
    line = json.loads((home / "safety" / "audit.jsonl").read_text().splitlines()[-1])
    assert line["schema"] == "mezzotint/output-verdict/1" and line["decision"] == "block"


SEALED = '[safety.output]\nquarantine = "sealed"\nquarantine_key = "q/quarantine.pub"\n'


def test_what_is_withheld_is_sealed_where_the_policy_says_so(
    tiny: Path, inside: Path, protected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = np.asarray(Image.open(protected))
    protected.unlink()
    made = said(capsys, 0, "keys", "quarantine", "--out", "q")
    (inside / "mezzotint.toml").write_text(SEALED)
    found = said(capsys, 3, *make(tiny, "o", "-n", "2", "--film"))
    (gone,) = found["withheld"]
    box = Path("o") / gone["sealed"]
    assert {p.suffix for p in box.parent.iterdir()} == {".sealed", ".json"}
    assert json.loads(box.with_suffix(".json").read_text())["decision"] == "block"
    assert pixels_anywhere(inside, wanted) == [], "but in the box"
    opened = said(capsys, 0, "quarantine", "open", str(box), "--key", made["private"], "--out", "seen.png")
    assert opened["asset_id"] == gone["asset_id"] and opened["verdict"]["decision"] == "block"
    assert np.array_equal(np.asarray(Image.open("seen.png")), wanted)
    assert run(["quarantine", "open", str(box), "--key", made["private"], "--out", "seen.png"]) == 2, "it is there"


def test_a_box_and_keys_that_do_not_fit_are_a_line(
    tiny: Path, inside: Path, protected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = (said(capsys, 0, "keys", "quarantine", "--out", name) for name in ("q", "r"))
    assert run(["keys", "quarantine", "--out", "q"]) == 2 and run(["keys", "mark", "--out", "q"]) == 2
    (inside / "mezzotint.toml").write_text(SEALED)
    found = said(capsys, 3, *make(tiny, "o", "-n", "2"))
    data = (Path("o") / found["withheld"][0]["sealed"]).read_bytes()
    capsys.readouterr()
    for name, content, key in (
        ("a", data, theirs["private"]),
        ("b", data[:-1], ours["private"]),
        ("c", data[:40] + b"?" + data[41:], ours["private"]),
        ("d", b"", ours["private"]),
        ("e", data, ours["public"]),
    ):
        Path(f"{name}.sealed").write_bytes(content)
        assert run(["quarantine", "open", f"{name}.sealed", "--key", key]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "bug" not in error and not Path(f"{name}.png").exists()


@pytest.mark.parametrize(
    "verdict",
    [[], "block", {}, {"decision": "block", "findings": 7}, {"decision": "block", "findings": [{"code": 7}]},
     {"decision": ["block"], "findings": []}, {"decision": "block", "findings": ["nsfw"]}],
)  # fmt: skip
def test_a_box_whose_verdict_is_none_writes_no_picture(
    inside: Path, capsys: pytest.CaptureFixture[str], verdict: object
) -> None:
    assert run(["quarantine", "open", "a.sealed", "--key", boxed(verdict)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no verdict" in error and not Path("a.png").exists()


def test_a_verdict_moves_no_cursor(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = boxed({"decision": "block\x1b[2J", "findings": [{"code": "nsfw\n\x1b[31m"}]})
    assert run(["quarantine", "open", "a.sealed", "--key", key]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and out.count("\n") == 1 and "nsfw" in out


def boxed(verdict: object) -> str:
    """A box a.sealed with any verdict, as whoever has the public key can make one.   Returns: the private key."""
    from mezzotint.files import canonical_json
    from mezzotint.governance.safety.output import sealed

    public, private = sealed.make(Path("q"))
    seal = sealed.seal(public)
    head = canonical_json({"asset_id": "0" * 32, "key": sealed.ident(seal.key), "verdict": verdict})
    before = sealed.MAGIC + len(head).to_bytes(sealed.SIZE, "big") + head
    Path("a.sealed").write_bytes(before + sealed._suite().encrypt(b"a picture", seal.key, before))
    return str(private)


def test_a_seal_without_a_key_stops_the_start(tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "mezzotint.toml").write_text(SEALED)
    error = said(capsys, 4, *make(tiny, "o"))
    assert error["code"] == "gate_broken" and not list((inside / "o").rglob("*.png"))


def test_receipts_say_what_the_picture_was_checked_with(tiny: Path, inside: Path, protected: Path) -> None:
    (inside / "mezzotint.toml").write_text('[safety]\nreview = "allow"\n[safety.output]\ncopies = "review"\n')
    assert run(make(tiny, "o", "--quiet")) == 0
    (path,) = (inside / "o" / "receipts").iterdir()
    receipt = json.loads(path.read_text())
    jsonschema.validate(receipt, schema(receipt["schema"]))
    check = receipt["output_check"]
    assert check["decision"] == "review" and check["loosened"] == ["review=allow", "output.copies=review"]
    assert check["scores"]["nearest"] > 0.99 and len(check["files"]["copies"]) == 64


def test_verify_names_the_output_that_a_screenshot_is_like(
    tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No credential outlives a screenshot; the registry of earlier outputs may still know the picture."""
    (inside / "mezzotint.toml").write_text('[safety.output]\noutputs = "review"\n')
    made = said(capsys, 0, *make(tiny, "o", "-n", "2"))["images"]
    with Image.open(inside / "o" / made[0]["file"]) as picture:
        picture.convert("RGB").resize((24, 24)).save(inside / "seen.jpg", quality=80)
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))).save(inside / "other.png")
    for file, state in (("seen.jpg", "copy"), ("other.png", "apart")):
        document = said(capsys, 3, "verify", file)
        (one,) = [found for found in document["findings"] if found["kind"] == "near-copy"]
        assert (one["verdict"], one["state"]) == ("silent", state)
        assert (made[0]["asset_id"] in one["text"]) == (state == "copy")


def test_python_gets_no_pixels_either(tiny: Path, inside: Path, protected: Path) -> None:
    with pytest.raises(OutputBlockedError, match="MZ-O-copy-protected"):
        mezzotint.generate("sneaker", model=tiny, seed=5)
    found = mezzotint.generate("sneaker", model=tiny, seed=5, n=2)
    assert [one.seed for one in found.images] == [6] and [one.seed for one in found.withheld] == [5]
    events = list(mezzotint.stream(mezzotint.prepare(request_of("sneaker", model=tiny, seed=5))))
    assert isinstance(events[-1], Withheld) and not [e for e in events if isinstance(e, mezzotint.Image)]
    assert not any(isinstance(value, np.ndarray) for value in vars(events[-1]).values())


def test_a_damaged_registry_stops_the_start(tiny: Path, inside: Path, home: Path, protected: Path) -> None:
    (home / "safety" / "copies.sqlite").write_bytes(b"no registry at all" * 99)
    assert run(make(tiny, "o", "--quiet")) == 4 and not list((inside / "o").rglob("*.png"))


def test_a_wrong_policy_is_a_line(tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("nsfw = 'maybe'", "similarity = 2", "nfsw = 'off'"):
        (inside / "mezzotint.toml").write_text(f"[safety.output]\n{wrong}\n")
        assert run(make(tiny, "o", "--quiet")) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_earlier_outputs_count_where_the_policy_says_so(
    tiny: Path, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inside / "mezzotint.toml").write_text('[safety.output]\noutputs = "block"\n')
    assert run(make(tiny, "o", "--quiet")) == 0 and run(make(tiny, "again", "--quiet")) == 0
    assert said(capsys, 0, "protect")["counts"]["output"] == 1
    (picture,) = [p for p in (inside / "o").glob("*.png") if p.name != "sheet.png"]
    Image.open(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("mirrored.png")
    found = said(capsys, 4, "check", "mirrored.png")
    assert [one["code"] for one in found["pictures"][0]["findings"]] == ["MZ-O-copy-output"]


def test_check_looks_at_files_and_their_names(
    inside: Path, protected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 64), "white").save("empty.png")
    Image.effect_noise((64, 64), 90).save("noise.png")
    shutil.copy("noise.png", "naked.png")
    for name, code, codes in (
        ("noise.png", 0, []),
        ("empty.png", 4, ["MZ-O-structure-constant"]),
        ("naked.png", 4, ["MZ-P-nudity-word"]),
        ("ours.png", 4, ["MZ-O-copy-protected"]),
    ):
        found = said(capsys, code, "check", name, "--explain")
        assert [one["code"] for one in found["pictures"][0]["findings"]] == codes and found["verdicts"] == []
    assert run(["check", "ours.png", "noise.png"]) == 4
    shown = capsys.readouterr().out
    assert "ours.png:\nBLOCK" in shown and "noise.png:\nALLOW" in shown and "nearest" in shown
    (inside / "text.png").write_text("no picture")
    assert run(["check", "text.png"]) == 2 and run(["check", "gone.png"]) == 2


def test_protect_takes_folders_and_forgets(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(3):
        Image.effect_noise((64, 64), 60 + k).save(inside / f"{k}.png")
    (inside / "bad.png").write_text("no picture")
    found = said(capsys, 3, "protect", ".", "--as", "training")
    assert (found["new"], found["counts"]["training"], found["unreadable"]) == (3, 3, ["bad.png"])
    assert said(capsys, 3, "protect", ".", "--as", "training")["new"] == 0
    assert run(["protect", "gone", "--as", "training", "--forget"]) == 2, "a slip of the pen forgets nothing"
    (inside / "empty").mkdir()
    for none in ("bad.png", "empty"):
        assert run(["protect", none, "--as", "training", "--forget"]) == 2
    capsys.readouterr()
    found = said(capsys, 0, "protect", "1.png", "--as", "training", "--forget")
    assert (found["new"], found["forgotten"], found["counts"]["training"]) == (1, 3, 1)
    assert said(capsys, 0, "protect", "--as", "training", "--forget")["forgotten"] == 1
    assert run(["protect", "gone"]) == 2 and run(["protect", ".", "--as", "holy"]) == 2
