"""PNG, sheets, strips, films, on real pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from mezzotint.pictures.film import MAX_FRAMES, Moment, rows, spread, webp
from mezzotint.pictures.png import png, to_pil, to_pixels
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
