"""Bad texts, names and ids, as people who mean harm send them: one plain line, nothing outside the run's folder."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from asking import request_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mezzotint.cli import run
from mezzotint.cli.output import slug
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import PromptEmptyError
from mezzotint.files import sweep
from mezzotint.making.opened import system_of
from mezzotint.making.prompt import told

NAMES = [
    "CON.png", "a\nb.png", "\x1b[31mred\x1b[0m.png", "gnp.\u202egnp.exe.png", "..png", "a;rm -rf x.png",
    os.fsdecode(b"\xff\xfe.png"), "$(id).png", "n" * 250 + ".png", "-.png",
]  # fmt: skip
PATHS = ["../../x.png", "/absolute/x.png", "n" * 4096 + ".png", "..\\..\\x.png", "file:///etc/passwd"]


def plain(text: str) -> bool:
    """Whether nothing in it moves a cursor, turns the direction of reading, or starts a line that is not ours."""
    return all(c.isprintable() or c == "\n" for c in text)


def picture(path: Path, seed: int = 0, **texts: str) -> Path:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("__", ":"), text)
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(path, "PNG", pnginfo=info)
    return path


def outside(folder: Path) -> set[str]:
    """Files of a folder's surroundings, but its own, and what the home of all tests remembers of filters."""
    found = (p for p in folder.parent.rglob("*") if p.is_file() and not p.is_relative_to(folder))
    return {str(p) for p in found if p.suffix != ".seen"}


@pytest.mark.parametrize("prompt", ["", " ", "\t\n", "a", ".", "!?", "\u200b", " 7 "])
def test_a_prompt_without_a_word_is_wrong_use(prompt: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", prompt, "--model", "products-latent", "--out", "o", "--json"]
    assert run(words) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "prompt_empty"
    assert not Path("o").exists()


def test_a_short_word_is_one(inside: Path) -> None:
    system = system_of(request_of("", model="products-latent"))
    for prompt in ("猫", "tv", "a tv"):
        told(system, Prompts(prompt), system.size)
    with pytest.raises(PromptEmptyError):
        told(system, Prompts("-"), system.size)


def test_names_of_files_are_labels(
    inside: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown on one line with what cannot be seen spelt out; never a name of anything that is written."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(inside / "home"))  # what is protected here stays here
    Path("mezzotint.toml").write_text('[safety.output]\nnsfw = "off"\ntext = "off"\n')
    for k, name in enumerate(NAMES):
        picture(Path(name), k)
    before = outside(inside)
    each = [[verb, *more, "--", *NAMES] for verb in ("check", "protect") for more in ([], ["--json"])]
    each += [["verify", "--", NAMES[k]] for k in (1, 2, 3)] + [["inspect", "--json", "--", name] for name in NAMES]
    each += [["inspect", "--", NAMES[k]] for k in (1, 2, 3, 6)] + [["verify", "--json", "--", NAMES[6]]]
    for words in each:
        assert run(words) in (0, 3, 4), words
        shown = capsys.readouterr()
        assert plain(shown.out + shown.err), words
        assert "--json" not in words or json.loads(shown.out)["schema"].startswith("mezzotint/")
    assert outside(inside) <= before
    left = {p.name for p in (inside / "home").rglob("*") if p.is_file() and p.suffix != ".seen"}
    assert left == {"copies.sqlite"}, "beside what is known of filters"
    assert sorted(p.name for p in inside.iterdir() if p.is_file()) == sorted([*NAMES, "mezzotint.toml"])
    assert run(["protect", "--forget"]) == 0


@pytest.mark.parametrize("name", PATHS, ids=lambda name: ascii(name)[:20])
def test_what_is_no_name_here_is_one_line(name: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outside(inside)
    for words in (["check"], ["verify"], ["inspect"], ["generate", "sneaker", "--image"]):
        assert run([*words, name]) in (2, 4), words
        shown = capsys.readouterr()
        assert plain(shown.err) and shown.err.count("\n") == 1, words
    assert outside(inside) == before and not any(inside.rglob("*.png"))


def test_prompts_become_names_of_nothing_else() -> None:
    for prompt in (*NAMES, *PATHS, "C:\\x", "nul"):
        made = f"{slug(prompt, 'model')}-7.png"
        assert Path(made).name == made and len(made) < 60 and made.isascii() and plain(made)


IDS = ["../secret", "%2e%2e/secret", "..\\secret", "a" * 31 + "/", "/etc/passwd", "٣" * 32]


@pytest.mark.parametrize("asset", IDS)
def test_an_id_in_a_file_leads_nowhere(asset: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture may say any asset id; the receipt of that name beside it is read, and nothing else."""
    for name in ("secret.json", f"receipts/{asset}.json" if len(asset) == 32 and "/" not in asset else "x.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text('{"secret": 1}')
    picture(Path("a.png"), mezzotint__asset_id=asset)
    assert run(["verify", "a.png", "--json"]) in (0, 3)
    said = capsys.readouterr().out
    states = {one["kind"]: one["state"] for one in json.loads(said)["findings"]}
    assert states["receipt"] == "none" and "secret.json" not in said
    assert run(["read", "a.png"]) == 2 and "secret.json" not in capsys.readouterr().err


@pytest.mark.parametrize("link", ["file", "folder"])
def test_links_beside_a_picture_are_not_followed(link: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asset, away = "a" * 32, inside / "away"
    (away / "receipts").mkdir(parents=True)
    (away / "receipts" / f"{asset}.json").write_text("no receipt")
    here = inside / "here"
    here.mkdir()
    if link == "folder":
        (here / "receipts").symlink_to(away / "receipts")
    else:
        (here / "receipts").mkdir()
        (here / "receipts" / f"{asset}.json").symlink_to(away / "receipts" / f"{asset}.json")
    picture(here / "a.png", mezzotint__asset_id=asset)
    run(["verify", str(here / "a.png"), "--json"])
    states = {one["kind"]: one["state"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert states["receipt"] == "none"


def test_a_run_writes_through_no_link(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    away = inside / "away"
    away.mkdir()
    Path("o").mkdir()
    Path("o/receipts").symlink_to(away)
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 2
    assert "is a link" in capsys.readouterr().err and not list(away.iterdir())


def test_a_run_takes_no_linked_picture_for_its_own(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", "first"]) == 0
    Path("o").mkdir()
    (inside / "o" / "receipts").mkdir()
    (receipt,) = Path("first/receipts").iterdir()
    (inside / "o" / "receipts" / receipt.name).write_bytes(receipt.read_bytes())
    Path("o/sneaker-0.png").symlink_to(inside / "first" / "sneaker-0.png")
    assert run(["generate", "sneaker", "--quiet", "--out", "o"]) == 2
    assert "is not of this run" in capsys.readouterr().err


def test_nothing_is_cleared_behind_a_link(tmp_path: Path) -> None:
    """What killed processes left is removed in a run's folder, and only there."""
    old = time.time() - 7200
    for folder in ("away", "o/receipts"):
        (tmp_path / folder).mkdir(parents=True)
        left = tmp_path / folder / ".x.png.0.part"
        left.write_text("half")
        os.utime(left, (old, old))
    (tmp_path / "o" / "films").symlink_to(tmp_path / "away")
    sweep(tmp_path / "o")
    assert (tmp_path / "away" / ".x.png.0.part").exists() and not (tmp_path / "o/receipts/.x.png.0.part").exists()
