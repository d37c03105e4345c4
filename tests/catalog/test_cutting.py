"""Masks: a colour that is said, backgrounds that are plain or fall off, and a guess that a person looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from mezzotint.catalog.product.backdrop import backdrop_of
from mezzotint.catalog.product.colour import colour_of
from mezzotint.catalog.product.cutting import FULL, confidence, cut_out, falling_off, keyed, soft_share
from mezzotint.errors import UsageError
from mezzotint.products.colours import delta_e
from mezzotint.tuning.masks import Mask, backdrop, mask_of

GREEN = np.array([40, 180, 70], np.float64)
Y, X = np.mgrid[:96, :96]
DISC = np.clip(30.5 - np.hypot(Y - 48, X - 48), 0, 1)[..., None]
"""The share of each pixel that is the product's, its edge one pixel soft."""


def shot(product: np.ndarray, back: np.ndarray) -> np.ndarray:
    """A product in front of a background."""
    return np.rint(DISC * product + (1 - DISC) * back).astype(np.uint8)


def test_a_key_keeps_the_product_and_takes_the_spill_away() -> None:
    """Soft edges have the product's share, and its colour alone; what is the product's to the full is untouched."""
    red = np.array([210, 30, 40], np.float64)
    pixels = shot(red, GREEN)
    clean, mask = keyed(pixels, GREEN)
    full, none = mask.alpha == FULL, mask.alpha == 0
    assert (clean[full] == pixels[full]).all() and full[48, 48] and none[0, 0]
    assert (np.abs(full.sum() - (DISC >= 0.5).sum()) < 260) and not full[DISC[..., 0] == 0].any()
    soft = ~full & ~none
    assert soft.any()
    laid = (mask.alpha[..., None] / FULL) * clean + (1 - mask.alpha[..., None] / FULL) * np.array([255.0, 255, 255])
    greener = laid[soft][:, 1] - np.maximum(laid[soft][:, 0], laid[soft][:, 2])
    assert (greener <= 6).all(), "no green shines through in front of white"
    assert confidence(mask, pixels) == 1.0


def test_a_key_that_is_not_behind_the_product_is_not_sure() -> None:
    _, mask = keyed(shot(np.array([210.0, 30, 40]), GREEN), np.array([0.0, 0, 255]))
    assert confidence(mask, np.zeros((96, 96, 3), np.uint8)) == 0.0


def test_a_background_that_falls_off_is_cut_where_a_plain_one_is_not_found(tmp_path: Path) -> None:
    light = 225 - 190 * (((Y - 40) / 96) ** 2 + ((X - 60) / 96) ** 2)[..., None] - 18 * (X / 96)[..., None]
    pixels = shot(np.array([60.0, 50, 160]), np.repeat(light, 3, -1))
    assert backdrop(pixels) is None and mask_of(tmp_path / "a.png", pixels, None) is None
    found = falling_off(pixels)
    assert found is not None and delta_e(found, np.repeat(light, 3, -1)).max() < 2
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    _, mask = cut_out(tmp_path / "a.png", "", "", (96, 96))
    wrong = ((mask.alpha > 127) != (DISC[..., 0] > 0.5)).mean()
    assert mask.found == "grabcut" and wrong < 0.01 and confidence(mask, pixels) > 0.9


def test_in_a_scene_the_middle_is_guessed_and_never_sure(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    scene = generator.integers(0, 255, (12, 12, 3)).repeat(8, 0).repeat(8, 1).astype(np.float64)
    pixels = shot(np.array([250.0, 240, 20]), scene)
    assert falling_off(pixels) is None
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    _, mask = cut_out(tmp_path / "a.png", "", "", (96, 96))
    assert mask.found == "guess" and confidence(mask, pixels) < 0.5 and (mask.alpha[:4] == 0).all()


def test_a_product_that_runs_out_or_is_cut_in_part_is_for_review() -> None:
    pixels = shot(np.array([60.0, 50, 160]), np.full((96, 96, 3), 230.0))
    whole = np.asarray(DISC[..., 0] * 255, np.uint8)
    half = whole.copy()
    half[:, :50] = 0
    assert confidence(Mask(whole, "grabcut"), pixels) == 1.0
    assert confidence(Mask(half, "grabcut"), pixels) < 0.55 < confidence(Mask(half, "file"), pixels)
    near = np.roll(pixels, 24, 1)  # no farther: its background is still found
    assert confidence(Mask(np.roll(whole, 24, 1), "grabcut"), near) < 0.5, "it runs out at the side"


def test_a_cut_with_its_shadow_or_with_lines_of_the_background_is_for_review() -> None:
    """A shadow that fades is cut along no edge; lines behind a product leave the picture at many places."""
    product, back = np.array([60.0, 50, 160]), np.full((96, 96, 3), 230.0)
    whole = np.asarray(DISC[..., 0] * 255, np.uint8)
    shade = np.clip(1 - np.hypot((Y - 70) / 30, (X - 66) / 44), 0, 1)[..., None]
    shaded = shot(product, back * (1 - 0.5 * shade))
    with_shadow = np.where(shade[..., 0] > 0.15, 255, whole).astype(np.uint8)
    assert confidence(Mask(whole, "grabcut"), shot(product, back)) == 1.0
    assert confidence(Mask(with_shadow, "grabcut"), shaded) < 0.5
    assert soft_share(with_shadow > 127, shaded) > 0.3 and soft_share(whole > 127, shot(product, back)) == 0
    lines = back.copy()
    lines[20:80:20] = 90.0
    with_lines = np.where(lines[..., 0] < 100, 255, whole).astype(np.uint8)
    hung = np.where((X == 48) & (Y < 48), 255, whole).astype(np.uint8)
    cord = np.where(((X == 48) & (Y < 48))[..., None], 90.0, back)
    assert confidence(Mask(with_lines, "grabcut"), shot(product, lines)) < 0.5
    assert confidence(Mask(hung, "grabcut"), shot(product, cord)) > 0.9, "as a lamp is"


def test_a_key_is_before_what_would_be_found(tmp_path: Path) -> None:
    Pillow.fromarray(shot(np.array([210.0, 30, 40]), GREEN)).save(tmp_path / "a.png")
    assert cut_out(tmp_path / "a.png", "", "#28b446", (96, 96))[1].found == "key"
    assert cut_out(tmp_path / "a.png", "", "", (96, 96))[1].found == "grabcut"


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("white", (243, 243, 243)),
        ("Grey", (135, 135, 135)),
        ("light grey", (211, 211, 211)),
        ("#F4f1ea", (244, 241, 234)),
    ],
)
def test_colours_have_names_and_numbers(text: str, colour: tuple[int, int, int]) -> None:
    assert colour_of(text) == colour


@pytest.mark.parametrize("text", ["wite", "#12345", "", "rgb(1,2,3)"])
def test_what_is_no_colour_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="unknown colour"):
        colour_of(text)


def test_a_backdrop_is_a_colour_or_passes_into_another() -> None:
    plain, passing = backdrop_of("#102030").painted((3, 5)), backdrop_of("#000000 to #ffffff").painted((3, 5))
    assert plain.shape == (5, 3, 3) and (plain == (16, 32, 48)).all()
    assert passing[:, 0, 0].tolist() == [0, 64, 128, 191, 255] and (passing == passing[:, :1]).all()
