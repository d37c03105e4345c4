"""What people get wrong with ``tune`` is one line and exit code 2, said before a picture is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cascades
import checkpoints
import pytest
import torch
from safetensors.torch import load_file
from tuning_case import CARD, Whole, finished, limited, photographs, started, text_cascade, words

from mezzotint.cli import run
from mezzotint.errors import UsageError
from mezzotint.files import read_bytes
from mezzotint.making.tuned.licences import LIMITED
from mezzotint.pretrained.model import load
from mezzotint.pretrained.tunable import tunable

LONG = "x" * 10_000


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in; no settings of the user's."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int = 2) -> str:
    """The one line of a refusal."""
    assert run([*arguments, "--quiet"]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("mezzotint: "), err
    return err.strip()


WORDS = [
    (("--rank", "100"), "blocks.0.attention.qkv: rank 100 is larger than a layer of (96, 32); expected at most 32"),
    (("--method", "pissa", "--rank", "100"), "rank 100 is larger than a layer"),
    (("--rank", "0"), "rank is 0; expected 1 to 1024"),
    (("--targets", "nothing"), "targets 'nothing' are in no layer's name; they are such as"),
    (("--targets", "("), "targets '(' is no regular expression"),
    (("--method", "lorra"), "unknown method 'lorra'; did you mean lora"),
    (("--method", "full", "--alpha", "2"), "alpha has no effect on full; leave it out"),
    (("--method", "lokr", "--lora-plus", "4"), "LoRA+ has no effect on lokr, which has no B"),
    (("--alpha", "nan"), "alpha is nan; expected above 0"),
    (("--lora-plus", "0.5"), "LoRA+ rate is 0.5 times; expected 1 to 1000"),
    (("--rate", "-1"), "rate is -1; expected above 0 and at most 1"),
    (("--rate", "nan"), "rate is nan; expected above 0 and at most 1"),
    (("--prior", "nan"), "prior nan, outside 0.2; expected 0 <= share < 1"),
    (("--prior", "inf"), "prior inf"),
    (("--share", "1"), "share 1, prior 4"),
    (("--outside", "2"), "outside 2; expected"),
    (("--moments", "9"), "9 moments of 8 steps; expected no more than steps"),
    (("--steps", "0"), "steps 0, batch 4, moments 2; expected each 1 or more"),
    (("--batch", "0"), "steps 8, batch 0, moments 2; expected each 1 or more"),
    (("--seed", "-1"), "seed -1 is out of range"),
    (("--seed", str(2**63)), "is out of range"),
    (("-n", "1"), "1 pictures to judge by, 4 of the prior; expected 2 to 1000, and 0 to 1000"),
    (("--prior-pictures", "-1"), "-1 of the prior"),
    (("--name", ""), "name ''; expected a few words, such as 'acme bag'"),
    (("--name", LONG), f"name '{LONG[:80]}'; expected a few words"),
    (("--name", "a\x07b mug"), "expected a few words, such as 'acme bag'"),
    (("--class", "\x00"), "class '\\x00'; expected a few words"),
    (("--also", "x"), "--also 'x'; expected FOLDER=NAME or FOLDER=NAME:CLASS"),
    (("--also", "=x"), "--also '=x'; expected FOLDER=NAME"),
    (("--also", "x="), "--also 'x='; expected FOLDER=NAME"),
    (("--also", "x=Acme  MUG"), "two subjects have one name; give each its own"),
    (("--also", "x=acme mug"), "two subjects have one name; give each its own"),
    (("--also", "none=oak chair"), "none is no folder; expected a folder of photographs"),
    (("--also", "none=oak chair", "--judge-by", "none"), "--judge-by is for one subject"),
    (("--judge-by", "none"), "none is no folder; expected a folder of photographs"),
    (("--model", "nope"), "unknown model 'nope'"),
    (("--dtype", "float23"), "unknown dtype 'float23'; did you mean float32"),
    (("--device", "tpu"), "unknown device 'tpu'"),
    (("--resume",), "holds no run of tune to go on with; leave --resume out to begin one"),
    (("--out", "/proc/o"), "cannot write /proc/o"),
    (("--out", "bag.png"), "--out bag.png names a picture"),
]


@pytest.mark.parametrize(("more", "said"), WORDS, ids=lambda v: "-".join(v)[:30] if isinstance(v, tuple) else "")
def test_wrong_words(
    inside: Path, capsys: pytest.CaptureFixture[str], cascade: Path, shoot: Path, more: tuple[str, ...], said: str
) -> None:
    assert said in fails(capsys, words(shoot, cascade, inside / "o", *more))
    assert not (inside / "o").exists()


def test_resume_needs_its_folder(inside: Path, capsys: pytest.CaptureFixture[str], cascade: Path, shoot: Path) -> None:
    said = fails(capsys, ["tune", str(shoot), "--name", "acme mug", "--model", str(cascade), "--resume"])
    assert said == "mezzotint: --resume goes on with a run; name its folder with --out"
    assert not any(inside.iterdir())


@pytest.mark.parametrize("photos", ["none", "empty", "corrupt"])
def test_no_photographs(inside: Path, capsys: pytest.CaptureFixture[str], cascade: Path, photos: str) -> None:
    (inside / "empty").mkdir()
    (inside / "corrupt").mkdir()
    (inside / "corrupt/a.jpg").write_bytes(b"no picture")
    wanted = {"none": "none is no folder", "empty": "has no pictures", "corrupt": "no photograph can be read"}
    assert wanted[photos] in fails(capsys, words(Path(photos), cascade, inside / "o"))


def test_a_model_of_labels_says_what_to_use(
    inside: Path, capsys: pytest.CaptureFixture[str], tiny: Path, shoot: Path
) -> None:
    said = fails(capsys, words(shoot, tiny, inside / "o"))
    assert "tiny is told no text, so it can learn no name" in said and "--model, such as products-latent" in said


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (checkpoints.stable_diffusion_inpaint, "is told a picture beside the text, as inpainting and upscaling are"),
        (checkpoints.upscaler, "is told a picture beside the text, as inpainting and upscaling are"),
        (cascades.karlo, "decoder has 2 networks in its main stage; one can be tuned at a time"),
    ],
)
def test_models_that_cannot_be_tuned(
    inside: Path, capsys: pytest.CaptureFixture[str], shoot: Path, make: Callable[[Path], Path], wanted: str
) -> None:
    model = make(inside / "made")
    capsys.readouterr()
    assert wanted in fails(capsys, words(shoot, model, inside / "o"))


def test_a_network_that_adapters_do_not_go_on(cascade: Path) -> None:
    with pytest.raises(UsageError, match="up takes no adapters: its network has no layers that they go on"):
        tunable(load(cascade).stages[1], "cpu", torch.float32)


def test_an_adapter_is_never_overwritten(
    capsys: pytest.CaptureFixture[str], cascade: Path, shoot: Path, whole: Whole
) -> None:
    before = read_bytes(whole.out / "adapter.safetensors", 1 << 20)
    for more in ((), ("--resume",)):
        said = fails(capsys, words(shoot, cascade, whole.out, *more))
        assert said.endswith("holds an adapter already; choose another folder with --out")
    assert read_bytes(whole.out / "adapter.safetensors", 1 << 20) == before


def test_notes_and_licences_are_said_before_anything_is_learnt(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = text_cascade(inside / "limited", replace(CARD, licence="CC-BY-NC-4.0"))
    photos = photographs(inside / "mugs", 4)
    (photos / "more.png").write_bytes((photos / "3.png").read_bytes())
    (photos / "bad.png").write_bytes(b"x")
    (photos / "gone.txt").write_text("x")
    assert run([*words(photos, model, inside / "o"), "--minutes", "0.00001"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "limited has the licence CC-BY-NC-4.0: an adapter of it may not be used in trade" in err
    assert "3.png and more.png are the same picture" in err and "gone.txt is a caption of no picture" in err
    assert "left out:" in err and "bad.png is not a sound picture" in err
    assert err.splitlines()[-1] == f"mezzotint: stopped; go on with the same words, --resume --out {inside / 'o'}"
    assert not (inside / "o/run").exists()


@pytest.mark.parametrize(
    ("licence", "limited"),
    [
        ("CC0-1.0", False), ("Apache-2.0", False), ("creativeml-openrail-m", False), ("CC-BY-4.0", False),
        ("CC-BY-NC-4.0", True), ("CC BY NC 4.0", True), ("cc-by-nc-sa-3.0", True), ("CC-BY-ND-4.0", True),
        ("FLUX.1 [dev] Non-Commercial License", True), ("flux-1-dev-non-commercial-license", True),
        ("stabilityai-noncommercial", True), ("MIT with NCSA", False),
    ],
)  # fmt: skip
def test_licences_that_forbid_trade(licence: str, limited: bool) -> None:
    assert (LIMITED.search(licence.lower()) is not None) == limited


def test_other_words_do_not_go_on_with_a_run(
    inside: Path, capsys: pytest.CaptureFixture[str], cascade: Path, shoot: Path, whole: Whole
) -> None:
    out = shutil.copytree(whole.out, inside / "o")
    (out / "adapter.safetensors").unlink()
    assert "holds a run already; give --resume" in fails(capsys, words(shoot, cascade, out))
    said = fails(capsys, words(shoot, cascade, out, "--resume", "--rank", "3"))
    assert "the checkpoint was made by another recipe (they differ in: net)" in said


@pytest.mark.slow
def test_a_full_disk_and_then_room(tmp_path: Path, cascade: Path, shoot: Path, whole: Whole) -> None:
    out = tmp_path / "o"
    code, printed, err = finished(started(words(shoot, cascade, out, "--quiet"), tmp_path, limited))
    assert code == 2 and printed == "" and err.count("\n") == 1, err
    assert err.startswith("mezzotint: cannot write ") and not (out / "adapter.safetensors").exists()
    assert not list(out.rglob("*.part"))
    code, _, err = finished(started(words(shoot, cascade, out, "--quiet", "--resume"), tmp_path))
    assert code == 0, err
    ours, theirs = (load_file(folder / "adapter.safetensors") for folder in (out, whole.out))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
