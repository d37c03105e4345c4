"""Bad input is one clear line and exit code 2: no traceback, no half files, nothing lost.  Some in real processes."""

import json
import resource
import shutil
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mezzotint.cli import run
from mezzotint.errors import ModelError
from mezzotint.files import sha256_file
from mezzotint.pretrained.folder import load_model


def fails(done, code: int = 2) -> str:
    """The one line of a refusal."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 1 and lines[0].startswith("mezzotint: "), done.stderr
    assert done.stdout == ""
    return lines[0]


def empty(folder: Path) -> bool:
    """Whether a run left no file behind."""
    return not [p for p in folder.rglob("*") if p.is_file()]


WORDS = [
    (("sneeker",), "unknown label 'sneeker'; did you mean 'Sneaker'?"),
    (("sneaker", "--steps", "many"), "'many' is not a valid integer"),
    (("sneaker", "--solver", "eulr"), "unknown solver 'eulr'; did you mean euler"),
]
MORE = [
    (("sneaker", "--model", "fashon"), "unknown model 'fashon'; did you mean fashion?"),
    (("sneaker", "--size", "9x9"), "size 9x9 is not one that fashion makes; it makes 8x8"),
    (("sneaker", "-n", "0"), "n is 0; expected 1 to 1000000"),
    (("sneaker", "--device", "tpu"), "unknown device 'tpu'"),
    (("sneaker", "--steps", "0"), "0 steps were asked for; expected 1 to"),
    (("sneaker", "--seed", "-1"), "seed -1 is out of range; expected 0 <= seed <="),
    (("sneaker", "--steps", "1000000"), "1000000 steps were asked for; expected 1 to"),
    (("sneaker", "--seed", str(2**63 - 1), "-n", "2"), f"seed {2**63} is out of range"),
    (("sneaker", "--solver", "ddim:eat=1"), "eat has no effect on ddim"),
    (("sneaker", "--solver", "ddim:eta"), "expected NAME:key=value"),
    (("sneaker", "--grid", "karas"), "unknown grid 'karas'; did you mean"),
    (("sneaker", "--scale", "nan"), "scale is nan; expected a finite number"),
    (("sneaker", "--negative-prompt", "tee", "--scale", "1"), "a negative prompt has no effect at scale 1"),
    (("sneaker", "--quality", "good"), "unknown quality 'good'"),
    (("sneaker", "--dtype", "float23"), "unknown dtype 'float23'; did you mean float32"),
    (("sneaker", "--threads", "0"), "threads is 0; expected a whole number from 1"),
    (("sneaker", "--batch", "0"), "batch is 0; expected a whole number from 1"),
    (("sneaker", "--size", "big"), "size 'big' is not WxH in pixels, and fashion makes 8x8 alone"),
    (("sneaker", "--model", "../no"), "no model at ../no"),
]


@pytest.mark.parametrize(("words", "said"), WORDS, ids=lambda v: "-".join(v)[:30] if isinstance(v, tuple) else "")
def test_wrong_words(mezzotint, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    line = fails(mezzotint("generate", *words, "--out", "o"))
    assert said in line
    assert empty(tmp_path)


@pytest.mark.parametrize("name", ["shoe.jpg", "shoe.PNG", "a/shoe.webp"])
def test_a_picture_is_no_folder(inside: Path, capsys, name: str) -> None:
    assert run(["generate", "sneaker", "--quiet", "--out", name]) == 2
    assert f"--out {name} names a picture; expected the run's folder" in capsys.readouterr().err
    assert not list(inside.glob("*"))


@pytest.mark.parametrize(("words", "said"), MORE, ids=lambda v: "-".join(v)[:30] if isinstance(v, tuple) else "")
def test_more_wrong_words(inside: Path, capsys, words: tuple[str, ...], said: str) -> None:
    assert run(["generate", *words, "--out", "o"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err
    assert empty(inside)


TILDES = [
    ("inspect", "~no-such.png"),
    ("verify", "~no-such.png"),
    ("read", "~no-such.png"),
    ("replay", "~no-such.json"),
    ("generate", "sneaker", "--model", "~no-such/model"),
    ("catalog", "check", "~no-such.csv"),
    ("noise", "~no-such.png"),
    ("upscale", "~no-such.png"),
    ("vary", "~no-such.png"),
    ("check", "~no-such.png"),
    ("generate", "sneaker", "--out", "~no-such/o"),
    ("generate", "sneaker", "--image", "~no-such.png"),
]


@pytest.mark.parametrize("words", TILDES, ids=" ".join)
def test_a_tilde_that_names_nobody(inside: Path, capsys, words: tuple[str, ...]) -> None:
    assert run([*words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"{words[-1]}: no home is known of ~no-such" in err and "give its whole path" in err
    assert empty(inside)


def test_a_tilde_is_the_home_where_no_shell_has_seen_it(
    inside: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(inside / "me"))
    assert run(["generate", "sneaker", "--steps", "2", "--quiet", "--out=~/o"]) == 0
    assert (inside / "me/o/sneaker-0.png").is_file() and not (inside / "~").exists()
    assert run(["check", "~/o/sneaker-0.png"]) == 0


@pytest.mark.parametrize("files", ['["a"]', "5", "null", '{"a\\u0000b": "x"}'])
def test_a_checkpoint_that_records_no_files(inside: Path, capsys, files: str) -> None:
    (inside / "state.json").write_text(f'{{"files": {files}}}')
    assert run(["inspect", "."]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "state.json: files is no table of files and hashes" in err


def test_wrong_words_for_machines(inside: Path, capsys) -> None:
    assert run(["generate", "sneeker", "--json"]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["schema"] == "mezzotint/error/1" and document["code"] == "usage"
    assert document["message"].startswith("unknown label") and err.startswith("mezzotint: unknown label")


def test_an_unconditional_model_takes_no_prompt(inside: Path, capsys, plain_tiny: Path) -> None:
    assert run(["generate", "sneaker", "--model", str(plain_tiny)]) == 2
    assert "plain is unconditional: a prompt has no effect" in capsys.readouterr().err
    assert run(["generate", "", "--model", str(plain_tiny), "--scale", "2"]) == 2
    assert "plain is unconditional: scale has no effect" in capsys.readouterr().err
    assert run(["generate", "", "--model", str(plain_tiny), "--quiet", "--out", "o"]) == 0
    assert (inside / "o" / "plain-0.png").is_file()


@pytest.fixture
def broken(home: Path, tmp_path: Path) -> Path:
    """A copy of the model, for breaking."""
    return shutil.copytree(home / "models" / "fashion", tmp_path / "broken")


def claim(folder: Path, sha256: str) -> None:
    table = json.loads((folder / "model.json").read_text())
    table["weights"]["sha256"] = sha256
    (folder / "model.json").write_text(json.dumps(table))


def swap(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Other weights under the same name, the hash corrected: only names and shapes can tell."""
    safetensors.torch.save_file(tensors, folder / "weights.safetensors")
    claim(folder, sha256_file(folder / "weights.safetensors"))


def test_weights_that_are_not(inside: Path, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = broken / "weights.safetensors"
    good = safetensors.torch.load_file(weights)
    name, other = sorted(good)[:2]

    def said() -> str:
        assert run(["generate", "sneaker", "--model", "./broken", "--out", "o", "--quiet"]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and err.startswith("mezzotint: "), err
        return err

    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    assert "the weights were changed or damaged" in said()
    swap(broken, {k: v for k, v in good.items() if k != name})
    assert f"1 tensors are missing, {name!r} first" in said()
    swap(broken, {**good, "spare": torch.zeros(1)})
    with pytest.raises(ModelError, match="1 unknown tensors, 'spare' first"):
        load_model(broken)
    swap(broken, {**good, other: torch.zeros(7, 7)})
    assert f"{other!r} is (7, 7), expected" in said()
    swap(broken, {**good, name: torch.full_like(good[name], float("nan"))})
    with pytest.raises(ModelError, match="holds values that are not finite"):
        load_model(broken)
    weights.write_bytes(struct.pack("<Q", 10**12) + b"{}")
    assert "claims a header of 1000000000000 bytes" in said()
    torch.save(good, weights)
    line = said()
    assert "is a pickle" in line and "mezzotint convert" in line
    assert empty(inside / "o") or not (inside / "o").exists()


def test_a_pickle_as_model(mezzotint, tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "model.ckpt")
    line = fails(mezzotint("generate", "sneaker", "--model", "./model.ckpt"))
    assert "is a pickle" in line and "safetensors" in line


def test_unwritable_folder(mezzotint, inside: Path, capsys) -> None:
    (inside / "file").write_text("")
    assert "cannot write" in fails(mezzotint("generate", "sneaker", "--out", "file/o"))
    assert run(["generate", "sneaker", "--out", "/proc/o"]) == 2
    assert capsys.readouterr().err.startswith("mezzotint: cannot write /proc/o")


def limit_files() -> None:
    """In the child: no file may grow beyond 600 bytes, which is how a full disk answers a write."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))


def test_full_disk(mezzotint, tmp_path: Path) -> None:
    done = mezzotint("generate", "sneaker", "--quiet", "--out", "o", preexec_fn=limit_files)
    assert "cannot write" in fails(done)
    assert empty(tmp_path / "o")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_standard_output(start) -> None:
    with Path("/dev/full").open("w") as full:
        child = start("config", stdout=full)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 2 and err.startswith("mezzotint: cannot write: No space left"), err
    assert err.count("\n") == 1


def test_a_closed_pipe_is_no_error(start) -> None:
    child = start("config")
    child.stdout.close()
    child.wait(timeout=60)
    assert child.returncode == 0 and child.stderr.read() == ""


def test_debug_shows_the_traceback(mezzotint) -> None:
    done = mezzotint("generate", "sneeker", "--debug")
    assert done.returncode == 2 and "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("mezzotint: unknown label")
