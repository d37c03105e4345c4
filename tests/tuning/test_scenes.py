"""Which pixels of a scene count: all that its text says, else the product and the place where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mezzotint.tuning.masks import Mask
from mezzotint.tuning.photos import Photo, read_shoot
from mezzotint.tuning.scenes import Scene, scene_of
from mezzotint.tuning.words import subject

SIDE, WHO = 32, subject("acme mug", "mug")


@pytest.fixture(scope="module")
def photo(shoot: Path) -> Photo:
    return read_shoot(shoot, 64).photos[0]


def solid(photo: Photo) -> Photo:
    """The same on noise, which no words say, with a square in its middle that is the product."""
    side = len(photo.pixels)
    alpha = np.zeros((side, side), np.uint8)
    alpha[side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = 255
    noise = np.random.default_rng(0).integers(0, 256, photo.pixels.shape, np.uint8)
    return replace(photo, pixels=noise, mask=Mask(alpha, "file"))


def scenes(photo: Photo) -> Iterator[Scene]:
    for k in range(40):
        yield scene_of(photo, WHO, "", SIDE, np.random.Generator(np.random.Philox(key=k)))


def test_what_the_text_says_counts_everywhere(photo: Photo) -> None:
    assert photo.mask is not None and photo.caption is None
    assert all((scene.counts == 255).all() for scene in scenes(photo))


def test_without_a_mask_everything_counts(photo: Photo) -> None:
    assert all((scene.counts == 255).all() for scene in scenes(replace(solid(photo), mask=None)))


@pytest.mark.parametrize("caption", [None, "acme mug in our shop"])
def test_where_nobody_says_what_is_behind_the_product_and_its_end_count(photo: Photo, caption: str | None) -> None:
    bare = [s for s in scenes(replace(solid(photo), caption=caption)) if not (s.counts == 255).all()]
    assert 5 < len(bare) < 35, "those that show the photograph as it is, and no other"
    for scene in bare:
        assert " background" not in scene.text or caption is not None
        inside = np.argwhere(scene.counts == 255)
        height, width = inside.max(0) - inside.min(0) + 1
        # The square takes 16 to 20 of 32 px, by how near it is shown, and 2 px on each side are its rim.
        assert 19 <= height <= 25 and 19 <= width <= 25 and (scene.counts == 255).sum() == height * width
        assert (scene.counts == 0).any()
