"""How ``check``, ``protect`` and ``verify`` read a picture's file: all that it shows, whatever it is written in."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from test_copies import pixels, scene

from mezzotint.cli import run
from mezzotint.errors import InputError
from mezzotint.pictures.flat import seen
from mezzotint.pictures.png import read_picture, to_pil, to_pixels

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def grey(seed: int) -> np.ndarray:
    return np.asarray(to_pil(pixels(scene(seed))).convert("L"), np.uint8)


def deep(path: str, shown: np.ndarray) -> Path:
    """A picture (H, W) in 16 bits."""
    Image.fromarray(shown.astype(np.uint16) << 8).save(path)
    with Image.open(path) as found:
        assert found.mode == "I;16"
    return Path(path)


def said(capsys: Capture, *words: str) -> dict:
    capsys.readouterr()
    run([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_sixteen_bits_are_not_white() -> None:
    shown = grey(1)
    found = read_picture(deep("deep.png", shown))
    assert np.array_equal(to_pixels(found), np.repeat(shown[..., None], 3, 2))
    assert np.array_equal(seen(found), to_pixels(found))


def test_what_is_written_in_sixteen_bits_is_checked_protected_and_verified(capsys: Capture) -> None:
    shown = grey(1)
    Image.fromarray(shown).convert("RGB").save("usual.png")
    deep("deep.png", shown)
    usual, same = (said(capsys, "check", f"{name}.png")["pictures"][0] for name in ("usual", "deep"))
    assert {**usual, "file": ""} == {**same, "file": ""}
    assert said(capsys, "verify", "usual.png")["pixels_sha256"] == said(capsys, "verify", "deep.png")["pixels_sha256"]
    assert run(["protect", "deep.png", "--quiet"]) == 0
    assert run(["check", "usual.png"]) == 4
    assert "MZ-O-copy-protected" in capsys.readouterr().out
    assert run(["protect", "--forget", "--quiet"]) == 0 and run(["protect", "usual.png", "--quiet"]) == 0
    assert run(["check", "deep.png"]) == 4


@pytest.mark.parametrize("mode", ["LA", "P"])
def test_what_is_transparent_shows_nothing(mode: str) -> None:
    """By its colours black; on a page it is white."""
    if mode == "LA":
        Image.new("LA", (8, 8), (0, 0)).save("clear.png")
    else:
        Image.new("P", (8, 8), 0).save("clear.png", transparency=0)
    assert to_pixels(read_picture(Path("clear.png"))).min() == 255


def test_colours_are_those_of_the_files_profile() -> None:
    """A profile that calls green what is written as red."""
    own = pixels(scene(2))
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = data.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
    to_pil(own).save("plain.png")
    to_pil(own).save("other.png", icc_profile=swapped)
    assert np.array_equal(seen(read_picture(Path("plain.png"))), own)
    assert np.abs(seen(read_picture(Path("other.png"))).astype(int) - own[..., [1, 0, 2]]).max() <= 2
    assert np.array_equal(to_pixels(read_picture(Path("other.png"))), own), "a receipt's pixels are the file's"


def animated(path: str) -> Path:
    first, *others = [to_pil(pixels(scene(k))) for k in range(3)]
    first.save(path, save_all=True, append_images=others)
    return Path(path)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def twice_said() -> Path:
    """A PNG that says twice that it is animated: Pillow then reads a still picture, a browser need not."""
    file = io.BytesIO()
    to_pil(pixels(scene(1))).save(file, "PNG")
    said = chunk(b"acTL", struct.pack(">II", 2, 0))
    Path("twice.png").write_bytes(file.getvalue()[:33] + said + said + file.getvalue()[33:])
    return Path("twice.png")


@pytest.mark.filterwarnings("ignore:Invalid APNG")
@pytest.mark.parametrize("name", ["a.png", "a.webp", "twice.png"])
def test_a_file_of_several_pictures_is_refused_in_one_line(capsys: Capture, name: str) -> None:
    path = twice_said() if name == "twice.png" else animated(name)
    with pytest.raises(InputError, match=f"{name} is animated; expected a still picture, save each frame"):
        read_picture(path)
    for words in (["check", name], ["verify", name]):
        assert run(words) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and f"{name} is animated" in err
    assert run(["protect", name]) == 3
    err = capsys.readouterr().err
    assert f"{name} is animated" in err and "0 new" in err


def test_a_gif_is_refused_and_a_still_webp_is_not(capsys: Capture) -> None:
    animated("a.gif")
    for word in ("check", "verify"):
        assert run([word, "a.gif"]) == 2 and "expected PNG, JPEG or WebP" in capsys.readouterr().err
    to_pil(pixels(scene(1))).save("still.webp")
    assert run(["check", "still.webp"]) == 0


def test_a_cameras_second_picture_is_no_animation() -> None:
    """Phones write a preview behind a photograph, which nothing shows."""
    one, other = (to_pil(pixels(scene(k))) for k in (1, 2))
    one.save("phone.jpg", "MPO", save_all=True, append_images=[other])
    with Image.open("phone.jpg") as found:
        assert found.format == "MPO" and found.n_frames == 2
    assert read_picture(Path("phone.jpg")).size == one.size
