"""A receipt of a diffusers folder says by hash what its parts' configurations and tokenizers are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from asking import request_of

import mezzotint as mz
from mezzotint.governance.receipt import Made


def made(folder: Path) -> Made:
    job = mz.prepare(request_of("a red chair", model=folder, dtype="float32", steps=2))
    return job.made(job.pictures[0])


@pytest.fixture
def copy(sd1: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sd1, tmp_path / sd1.name))


def test_every_part_that_is_run_is_there(sd1: Path) -> None:
    files = made(sd1).files
    assert files is not None and set(files) == {"text_encoder", "unet", "vae", "tokenizer"}


@pytest.mark.parametrize("part", ["tokenizer", "vae"])
def test_one_that_is_another_is_named_and_makes_another_asset(part: str, sd1: Path, copy: Path) -> None:
    assert made(copy) == made(sd1), "a copy is the same model"
    name = "tokenizer_config.json" if part == "tokenizer" else "config.json"
    said = json.loads((copy / part / name).read_text())
    (copy / part / name).write_text(json.dumps({**said, "note": 1}))
    before, after = made(sd1), made(copy)
    assert before.files is not None and after.files is not None and before.asset_id != after.asset_id
    assert [p for p in before.files if before.files[p] != after.files[p]] == [part]


def test_ours_say_nothing_of_it() -> None:
    job = mz.prepare(request_of("ankle boot", model="fashion"))
    assert job.made(job.pictures[0]).files is None
