"""A product in another colour: its main colour changes and nothing else, its light and shade stay, and it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tuning_case import photographs

from mezzotint.products.colours import COLOURS, NAMES, encoded, linear, shares
from mezzotint.tuning.photos import Photo, read_shoot
from mezzotint.tuning.repaint import main_colour, repainted
from mezzotint.tuning.scenes import scene_of
from mezzotint.tuning.words import subject

SIDE, WHO = 32, subject("acme mug", "mug")
LIGHTS = np.linspace(0.2, 1.0, 16)
SEEN = np.full((16, 16), 255, np.uint8)


def ball(colour: str, lights: np.ndarray = LIGHTS) -> np.ndarray:
    """(16, 16, 3): a surface of a colour, from shade on the left to full light on the right."""
    light = linear(COLOURS[colour]) * lights[None, :, None]
    return np.broadcast_to(encoded(light).round(), (16, 16, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Photo:
    return read_shoot(photographs(tmp_path_factory.mktemp("mug"), 1), 64).photos[0]


def test_encoding_undoes_what_makes_light_linear() -> None:
    values = np.arange(256.0)
    assert np.abs(encoded(linear(values)) - values).max() < 1e-3
    assert encoded([-1.0, 2.0]).tolist() == pytest.approx([0, 255])


@pytest.mark.parametrize("own", ["blue", "brown", "yellow", "gray"])
@pytest.mark.parametrize("colour", NAMES)
def test_it_has_the_colour_that_it_is_given(own: str, colour: str) -> None:
    made = repainted(ball(own, np.linspace(0.6, 1.0, 16)), SEEN, own, colour)
    assert shares(made.reshape(-1, 3))[colour] > 0.5, shares(made.reshape(-1, 3))


def test_light_and_shade_stay() -> None:
    """Of a coloured surface, luminance is in the proportions it was, but for what gleams."""
    made = linear(repainted(ball("blue"), SEEN, "blue", "red"))[0]
    bright = made.sum(-1)
    assert (np.diff(bright) > 0).all() and bright[-1] / bright[0] > 2
    hues = made / bright[:, None]
    assert np.abs(hues - hues[-1]).max() < 0.02


def test_what_has_another_colour_and_what_is_behind_stay() -> None:
    pixels = ball("blue").copy()
    pixels[:4], pixels[12:] = COLOURS["yellow"], COLOURS["blue"]
    alpha = SEEN.copy()
    alpha[12:] = 0
    made = repainted(pixels, alpha, "blue", "red")
    assert np.abs(made[:4].astype(int) - pixels[:4]).max() <= 1  # the table rounds
    assert np.array_equal(made[12:], pixels[12:])
    assert not np.array_equal(made[4:12], pixels[4:12])
    assert np.array_equal(repainted(pixels, np.zeros_like(alpha), "blue", "red"), pixels)


def test_some_of_what_is_cut_out_is_in_another_colour_and_said_to_be(photo: Photo) -> None:
    drawn = [scene_of(photo, WHO, "", SIDE, np.random.Generator(np.random.Philox(key=k))) for k in range(120)]
    called = [(scene, name) for scene in drawn for name in NAMES if f" {name} acme mug" in f" {scene.text}"]
    assert 40 < len(called) < 85, "most of those that are cut out, which six in ten are"
    for scene, name in called:
        assert shares(scene.pixels.reshape(-1, 3)).get(name, 0.0) > 0.15, scene.text


def test_what_cannot_be_cut_out_is_not_called_by_another_colour(photo: Photo) -> None:
    bare = replace(photo, mask=None, caption="our mug")
    drawn = [scene_of(bare, WHO, "", SIDE, np.random.Generator(np.random.Philox(key=k))) for k in range(20)]
    assert {scene.text for scene in drawn} == {"our mug"}
    unsaid = [
        scene_of(replace(bare, caption=None), WHO, "", SIDE, np.random.Generator(np.random.Philox(key=k)))
        for k in range(40)
    ]
    assert not [scene.text for scene in unsaid if any(f" {name} acme mug" in f" {scene.text}" for name in NAMES)]


def half(left: str, share: float) -> np.ndarray:
    """(16, 16, 3): a surface of a colour on so much of its left, blue on the rest."""
    made = ball("blue", np.linspace(0.7, 1.0, 16)).copy()
    width = round(share * 16)
    made[:, :width] = ball(left, np.linspace(0.7, 1.0, 16))[:, :width]
    return made


def test_a_product_has_one_main_colour_in_all_its_photographs() -> None:
    """A stool from the front, and from a side where its stand hides it."""
    shoot = [half("brown", 0.9), half("brown", 0.8), half("brown", 0.3)]
    main = main_colour([(pixels, SEEN) for pixels in shoot])
    assert main == "brown" and main_colour([(shoot[2], SEEN)]) == "blue" and main_colour([]) == ""
    side = repainted(shoot[2], SEEN, main, "green")
    assert np.abs(side[:, 8:].astype(int) - shoot[2][:, 8:]).max() <= 1
    assert shares(side[:, :4].reshape(-1, 3))["green"] > 0.8


def test_what_shows_nothing_of_it_has_its_own(photo: Photo) -> None:
    made = repainted(ball("blue", np.linspace(0.7, 1.0, 16)), SEEN, "brown", "green")
    assert shares(made.reshape(-1, 3))["green"] > 0.8
    none = np.zeros((4, 4), np.uint8)
    assert main_colour([(np.zeros((4, 4, 3), np.uint8), none)]) == ""
