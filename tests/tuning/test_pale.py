"""Parts of a product that are nearly its background's colour: a white seat on white is kept, holes and shadows not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mezzotint.products.colours import delta_e
from mezzotint.tuning.masks import backdrop, cut, pale

SIDE, FRAME = 128, np.s_[22:106, 12:116]
INSIDE, GREY, LIGHT = np.s_[42:86, 32:96], 176, 252


def photo(middle: NDArray[np.float64] | int) -> NDArray[np.uint8]:
    """A grey frame on white around what is given."""
    made = np.full((SIDE, SIDE, 3), 255.0)
    made[FRAME] = GREY
    made[INSIDE] = middle if isinstance(middle, int) else middle[..., None]
    return made.round().astype(np.uint8)


def shadow() -> NDArray[np.float64]:
    """From nothing to what is thought the product, across."""
    return np.broadcast_to(np.linspace(255, 232, 64), (44, 64))


def inside(pixels: NDArray[np.uint8]) -> float:
    """The share of the middle that is cut out with the product."""
    colour = backdrop(pixels)
    assert colour is not None
    found = cut(pixels, colour)
    assert found is not None and (found.alpha[26:38, 16:112] > 127).all() and not found.alpha[:18].any()
    return float((found.alpha[INSIDE] > 127).mean())


def test_a_white_seat_on_white_is_the_products() -> None:
    assert inside(photo(LIGHT)) > 0.97


@pytest.mark.parametrize("middle", [255, shadow()], ids=["hole", "shadow"])
def test_what_is_seen_through_a_product_is_not(middle: NDArray[np.float64] | int) -> None:
    assert inside(photo(middle)) < 0.35


def test_a_noisy_hole_is_none_of_it() -> None:
    """A background with a spread of its own, as compressed photographs have."""
    drawn = np.random.default_rng(0)
    pixels = photo(255).astype(np.float64)
    behind = pixels[..., 0] == 255
    pixels[behind] -= drawn.uniform(0, 6, (int(behind.sum()), 1))
    assert inside(pixels.round().astype(np.uint8)) < 0.05


def apart_of(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return delta_e(pixels, np.array([255.0, 255.0, 255.0]))


def test_a_pale_part_that_is_open_is_left_to_the_cut() -> None:
    """A corner that lies against the background on two of four sides."""
    shut, corner = photo(GREY), photo(GREY)
    shut[46:82, 40:90] = corner[60:106, 60:116] = LIGHT
    assert pale(apart_of(shut))[46:82, 40:90].all()
    assert not pale(apart_of(corner)).any()


def test_the_floor_between_wires_is_none_of_it() -> None:
    """All pale parts together are larger than what surely is the product."""
    pixels = np.full((SIDE, SIDE, 3), 255, np.uint8)
    pixels[16:112, 16:112] = LIGHT
    for k in range(16, 113, 24):
        pixels[k - 1 : k + 2, 15:114] = pixels[15:114, k - 1 : k + 2] = GREY
    assert (apart_of(pixels) > 10).sum() < (pixels == LIGHT)[..., 0].sum()
    assert not pale(apart_of(pixels)).any()
