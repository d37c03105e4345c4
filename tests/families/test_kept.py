"""Prompts that were encoded before: the same pictures to the bit, without the encoders and their library."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from asking import request_of
from checkpoints import pixart
from test_lora import written

import mezzotint as mz
from mezzotint.errors import UsageError
from mezzotint.pretrained.families import kept
from mezzotint.pretrained.families.clip import Tower
from mezzotint.pretrained.families.t5 import T5Tower
from mezzotint.tensorfile import read_header

SECRET = "a red chair zebra"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def entries(home: Path) -> list[Path]:
    return sorted((home / "encoded").glob("*"))


def pixels(folder: Path, prompt: str | list[str] = SECRET, **words: Any) -> list[np.ndarray]:
    done = mz.generate(prompt, model=folder, **{"seed": 3, "steps": 2, "size": "32x32", **words})
    return [image.pixels for image in done.images]


@pytest.fixture
def no_encoders(monkeypatch: pytest.MonkeyPatch) -> Any:
    def forbid() -> None:
        def fault(*_: object, **__: object) -> None:
            raise AssertionError("an encoder was asked")

        for owner, name in ((Tower, "states"), (Tower, "_cut"), (T5Tower, "_encoded"), (T5Tower, "count")):
            monkeypatch.setattr(owner, name, fault)

    return forbid


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux_dev", "pixart"])
def test_the_same_picture_and_receipt_without_the_encoders(
    family: str, home: Path, no_encoders: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = pixart(tmp_path) if family == "pixart" else request.getfixturevalue(family)
    words: dict[str, Any] = {"model": folder, "seed": 3, "steps": 2, "size": "32x32"}
    words |= {} if family == "flux_dev" else {"negative_prompt": "blue"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZZOTINT_TEXT_CACHE", "off")
        off = mz.generate(SECRET, **words).images[0]
    assert entries(home) == []
    first = mz.generate(SECRET, **words).images[0]
    assert len(entries(home)) == 1
    no_encoders()
    again = mz.generate(SECRET, **words).images[0]
    assert np.array_equal(off.pixels, first.pixels) and np.array_equal(first.pixels, again.pixels)
    assert off.receipt.made == first.receipt.made == again.receipt.made and again.receipt.made.tokens
    assert np.array_equal(
        pixels(folder, offload=True, **{k: v for k, v in words.items() if "prompt" in k})[0], off.pixels
    )
    with pytest.raises(AssertionError, match="was asked"):
        mz.generate("another", **words)


def test_what_else_is_said_is_another_entry(sd1: Path, sdxl: Path, home: Path, tmp_path: Path) -> None:
    lora = written(tmp_path / "a.safetensors", "peft", sd1, "text_encoder")
    said: list[dict[str, Any]] = [
        {}, {"negative_prompt": "blue"}, {"lora": [lora]}, {"lora": [f"{lora}:0.5"]}, {"prompt": "a red"}
    ]  # fmt: skip
    for k, words in enumerate(said):
        pixels(sd1, **words)
        assert len(entries(home)) == k + 1
    pixels(sdxl)
    pixels(sdxl, prompt_2="blue")
    pixels(sdxl, size="32x40")  # the size is no part of it
    assert len(entries(home)) == len(said) + 2


def test_several_prompts_of_several_lengths(sd1: Path, home: Path, no_encoders: Any) -> None:
    prompts = ["a red chair", "a red chair, " * 20, "ch"]
    first = pixels(sd1, prompts)
    no_encoders()
    assert all(np.array_equal(a, b) for a, b in zip(first, pixels(sd1, prompts), strict=True))


def test_a_drop_is_still_told(sd1: Path, sd3: Path, home: Path, no_encoders: Any) -> None:
    long = "zebra, " * 400
    before = [mz.generate(long, model=m, steps=1, size="32x32").images[0].receipt.made.tokens for m in (sd1, sd3)]
    notes = mz.prepare(request_of(long, model=sd1, steps=1)).notes
    no_encoders()
    again = [mz.prepare(request_of(long, model=m, steps=1, size="32x32")) for m in (sd1, sd3)]
    assert [job.made(job.pictures[0]).tokens for job in again] == before and again[0].notes == notes != ()
    with pytest.raises(UsageError, match="strict: text_encoder has no room"):
        mz.prepare(request_of(long, model=sd1, steps=1, strict=True))
    for path in entries(home):
        facts = base64.b64decode(read_header(path).metadata["facts"])
        assert not any(b"zebra" in data for data in (facts, path.read_bytes(), path.name.encode()))


@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "other"])
def test_a_damaged_entry_is_made_again(
    how: str, sd1: Path, home: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    whole = pixels(sd1)[0]
    (path,) = entries(home)
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[-5] ^= 0x40
    path.write_bytes({"cut": bytes(data[:-9]), "flipped": bytes(data), "empty": b"", "other": b"x" * 90}[how])
    with caplog.at_level(logging.DEBUG):
        assert np.array_equal(pixels(sd1)[0], whole)
    assert "is made again" in caplog.text and len(entries(home)) == 1
    assert all(record.levelno <= logging.DEBUG for record in caplog.records if record.name.startswith("mezzotint"))
    assert kept.read_entry(path, ((SECRET, ""),)) is not None


def test_a_home_that_cannot_be_written_costs_time_alone(sd1: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "file"))
    assert pixels(sd1)[0].shape == (32, 32, 3)


def test_room_is_made_by_those_used_longest_ago(tmp_path: Path) -> None:
    entry = kept.Entry(1, (), (), {"cond/text": torch.zeros(1, 250)})
    for k in range(4):
        kept.write_entry(tmp_path / f"{k}.safetensors", entry, ())
        os.utime(tmp_path / f"{k}.safetensors", (k, k))
    assert kept.read_entry(tmp_path / "0.safetensors", ()) is not None
    size = (tmp_path / "0.safetensors").stat().st_size
    kept.make_room(tmp_path, 2 * size)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.safetensors", "3.safetensors"]


@pytest.mark.slow  # two processes that import everything
def test_neither_weights_nor_classes_of_the_encoders_are_loaded(sd1: Path, home: Path) -> None:
    """What diffusers imports of transformers by itself is its own."""
    code = (
        "import sys, pathlib; from mezzotint.cli import run; assert run(sys.argv[1:]) == 0\n"
        "print(*(m for m in sys.modules if m.startswith('mezzotint.nets.published.clip')), file=sys.stderr)\n"
        "print('text_encoder' in pathlib.Path('/proc/self/maps').read_text(), file=sys.stderr)\n"
    )
    words = ["generate", SECRET, "--model", str(sd1), "--steps", "1", "--quiet", "--json", "--threads", "1"]
    said = []
    for k in range(2):
        command = [sys.executable, "-c", code, *words, "--out", str(home / str(k))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said.append(done.stderr.splitlines()[-2:])
    assert said[0] == ["mezzotint.nets.published.clip", "True"]
    assert said[1] == ["", "False"]
