"""Products that bleed into each other's words are found; products that do not are left alone."""

from __future__ import annotations

import pytest
from test_evidence import BLUE, SIDE, N, blots, product
from torch import Tensor
from tuning_case import photographs

from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.tuning.evidence import real
from mezzotint.tuning.photos import Photo, read_shoot
from mezzotint.tuning.separation import separation


@pytest.fixture(scope="module")
def features() -> Features:
    return extractor(2 * DEFAULT_SIZE)


def shown(photos: tuple[Photo, ...]) -> Tensor:
    return product(photos, ["white"] * N)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """A mug, and a plate of another colour."""
    from PIL import Image, ImageDraw

    folder = tmp_path_factory.mktemp("pair")
    (folder / "plates").mkdir()
    for k in range(4):
        image = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        for r in range(28 - k, 2, -5):
            draw.ellipse((32 - r, 32 - r, 32 + r, 32 + r), fill=(230, 160 + r, 4 * r), outline=(90, 60, 20))
        image.save(folder / "plates" / f"{k}.png")
    mugs = photographs(folder / "mugs", 4, hue=BLUE)
    return read_shoot(mugs, 2 * SIDE).photos, read_shoot(folder / "plates", 2 * SIDE).photos


def test_an_honest_pair_is_apart(pair: tuple[tuple[Photo, ...], tuple[Photo, ...]], features: Features) -> None:
    mugs, plates = pair
    found = separation(
        {"mug": shown(mugs), "plate": shown(plates)},
        {"mug": blots(1), "plate": blots(2)},
        {"mug": real(mugs, mugs, SIDE, "white").shown, "plate": real(plates, plates, SIDE, "white").shown},
        features,
        "white",
    )
    assert found.bleeding == () and found.notes == ()
    assert all(found.gains[k][k].low > 0.1 for k in (0, 1))


def test_a_word_that_brings_the_other_product_is_found(
    pair: tuple[tuple[Photo, ...], tuple[Photo, ...]], features: Features
) -> None:
    mugs, plates = pair
    found = separation(
        {"mug": shown(mugs), "plate": shown(mugs)},
        {"mug": blots(1), "plate": blots(2)},
        {"mug": real(mugs, mugs, SIDE, "white").shown, "plate": real(plates, plates, SIDE, "white").shown},
        features,
        "white",
    )
    assert found.bleeding == ((0, 1),)
    assert len(found.notes) == 1 and found.notes[0].startswith("the words 'plate' bring something of 'mug'")
