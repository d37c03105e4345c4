"""What is said of photographs before anything is learnt."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tuning_case import mug, photographs

from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.tuning.checks import notes
from mezzotint.tuning.few import few
from mezzotint.tuning.photos import read_shoot

BLUE, GREY = (30, 90, 170), (200, 200, 200)


@pytest.fixture(scope="module")
def features() -> Features:
    return extractor(2 * DEFAULT_SIZE)


def said(folder: Path, features: Features, side: int = 32) -> list[str]:
    return notes(read_shoot(folder, 128).photos, side, features)


def shots(folder: Path, n: int = 4) -> Path:
    """Photographs that differ, of which nothing is to be said."""
    return photographs(folder, n, side=96)


def test_of_sound_photographs_nothing_is_said(tmp_path: Path, features: Features) -> None:
    assert said(shots(tmp_path), features) == []


def test_the_same_twice(tmp_path: Path, features: Features) -> None:
    again = (shots(tmp_path) / "1.png").read_bytes()
    (tmp_path / "copy.png").write_bytes(again)
    (tmp_path / "copy2.png").write_bytes(again)
    assert said(tmp_path, features) == [
        "1.png and copy.png are the same picture", "1.png and copy2.png are the same picture"
    ]  # fmt: skip


def test_nearly_the_same(tmp_path: Path, features: Features) -> None:
    photographs(tmp_path, 4, side=96, clear=False)
    file = io.BytesIO()
    Image.open(tmp_path / "1.png").save(file, "JPEG", quality=70)
    (tmp_path / "sent.jpg").write_bytes(file.getvalue())
    assert said(tmp_path, features) == ["1.png and sent.jpg are nearly the same picture"]


def test_one_alone(tmp_path: Path, features: Features) -> None:
    (note,) = said(shots(tmp_path, 1), features)
    assert note.startswith("one photograph: the model will learn its view and its light")


def test_small_and_long_and_blurred(tmp_path: Path, features: Features) -> None:
    shots(tmp_path)
    mug(24, BLUE, 9, GREY).save(tmp_path / "small.png")
    mug(96, BLUE, 8, (0, 0, 0, 0)).crop((10, 30, 90, 60)).save(tmp_path / "long.png")
    mug(96, BLUE, 7, GREY).filter(ImageFilter.GaussianBlur(6)).save(tmp_path / "blurred.png")
    found = "\n".join(said(tmp_path, features))
    assert "small.png is 24x24, smaller than the 32 px that are made" in found
    assert "long.png is 80x30: much of it is lost where it is made square" in found
    assert found.count("looks blurred") == 1 and "blurred.png looks blurred" in found


def test_without_a_mask(tmp_path: Path, features: Features) -> None:
    shots(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "busy.png")
    assert any(note.startswith("1 of 5 have no mask and no plain background") for note in said(tmp_path, features))


def test_several_products(tmp_path: Path, features: Features) -> None:
    """A mug, rings, a disc, and noise."""
    y, x = np.mgrid[:96, :96] - 48
    rings = (127 + 127 * np.sin(np.hypot(x, y) / 2)).astype(np.uint8)
    disc = np.where((np.hypot(x, y) < 40)[..., None], (230, 30, 30), (250, 250, 250)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    mug(96, BLUE, 0, GREY).save(tmp_path / "mug.png")
    for name, drawn in (("rings", rings), ("disc", disc), ("noise", noise)):
        Image.fromarray(drawn).convert("RGB").save(tmp_path / f"{name}.png")
    (note,) = [n for n in said(tmp_path, features) if "several things" in n]
    assert "one adapter learns one product, give each a folder" in note


def test_few_of_many() -> None:
    assert few(map(str, range(3))) == ["0", "1", "2"]
    assert few(map(str, range(5))) == ["0", "1", "2", "3", "4"]
    assert few(map(str, range(12)))[4:] == ["4", "and 7 more like that"]
