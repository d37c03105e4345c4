"""``evaluate`` and ``compare`` on a tiny model and real data files: what they write, and what they refuse."""

import base64
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mezzotint.cli import run
from mezzotint.cli.compare import _place
from mezzotint.errors import InputError
from mezzotint.making import evaluation
from mezzotint.making.evaluated import there
from mezzotint.making.job import Job
from mezzotint.making.prepare import prepare
from mezzotint.making.request import Request, Sampling
from mezzotint.pictures.png import read_picture, to_pixels
from mezzotint.pretrained.folder import describe, save_model
from mezzotint.schemas import schema

Capture = pytest.CaptureFixture[str]
FEW = ("-n", "12", "--steps", "2", "--features", "32", "--threads", "1", "--quiet")
METRICS = ("--metrics", "fidelity,copies")


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IDX files of the size and classes of the tiny model, pictures of noise."""
    folder, random = tmp_path_factory.mktemp("idx"), np.random.default_rng(0)
    for stem, n in (("train", 40), ("t10k", 16)):
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(idx(random.integers(0, 256, (n, 8, 8), np.uint8)))
        (folder / f"{stem}-labels-idx1-ubyte.gz").write_bytes(idx((np.arange(n) % 3).astype(np.uint8)))
    return folder


def refusal(capsys: Capture, *words: str) -> str:
    assert run(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("mezzotint: ")
    return err


def test_evaluate_writes_its_document_its_pictures_and_its_page(inside: Path, data: Path, capsys: Capture) -> None:
    assert run(["evaluate", "fashion", "--data", str(data), *FEW, *METRICS, "--out", "e", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema(found["schema"]))
    written = json.loads(Path("e/evaluation.json").read_text())
    assert written == {k: v for k, v in found.items() if k != "out"}
    assert found["n"] == 12 and found["model"] == "fashion" and found["about"]["steps"] == [2]
    assert found["cost"]["seconds"] > 0 and found["cost"]["parameters"] > 1000 and found["cost"]["calls"] >= 2
    assert set(found["metrics"]) >= {"precision", "recall", "copies of training pictures"}
    assert len(list(Path("e/made").iterdir())) == len(list(Path("e/real").iterdir())) == 12
    assert "data:image/png" in Path("e/page.html").read_text()


GUIDED = ("--scale", "2", "--guidance", "apg:0.5", "--guidance-interval", "2,inf", "--cache", "0.1")


def test_how_it_is_guided_is_said_and_counted(inside: Path, data: Path, capsys: Capture) -> None:
    assert run(["evaluate", "fashion", "--data", str(data), *FEW, *METRICS, *GUIDED, "--out", "e", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema(found["schema"]))
    about = {name: found["about"][name] for name in ("guidance", "guidance_interval", "cache")}
    by = {"name": "apg", "eta": 0.5, "norm": None}
    assert about == {"guidance": by, "guidance_interval": [2.0, None], "cache": 0.1}
    words = ["cost", "plan", "sneaker", "--steps", "2", *GUIDED, "--probe", "0.1", "--quiet", "--json"]
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == found["cost"]["calls"] == 3, "one of two steps is guided"


def never(*_: object) -> None:
    raise AssertionError("pictures are made again")


def test_pictures_are_made_once(
    inside: Path, data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ["evaluate", "fashion", "--data", str(data), *METRICS, *FEW]
    assert run([*words, "--out", "e"]) == 0
    made = {p: p.read_bytes() for p in Path("e").rglob("*") if p.is_file()}
    monkeypatch.setattr("mezzotint.making.evaluation.unreleased", never)
    assert run([*words, "--out", "e"]) == 0
    assert {p: p.read_bytes() for p in Path("e").rglob("*") if p.is_file()} == made
    assert "precision" in capsys.readouterr().out
    said = "the evaluation of fashion that is there has {}; choose another --out"
    for other, changed in (
        ("seed 0, not 1", ("--seed", "1")),
        ("n 12, not 13", ("-n", "13")),
        ("features 32, not 64", ("--features", "64")),
    ):
        assert said.format(other) in refusal(capsys, *words, *changed, "--out", "e")
    shutil.copytree(data, tmp_path / "others")
    (tmp_path / "others" / "t10k-images-idx3-ubyte.gz").write_bytes(
        idx(np.arange(1024, dtype=np.uint8).reshape(16, 8, 8))
    )
    words[words.index("--data") + 1] = str(tmp_path / "others")
    assert said.format("other real pictures") in refusal(capsys, *words, "--out", "e")


def test_an_evaluation_of_an_earlier_version_is_called_so(
    compared: Path, inside: Path, data: Path, capsys: Capture
) -> None:
    out = Path(shutil.copytree(compared / "first", "e")) / "evaluation.json"
    found = json.loads(out.read_text())
    del found["about"]["assets_sha256"]
    out.write_text(json.dumps(found))
    said = refusal(capsys, "evaluate", str(compared / "second"), "--data", str(data), *FEW, *METRICS, "--out", "e")
    assert "that is there is of an earlier version; choose another --out" in said


def test_copies_looked_for_as_an_earlier_version_did_are_not_given_back(
    compared: Path, inside: Path, data: Path, capsys: Capture
) -> None:
    out = Path(shutil.copytree(compared / "first", "e")) / "evaluation.json"
    found = json.loads(out.read_text())
    found["about"]["copies_among"] = {"pictures": 40, "of": 40}
    out.write_text(json.dumps(found))
    said = refusal(capsys, "evaluate", str(compared / "second"), "--data", str(data), *FEW, *METRICS, "--out", "e")
    assert "that is there is of an earlier version; choose another --out" in said


def test_what_is_there_and_does_not_compare_is_refused_before_anything_is_made(
    compared: Path, inside: Path, data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Path(shutil.copytree(compared / "first", "old"))
    found = json.loads((old / "evaluation.json").read_text())
    found["about"]["copies_among"] = {"pictures": 3}
    (old / "evaluation.json").write_text(json.dumps(found))
    monkeypatch.setattr("mezzotint.making.evaluation.unreleased", never)
    words = ("compare", "old", str(compared / "first"), "fashion", "--data", str(data), *FEW, *METRICS, "--out", "c")
    assert "looked for copies among others do not compare" in refusal(capsys, *words)


def test_a_policy_that_cannot_be_read_does_not_make_an_evaluation_anew(
    compared: Path, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise InputError("brand.toml is no policy")

    assert there(compared / "first") is not None
    monkeypatch.setattr("mezzotint.governance.safety.output.gate.load", broken)
    with pytest.raises(InputError, match="is no policy"):
        there(compared / "first")


def test_a_run_that_was_stopped_goes_on_and_leaves_nothing_that_no_gate_has_seen(
    inside: Path, data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["evaluate", "fashion", "--data", str(data), *FEW, *METRICS, "--batch", "1", "--out", "e"]
    whole, made = evaluation.unreleased, list[int]()

    def stopped(job: Job) -> Iterator[object]:
        made.append(len(job.pictures))
        if len(made) == 2:
            raise KeyboardInterrupt
        return whole(job)

    monkeypatch.setattr(evaluation, "unreleased", stopped)
    assert run(words) == 130
    place = Path("e", "work")
    (kept,) = place.glob("*.npz")
    (place / "mine.npz").write_bytes(b"of the user")
    (place / f".{kept.name}.{'5f' * 6}.part").write_bytes(b"of a killed run")
    assert run(words) == 0 and made == [4, 4, 4, 4], "one piece of three was there"
    assert [p.name for p in place.iterdir()] == ["mine.npz"]


def test_a_piece_of_an_earlier_version_is_made_anew(tiny: Path, inside: Path) -> None:
    """The gate would not know how far its prompts moved the first step."""
    job = prepare(Request("sneaker", model=tiny, n=2, sampling=Sampling(steps=2)))
    made = evaluation.pictures(job, Path("w"))
    assert len(made.firsts) == 2
    (path,) = Path("w").iterdir()
    np.savez(path, pictures=np.zeros((2, 1, 8, 8), np.uint8), seconds=1.0)
    assert evaluation.pictures(job, Path("w")).images.equal(made.images)


@pytest.fixture
def strict(inside: Path) -> Callable[[], None]:
    """A policy by which nothing grey may leave."""

    def begin(output: str = "") -> None:
        (inside / "brand.toml").write_text('[colours]\npalette = ["#ff0000"]\nshare = 1.0\n')
        (inside / "mezzotint.toml").write_text(f'[safety]\nbrand = "brand.toml"\n{output}')

    return begin


CODE = "MZ-O-brand-palette"


def pixels_in(folder: Path) -> set[bytes]:
    return {to_pixels(read_picture(path)).tobytes() for path in folder.iterdir()}


def test_a_picture_that_the_gate_withholds_is_shown_to_nobody_and_measured(
    inside: Path, data: Path, capsys: Capture, strict: Callable[[], None]
) -> None:
    words = ["evaluate", "fashion", "--data", str(data), *[w for w in FEW if w != "--quiet"], *METRICS]
    assert run([*words, "--out", "all"]) == 0
    free = json.loads(Path("all/evaluation.json").read_text())
    assert free["about"]["withheld"] == {"of": 12, "count": 0, "pictures": []}
    assert all(b"digitalsourcetype/" in p.read_bytes() for p in Path("all/made").iterdir())
    assert not any(b"digitalsourcetype/" in p.read_bytes() for p in Path("all/real").iterdir())
    capsys.readouterr()
    strict()
    assert run([*words, "--out", "none"]) == 0
    held = json.loads(Path("none/evaluation.json").read_text())
    jsonschema.validate(held, schema(held["schema"]))
    assert held["metrics"] == free["metrics"] and held["n"] == 12, "the model is measured, not the gate"
    assert held["about"]["withheld"]["count"] == held["about"]["withheld"]["of"] == 12
    each = held["about"]["withheld"]["pictures"]
    assert each[3] == {"file": "made/03.png", "seed": 3, "decision": "review", "codes": [CODE]}
    assert len(pixels_in(Path("none/made"))) == 1, "all tiles are the same"
    assert not pixels_in(Path("none/made")) & pixels_in(Path("all/made"))
    page = Path("none/page.html").read_text()
    assert not any(base64.b64encode(p.read_bytes()).decode() in page for p in Path("all/made").iterdir())
    assert f"seed 3 of fashion is not given out: {CODE}" in capsys.readouterr().err


def test_pictures_of_an_evaluation_that_is_there_pass_the_policy_of_now(
    inside: Path, home: Path, data: Path, capsys: Capture, strict: Callable[[], None]
) -> None:
    words = ["--data", str(data), *FEW, *METRICS]
    assert run(["evaluate", "fashion", *words, "--out", "first"]) == 0
    shown = [base64.b64encode(p.read_bytes()).decode() for p in Path("first/made").iterdir()]
    strict()
    shutil.copytree(home / "models/fashion", "second")
    assert run(["compare", "first", "second", *words, "--out", "both"]) == 0
    page = Path("both/page.html").read_text()
    assert page.count("data:image/png") == 3 * 12 and not any(one in page for one in shown)
    assert run(["evaluate", "fashion", *words, "--out", "first"]) == 0
    assert len(pixels_in(Path("first/made"))) == 1
    for name in ("brand.toml", "mezzotint.toml"):
        (inside / name).unlink()
    assert run(["compare", "first", "both/second", "--out", "again"]) == 0
    assert json.loads(Path("again/comparison.json").read_text())["evaluations"][0]["about"]["withheld"]["count"] == 12


def test_what_is_withheld_is_sealed_for_a_reviewer(
    inside: Path, data: Path, capsys: Capture, strict: Callable[[str], None]
) -> None:
    assert run(["keys", "quarantine", "--out", "keys"]) == 0
    strict('[safety.output]\nquarantine = "sealed"\nquarantine_key = "keys/quarantine.pub"\n')
    assert run(["evaluate", "fashion", "--data", str(data), *FEW, *METRICS, "--out", "e"]) == 0
    boxes = sorted(Path("e/quarantine").glob("*.sealed"))
    assert len(boxes) == len(list(Path("e/quarantine").glob("*.json"))) == 12
    opened = ["quarantine", "open", str(boxes[0]), "--key", "keys/quarantine.key"]
    assert run(opened) == 0


@pytest.mark.parametrize("about", ['{"withheld": 3}', '{"withheld": {"pictures": [3]}}'])
def test_a_document_that_says_nonsense_of_what_is_withheld(
    inside: Path, data: Path, capsys: Capture, about: str, compared: Path
) -> None:
    shutil.copytree(compared / "first", "broken")
    found = json.loads(Path("broken/evaluation.json").read_text())
    Path("broken/evaluation.json").write_text(json.dumps({**found, "about": json.loads(about)}))
    assert "evaluate the model again" in refusal(capsys, "compare", "broken", str(compared / "first"), "--out", "c")


def test_compare_sets_two_side_by_side(inside: Path, home: Path, data: Path, capsys: Capture) -> None:
    shutil.copytree(home / "models/fashion", "second")
    words = ["--data", str(data), *FEW, *METRICS]
    assert run(["evaluate", "fashion", *words, "--out", "first"]) == 0
    capsys.readouterr()
    assert run(["compare", "first", "second", *words, "--out", "both", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema(found["schema"]))
    assert [e["model"] for e in found["evaluations"]] == ["fashion", "second"]
    page = Path("both/page.html").read_text()
    assert page.count("data:image/png") == 3 * 12 and "second" in page
    assert run(["compare", "both/second", "first", "--out", "again"]) == 0
    assert "real pictures" in capsys.readouterr().out


def test_what_does_not_compare_is_refused(inside: Path, data: Path, capsys: Capture, home: Path) -> None:
    shutil.copytree(home / "models/fashion", "second")
    words = ["--data", str(data), *METRICS]
    assert run(["evaluate", "fashion", *words, *FEW, "--out", "a"]) == 0
    assert run(["evaluate", "second", *words, *FEW, "-n", "13", "--out", "b"]) == 0
    capsys.readouterr()
    assert "different reference_sha256 do not compare" in refusal(capsys, "compare", "a", "b", "--out", "c")
    assert "two of these are called a; give each once" in refusal(capsys, "compare", "a", "a", "--out", "d")
    Path("b/evaluation.json").write_text('{"schema": "mezzotint/evaluation/2"}')
    assert "evaluate the model again" in refusal(capsys, "compare", "a", "b", "--out", "e")


def test_models_of_one_name_are_told_apart_by_their_folders(
    inside: Path, home: Path, data: Path, capsys: Capture
) -> None:
    for run_of in ("a", "b"):
        shutil.copytree(home / "models/fashion", Path(run_of) / "model")
    words = ["--data", str(data), *FEW, *METRICS]
    assert run(["compare", "a/model", "b/model", *words, "--out", "both", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema(found["schema"]))
    assert [e["model"] for e in found["evaluations"]] == ["a/model", "b/model"]
    made = sorted(path.parent for path in Path("both").glob("*/evaluation.json"))
    assert len(made) == 2
    assert run(["compare", *map(str, made), "fashion", *words, "--out", "again", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [e["model"] for e in found["evaluations"]] == [*(path.name for path in made), "fashion"]


def test_what_cannot_be_told_apart_is_refused_before_anything_is_evaluated(inside: Path, capsys: Capture) -> None:
    words = ("--data", "nowhere", *FEW, *METRICS, "--out", "twice")
    assert "two of these are called fashion" in refusal(capsys, "compare", "fashion", "fashion", *words)
    assert "unknown model 'fashoin'" in refusal(capsys, "compare", "fashion", "fashoin", *words)
    assert not list(Path("twice").iterdir())


def test_every_path_has_a_folder_of_its_own() -> None:
    long = "/".join(["a-folder-of-runs"] * 4)
    said = [f"{long}/one", f"{long}/two", "a/b", "a-b", "A-b", "a.b"]
    places = [_place(Path("out"), one) for one in said]
    assert len(set(places)) == len(said) and places[3] == Path("out/a-b")
    assert {place.parent for place in places} == {Path("out")}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("-n", "13"), "that is there has n 12, not 13; choose another --out"),
        (("--seed", "1"), "there has seed 0, not 1"),
        (("--steps", "3"), "there has steps 2, not 3"),
        (("--scale", "2.5"), "there has scale the preset's, not 2.5"),
        (("--solver", "ddim"), "there has solver the preset's, not ddim"),
        (("--scale", "1.5", "--guidance", "apg"), "there has scale the preset's, not 1.5"),
        (("--guidance", "apg"), "there has guidance the preset's, not apg"),
        (("--metrics", "fidelity"), "there has metrics fidelity,copies, not fidelity"),
    ],
)
def test_an_evaluation_by_other_words_is_not_taken(
    compared: Path, inside: Path, data: Path, capsys: Capture, changed: tuple[str, ...], said: str
) -> None:
    words = ("compare", "fashion", str(compared / "first"), "--data", str(data), *FEW, *METRICS)
    out = ("--out", shutil.copytree(compared / "both", inside / "both"))
    assert said in refusal(capsys, *words, *changed, *map(str, out))
    assert run([*words, *map(str, out)]) == 0


def test_an_evaluation_of_other_weights_is_not_taken(compared: Path, inside: Path, data: Path, capsys: Capture) -> None:
    model, words = Path(shutil.copytree(compared / "second", "second")), ("--data", str(data), *FEW, *METRICS)
    shutil.copytree(compared / "first", "e")
    assert run(["evaluate", "second", *words, "--out", "e"]) == 0
    capsys.readouterr()
    (weights,) = model.glob("*.safetensors")
    save_model(model, {name: -w for name, w in load_file(weights).items()}, describe(model).spec, torch.bfloat16)
    assert "there has pictures of other weights" in refusal(capsys, "evaluate", "second", *words, "--out", "e")


@pytest.fixture(scope="session")
def compared(home: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model's evaluation, ``first``, and one of ``compare``, never written to."""
    folder = tmp_path_factory.mktemp("compared")
    words = ["--data", str(data), *FEW, *METRICS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_HOME", str(home))
        shutil.copytree(home / "models/fashion", folder / "second")
        assert run(["evaluate", str(folder / "second"), *words, "--out", str(folder / "first")]) == 0
        assert run(["compare", "fashion", str(folder / "first"), *words, "--out", str(folder / "both")]) == 0
    return folder


def test_bad_words(inside: Path, data: Path, capsys: Capture) -> None:
    words = ("--data", str(data), *FEW, "--out", "x")
    assert "too few for frechet: expected at least 1281" in refusal(capsys, "evaluate", "fashion", *words)
    unread = ("--data", "nowhere", *FEW, "--out", "x")
    assert "too few for frechet" in refusal(capsys, "evaluate", "fashion", *unread)
    none = ("--data", "nowhere", *FEW, "-n", "0", "--metrics", "copies", "--out", "x")
    assert "0 pictures are too few for copies: expected at least 1" in refusal(capsys, "evaluate", "fashion", *none)
    assert "metric" in refusal(capsys, "evaluate", "fashion", *words, "--metrics", "beauty")
    assert "give real pictures" in refusal(capsys, "evaluate", "fashion", *METRICS, "--out", "x")
    assert "multiple of 32" in refusal(capsys, "evaluate", "fashion", *words, "--features", "33")
    assert "nothing" in refusal(capsys, "evaluate", "nothing", *words)
