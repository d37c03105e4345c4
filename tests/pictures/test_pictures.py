"""PNG, sheets, strips, films, on real pictures."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mezzotint.errors import InputError
from mezzotint.pictures.film import MAX_FRAMES, Moment, rows, spread, webp
from mezzotint.pictures.flat import mask_of
from mezzotint.pictures.png import png, read_picture, to_pil, to_pixels
from mezzotint.pictures.sheet import GAP, columns_for, enlarged, grid, sheet, strip

RNG = np.random.default_rng(0)


def picture(height: int, width: int, channels: int) -> np.ndarray:
    return RNG.integers(0, 255, (height, width, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_every_pixel_and_text(channels: int) -> None:
    pixels = picture(5, 7, channels)
    data = png(to_pil(pixels), {"parameters": "Größe 雪\nSteps: 4", "b": "plain"})
    with Image.open(io.BytesIO(data)) as back:
        assert np.array_equal(to_pixels(back), pixels)
        assert back.text == {"parameters": "Größe 雪\nSteps: 4", "b": "plain"}


def test_enlarging_is_exact() -> None:
    big = enlarged(picture(8, 12, 3), 100)
    assert big.shape == (104, 156, 3)
    assert np.array_equal(big[::13, ::13], big[12::13, 12::13])
    assert enlarged(big, 100) is not None and enlarged(big, 100).shape == big.shape


@pytest.mark.parametrize("n", [1, 2, 5, 16, 17])
def test_sheet_shows_every_tile(n: int) -> None:
    tiles = [np.full((112, 112, 1), 10 + i, np.uint8) for i in range(n)]
    image = to_pixels(sheet(tiles))
    shown = set(np.unique(image)) - {255}
    assert shown == {10 + i for i in range(n)}
    columns = columns_for(n)
    assert image.shape[1] == columns * (112 + GAP) + GAP


def test_a_huge_sheet_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mezzotint.pictures.sheet.MAX_SIDE", 500)
    assert max(sheet([picture(300, 300, 1)] * 4).size) == 500


def test_grid_leaves_unfilled_places_white() -> None:
    paper = grid([np.zeros((2, 2, 1), np.uint8)] * 3, 2)[..., 0]
    assert paper[-2 - GAP : -GAP, -2 - GAP : -GAP].min() == 255
    assert paper[-2 - GAP : -GAP, GAP : GAP + 2].max() == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_strip_has_its_labels(channels: int) -> None:
    tiles = [picture(28, 28, channels) for _ in range(3)]
    bare = strip([tiles], ["", "", ""])
    labelled = strip([tiles, tiles], ["a\nb", "t = 0.5\nlogSNR +1", "c"])
    assert labelled.width == bare.width == 3 * (112 + GAP) + GAP
    below = to_pixels(labelled)[2 * (112 + GAP) + GAP :]
    assert below.min() < 128, "something is written"


def test_spread() -> None:
    assert spread(4, 9) == [0, 1, 2, 3]
    for n in (10, 51, 400):
        chosen = spread(n, 9)
        assert len(set(chosen)) == 9 and chosen[0] == 0 and chosen[-1] == n - 1


@pytest.mark.parametrize("steps", [1, 20, 300])
def test_film(steps: int) -> None:
    moments = [Moment(picture(28, 28, 1), picture(28, 28, 1), f"{i}") for i in range(steps + 1)]
    with Image.open(io.BytesIO(webp(moments))) as film:
        assert film.n_frames == min(steps + 1, MAX_FRAMES) and film.format == "WEBP"
        film.seek(film.n_frames - 1)
        last = to_pixels(film.convert("L"))
    assert np.array_equal(last[::8, ::8], moments[-1].state)
    pictures, labels = rows(moments)
    assert len(pictures) == 2 and len(pictures[0]) == len(labels) == min(steps + 1, 9) and labels[-1] == f"{steps}"


def exif(orientation: int, unit: bytes) -> bytes:
    """An EXIF block of two tags: the orientation, and ResolutionUnit as text, which is a number by the standard."""
    tags = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0) + struct.pack("<HHI4s", 0x128, 2, len(unit), unit)
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)


@pytest.mark.parametrize(("orientation", "turned"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_photograph_with_a_wrong_tag_is_turned_all_the_same(tmp_path: Path, orientation: int, turned: int) -> None:
    pixels, path = picture(16, 24, 3), tmp_path / "a.png"
    to_pil(pixels).save(path, exif=exif(orientation, b"in\0"))
    found = read_picture(path)
    assert np.array_equal(np.asarray(found), np.rot90(pixels, turned))
    assert np.array_equal(np.asarray(found), np.asarray(read_picture(path)))


def test_exif_that_cannot_be_read_turns_nothing(tmp_path: Path) -> None:
    pixels, path = picture(16, 24, 3), tmp_path / "a.png"
    to_pil(pixels).save(path, exif=b"Exif\0\0no tags at all")
    assert np.array_equal(np.asarray(read_picture(path)), pixels)


@pytest.mark.parametrize("mode", ["LA", "P", "L"])
def test_transparency_is_what_a_file_says_by_whatever_means(tmp_path: Path, mode: str) -> None:
    """Grey with alpha, a palette with a transparent colour, and grey with one: white all over by their colours."""
    path, alpha = tmp_path / "m.png", np.zeros((4, 4), np.uint8)
    alpha[:2] = 255
    white = Image.new("LA", (4, 4), (255, 0))
    white.putalpha(Image.fromarray(alpha))
    if mode == "LA":
        white.save(path)
    else:
        Image.fromarray(alpha).convert(mode).save(path, transparency=0)
    assert np.array_equal(mask_of(path, "transparent"), alpha == 0)
    with pytest.raises(InputError, match="has transparent parts"):
        mask_of(path, "white")
