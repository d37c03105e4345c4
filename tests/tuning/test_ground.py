"""A product that white would hide is judged on another background, and what is white of it counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from test_pale import FRAME, GREY, INSIDE, LIGHT, SIDE
from test_pale import photo as drawn

from mezzotint.evaluation.features import DEFAULT_SIZE, extractor
from mezzotint.tuning.evidence import cut_out, products, real, unit_features
from mezzotint.tuning.ground import ground_of
from mezzotint.tuning.masks import Mask
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.prompts import asked_of
from mezzotint.tuning.scenes import scene_on
from mezzotint.tuning.words import Subject


def shot(middle: int, *, whole: bool = True) -> Photo:
    """Of a grey frame with a middle, which is the product's or is not there."""
    alpha: NDArray[np.uint8] = np.zeros((SIDE, SIDE), np.uint8)
    alpha[FRAME] = 255
    if not whole:
        alpha[INSIDE] = 0
    return Photo("00.png", drawn(middle), (SIDE, SIDE), Mask(alpha, "alpha"), None, "0" * 64)


def test_white_unless_it_hides_some_of_a_product() -> None:
    assert ground_of([]) == "white" == ground_of([replace(shot(LIGHT), mask=None)])
    assert ground_of([shot(100)]) == "white"
    assert ground_of([shot(LIGHT)]) == "blue" == ground_of([shot(100), shot(LIGHT)])


def test_the_product_alone_is_asked_for_on_that_ground() -> None:
    (asked,) = asked_of([Subject("acme seat", "chair")], "products", 2, "blue")
    assert asked.subject == ("an acme seat on a blue background",) * 2
    assert all(prompt.endswith("on a white background") for prompt, _ in asked.painted)


def test_what_is_nearly_the_background_s_colour_is_cut_out_with_the_product() -> None:
    assert cut_out(drawn(LIGHT))[INSIDE].mean() > 0.97
    assert not cut_out(drawn(255))[INSIDE].any()


def test_a_model_that_leaves_a_white_seat_out_is_less_like_the_product() -> None:
    whole, holed = shot(LIGHT), shot(LIGHT, whole=False)
    features = extractor(2 * DEFAULT_SIZE)

    def likeness(made: Photo, ground: str) -> float:
        shown = real([whole], [whole], SIDE, ground).shown
        pixels = torch.from_numpy(scene_on(made, ground, SIDE).pixels.copy()).permute(2, 0, 1)[None]
        return float((unit_features(products(pixels, ground), features) @ unit_features(shown, features).T).mean())

    assert likeness(whole, "blue") > 0.999
    assert likeness(holed, "blue") < likeness(holed, "white") - 0.05


def test_the_ground_is_far_from_what_is_left_of_the_product() -> None:
    blue = shot(LIGHT)
    pixels = blue.pixels.copy()
    pixels[pixels[..., 0] == GREY] = (30, 90, 170)
    assert ground_of([replace(blue, pixels=pixels)]) == "green"
