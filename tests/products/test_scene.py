"""Scenes: the pixel formula, backgrounds that are what they are called, products inside the picture."""

from __future__ import annotations

import numpy as np
import pytest

from mezzotint.products.colours import COLOURS, NAMES, delta_e, nearest
from mezzotint.products.pack import premultiplied, smaller
from mezzotint.products.scene import background, compose, draw_background, names, resized
from mezzotint.products.split import held_background

TEXTURE = {"wood": (np.full((90, 120, 3), (150, 110, 70), np.uint8),)}


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def block(side: int = 64, colour: tuple[int, int, int] = (200, 30, 35)) -> tuple[np.ndarray, np.ndarray]:
    """A solid block in the middle of a photograph, without a shadow."""
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[side // 4 : -side // 4, side // 4 : -side // 4] = (*colour, 255)
    return premultiplied(rgba), np.zeros((side, side), np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_background_is_one_colour_of_its_name(name: str) -> None:
    for seed in range(8):
        made = background(name, 16, {}, random(seed)).pixels
        assert (made == made[0, 0]).all()
        assert NAMES[nearest(made[0, 0])] == name and delta_e(made[0, 0], COLOURS[name]) < 10


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_has_its_colour_at_one_end(name: str) -> None:
    made = background(f"{name} gradient", 32, {}, random()).pixels
    flat = made.reshape(-1, 3)
    assert delta_e(flat, COLOURS[name]).min() < 12
    assert len(np.unique(flat, axis=0)) > 5


def test_a_texture_is_a_part_of_its_photograph() -> None:
    made = background("wood", 16, TEXTURE, random()).pixels
    assert made.shape == (16, 16, 3) and delta_e(made, (150, 110, 70)).max() < 12


def test_the_pixel_formula() -> None:
    colour, shadow = block()
    shadow = np.full_like(shadow, 255)
    behind = background("yellow", 64, {}, random(3))
    made = compose(colour, shadow, behind, random(5))[0].astype(int)
    red = (np.abs(made - (200, 30, 35)).sum(-1) <= 3).sum()
    assert red > 0.15 * 64 * 64, "opaque pixels are the product's own"
    corner = np.array([made[0, 0], made[0, -1], made[-1, 0], made[-1, -1]])
    ratio = corner / behind.pixels[0, 0]
    strength = 1 - ratio
    dark = ratio[(ratio < 0.99).all(-1)]
    assert (strength >= -0.01).all() and (strength <= 1.01).all()
    assert len(dark) == 0 or np.ptp(dark) < 0.05, "a shadow darkens all channels alike"


def test_half_covered_pixels_mix() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[16:48, 16:48] = (200, 100, 0, 128)
    behind = background("blue", 64, {}, random(1))
    made = compose(premultiplied(rgba), np.zeros((64, 64), np.uint8), behind, random(2))[0].astype(float)
    a = 128 / 255
    want = a * np.array([200, 100, 0]) + (1 - a) * behind.pixels[0, 0]
    assert np.abs(made - want).sum(-1).min() <= 4


def test_the_product_stays_inside() -> None:
    colour, shadow = block()
    behind = background("white", 48, {}, random())
    for seed in range(40):
        made = compose(colour, shadow, behind, random(seed))[0].astype(int)
        away = np.abs(made - behind.pixels[0, 0]).sum(-1) > 30
        assert (
            away.any() and not away[0].any() and not away[-1].any() and not away[:, 0].any() and not away[:, -1].any()
        )


def test_scenes_are_drawn_from_their_generator_alone() -> None:
    colour, shadow = block()
    behind = background("white", 48, {}, random())
    assert (compose(colour, shadow, behind, random(4))[0] == compose(colour, shadow, behind, random(4))[0]).all()
    assert (compose(colour, shadow, behind, random(4))[0] != compose(colour, shadow, behind, random(5))[0]).any()


def test_the_mask_is_where_the_product_is() -> None:
    colour, shadow = block()
    behind = background("white", 64, {}, random())
    made, mask = compose(colour, shadow, behind, random(7))
    red = np.abs(made.astype(int) - (200, 30, 35)).sum(-1) <= 3
    assert (mask[red] == 255).all() and red.sum() > 100
    assert (mask[(made == behind.pixels[0, 0]).all(-1)] <= 2).all()


def test_held_backgrounds_are_drawn_for_the_test_alone() -> None:
    kind = "armchair"
    learnt = {draw_background(kind, False, TEXTURE, random(s)) for s in range(400)}
    tested = {draw_background(kind, True, TEXTURE, random(s)) for s in range(400)}
    assert tested and learnt and not tested & learnt
    assert all(held_background(kind, name) for name in tested)
    assert learnt | tested <= set(names(TEXTURE))


def test_smaller_is_the_mean_of_cells() -> None:
    pixels = random().integers(0, 256, (64, 64, 5), dtype=np.uint8)
    want = pixels.reshape(32, 2, 32, 2, 5).mean((1, 3))
    assert np.abs(smaller(pixels, 32).astype(float) - want).max() <= 1
    assert np.abs(resized(pixels[..., :4].copy(), 32).astype(float) - want[..., :4]).max() <= 1


def test_premultiplied_keeps_opaque_and_clears_transparent() -> None:
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], np.uint8)
    assert premultiplied(rgba).tolist() == [[[200, 100, 50, 255], [0, 0, 0, 0], [40, 20, 10, 51]]]
