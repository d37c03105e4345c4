"""``mezzotint guide``, and guidance by other means in use: pictures, receipts, words that do not fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from asking import request_of

import mezzotint as mz
from mezzotint.cli import run
from mezzotint.errors import ModelError, UsageError
from mezzotint.files import sha256_file
from mezzotint.schemas import schema
from mezzotint.tensorfile import read_header, read_tensors, write_tensors

FAST = ["--updates", "250", "--batch", "16", "--rank", "8", "--threads", "1", "--dtype", "float32", "--quiet"]
WORDS = ["Sneaker", "--seed", "5", "--threads", "1", "--quiet", "--steps", "10"]


def placed(home: Path, folder: Path) -> Path:
    """A home with the tiny model as one that is sampled in 10 steps: with 4 it would count as distilled."""
    model = folder / "models" / "fashion"
    shutil.copytree(home / "models" / "fashion", model)
    table = json.loads((model / "model.json").read_text())
    table["sampling"]["standard"]["steps"] = 10
    (model / "model.json").write_text(json.dumps(table))
    return folder


@pytest.fixture(scope="module")
def kept(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the tiny model's guidance at scale 3 was learnt."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(tiny, folder / "before" / "models" / "fashion")
    home = placed(folder / "before", folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_HOME", str(home))
        assert run(["guide", "fashion", "--scale", "3", *FAST]) == 0
    return home


@pytest.fixture
def own(kept: Path, inside: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be changed."""
    monkeypatch.setenv("MEZZOTINT_HOME", str(shutil.copytree(kept, inside / "own")))
    return inside / "own"


def file(home: Path) -> Path:
    return next(home.glob("guidance/*/*.safetensors"))


@contextmanager
def rows() -> Iterator[list[int]]:
    """How many rows each call of a network computes."""
    from mezzotint.nets.dit import DiT

    seen: list[int] = []
    hook = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda net, given: seen.append(len(given[0])) if isinstance(net, DiT) else None
    )
    try:
        yield seen
    finally:
        hook.remove()


def made(**words: object) -> mz.Image:
    return mz.generate("Sneaker", model="fashion", seed=5, steps=10, threads=1, dtype="float32", **words).images[0]  # type: ignore[arg-type]


def far(a: mz.Image, b: mz.Image) -> float:
    return float(np.square(a.pixels.astype(float) - b.pixels.astype(float)).mean())


def test_it_takes_one_call_a_step_and_is_nearer_to_two_than_none_is(own: Path) -> None:
    weights = (own / "models" / "fashion" / "weights.safetensors").read_bytes()
    with rows() as seen:
        one = made(scale=3.0, guidance="distilled")
    assert seen == [1] * 10, "evaluations a step"
    with rows() as seen:
        two = made(scale=3.0)
    assert seen == [2] * 10
    assert far(one, two) < far(made(scale=1.0), two)
    assert (own / "models" / "fashion" / "weights.safetensors").read_bytes() == weights


def test_the_receipt_says_it_and_the_picture_is_made_again(own: Path, inside: Path, capsys) -> None:
    assert run(["generate", *WORDS, "--scale", "3", "--guidance", "distilled", "--out", "one"]) == 0
    receipt = next((inside / "one" / "receipts").glob("*.json"))
    document = json.loads(receipt.read_text())
    jsonschema.validate(document, schema("mezzotint/receipt/2"))
    assert document["made"]["stages"][0]["guidance"] == {"name": "distilled", "sha256": sha256_file(file(own))}
    capsys.readouterr()
    assert run(["read", str(receipt), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "--guidance=distilled:from=GUIDANCE" in said["command"]
    words = [*WORDS, "--scale", "3", "--guidance", f"distilled:from={file(own)}", "--out", "two"]
    assert run(["generate", *words]) == 0
    again = json.loads(next((inside / "two" / "receipts").glob("*.json")).read_text())
    assert again["asset_id"] == document["asset_id"] and again["pixels_sha256"] == document["pixels_sha256"]


def test_replay_finds_the_file_by_its_hash_and_names_it_where_it_is_gone(own: Path, inside: Path) -> None:
    assert run(["generate", *WORDS, "--scale", "3", "--guidance", "distilled", "--out", "one"]) == 0
    receipt = next((inside / "one" / "receipts").glob("*.json"))
    other = file(own).with_name("0.safetensors")
    tensors = {name: 2 * value for name, value in read_tensors(file(own)).items()}
    write_tensors(other, tensors, read_header(file(own)).metadata)
    assert mz.replay(receipt).verdict == "exact"
    other.write_bytes(b"damaged, and not what the receipt names")
    assert mz.replay(receipt).verdict == "exact"
    other.unlink()
    model = own / "models" / "fashion"
    (model / "guidance").mkdir()
    file(own).rename(model / "guidance" / "mine.safetensors")
    assert mz.replay(receipt).verdict == "exact"
    (model / "guidance" / "mine.safetensors").rename(inside / "elsewhere.safetensors")
    with pytest.raises(UsageError, match="needs GUIDANCE"):
        mz.replay(receipt)
    assert mz.replay(receipt, have={"GUIDANCE": inside / "elsewhere.safetensors"}).verdict == "exact"


def test_ones_own_comes_before_what_came_with_the_model(own: Path) -> None:
    beside = own / "models" / "fashion" / "guidance" / file(own).name
    tensors = {name: 2 * value for name, value in read_tensors(file(own)).items()}
    write_tensors(beside, tensors, read_header(file(own)).metadata)
    for path in (file(own), beside):
        plan = mz.prepare(request_of("Sneaker", model="fashion", scale=3.0, guidance="distilled")).main.plan
        assert plan.guidance is not None and plan.guidance.said["sha256"] == sha256_file(path)
        path.unlink()


@pytest.mark.parametrize(
    ("words", "why"),
    [({"scale": 2.5}, "made for scale 3, not 2.5"), ({"scale": 3.0, "guidance_interval": "0.3,4"}, "every level")],
)
def test_where_it_does_not_fit_the_usual_guidance_is_taken_and_said(own: Path, words: dict, why: str) -> None:
    job = mz.prepare(request_of("Sneaker", model="fashion", guidance="distilled", **words))
    assert any(why in note for note in job.notes) and job.main.plan.guidance is None
    with rows() as seen:
        made(guidance="distilled", **words)
    assert max(seen) == 2


def test_where_there_is_none_it_is_said_how_to_make_it(home: Path, inside: Path) -> None:
    with pytest.raises(UsageError, match="mezzotint guide"):
        mz.prepare(request_of("Sneaker", model="fashion", scale=3.0, guidance="distilled"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"scale": 1.0}, "no effect at scale 1"),
        ({"scale": 3.0, "negative_prompt": "Ankle boot"}, "negative prompt has no effect"),
        ({"scale": 3.0, "guidance": "sideways"}, "expected distilled"),
    ],
)
def test_words_without_effect_are_refused(own: Path, words: dict, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        mz.prepare(request_of("Sneaker", model="fashion", **{"guidance": "distilled", **words}))


def test_a_file_for_other_weights_or_damaged_is_refused(own: Path) -> None:
    path = file(own)
    header, tensors = read_header(path), read_tensors(path)
    said = json.loads(header.metadata["mezzotint"])
    for change, why in (
        ({"weights_sha256": "0" * 64}, "was made for"),
        ({"schema": "mezzotint/guidance/9"}, "schema"),
        ({"scales": [3.0, 1.0]}, "no distilled guidance"),
    ):
        other = own / "other.safetensors"
        write_tensors(other, tensors, {"mezzotint": json.dumps({**said, **change})})
        with pytest.raises(ModelError, match=why):
            mz.prepare(request_of("Sneaker", model="fashion", scale=3.0, guidance=f"distilled:from={other}"))
    some = dict(list(tensors.items())[1:])
    write_tensors(own / "other.safetensors", some, dict(header.metadata))
    with pytest.raises(ModelError, match="lacks tensors"):
        mz.prepare(
            request_of("Sneaker", model="fashion", scale=3.0, guidance=f"distilled:from={own / 'other.safetensors'}")
        )


def test_a_misfit_is_refused_and_nothing_is_kept(home: Path, inside: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(placed(home, inside / "own")))
    words = ["--scale", "3", "--updates", "1", "--batch", "8", "--threads", "1", "--dtype", "float32", "--quiet"]
    assert run(["guide", *words, "--json"]) == 3
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    jsonschema.validate(document, schema("mezzotint/guide/1"))
    assert not document["kept"] and "not kept" in printed.err
    assert not list((inside / "own").glob("guidance/*/*.safetensors"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--scale", "1"], "1 is off"),
        (["--scale", "3,2"], "LOW <= HIGH"),
        (["--scale", "much"], "expected a number"),
        (["--updates", "0"], "updates is 0"),
    ],
)
def test_bad_words_give_one_line(own: Path, words: list[str], why: str, capsys) -> None:
    assert run(["guide", *words, "--quiet"]) == 2
    assert why in capsys.readouterr().err


def test_away_from_itself_the_scale_says_nothing(own: Path) -> None:
    """The law of autoguidance: of a model and itself, every scale is the model."""
    folder = own / "models" / "fashion"
    plain = made(scale=1.0)
    for scale in (2.0, 7.0):
        with rows() as seen:
            image = made(scale=scale, guidance=f"auto:weak={folder}")
        assert seen == [1] * 20 and np.array_equal(image.pixels, plain.pixels)
    said = image.receipt.made.stage.guidance
    assert said is not None and said["name"] == "auto" and said["model"] == "fashion"


def test_an_earlier_average_of_the_same_network_guides(own: Path, inside: Path, plain_tiny: Path) -> None:
    """A file as training keeps them (snapshots); and a model of other pictures is refused."""
    weights = read_tensors(own / "models" / "fashion" / "weights.safetensors")
    early = {name: 0.9 * w.float() for name, w in weights.items() if w.is_floating_point()}
    path = inside / "power-0.1000-00000100.safetensors"
    write_tensors(path, early, {"sigma_rel": "0.1", "step": "100"})
    one, plain = (made(scale=s, guidance=f"auto:weak={path}") for s in (2.0, 1.5))
    assert not np.array_equal(one.pixels, plain.pixels)
    with pytest.raises(ModelError):
        write_tensors(path, {"elsewhere": torch.zeros(2)}, {})
        made(scale=2.0, guidance=f"auto:weak={path}")
    with pytest.raises(UsageError, match="worse version"):
        made(scale=2.0, guidance=f"auto:weak={plain_tiny}")


def test_the_cache_is_in_the_receipt_and_0_changes_nothing(own: Path, inside: Path, capsys) -> None:
    plain, zero, loose = (made(scale=3.0, cache=t) for t in (None, 0.0, 0.5))
    assert np.array_equal(plain.pixels, zero.pixels)
    assert [i.receipt.made.stage.cache for i in (plain, zero, loose)] == [None, 0.0, 0.5]
    assert run(["generate", *WORDS, "--cache", "0.5", "--out", "one"]) == 0
    receipt = next((inside / "one" / "receipts").glob("*.json"))
    jsonschema.validate(json.loads(receipt.read_text()), schema("mezzotint/receipt/2"))
    capsys.readouterr()
    assert run(["read", str(receipt)]) == 0 and "--cache=0.5" in capsys.readouterr().out
    assert run(["generate", *WORDS, "--cache", "-1"]) == 2 and "cache is -1" in capsys.readouterr().err
