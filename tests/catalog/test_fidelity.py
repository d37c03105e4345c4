"""The fidelity gate: equal products pass, planted defects do not; what the limits do is measured in a benchmark."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mezzotint.catalog.product.fidelity import Fidelity, Limits, fidelity
from mezzotint.catalog.product.outline import displaced

SIDE = 256


@pytest.fixture(scope="module")
def product() -> tuple[np.ndarray, np.ndarray]:
    """A red box with stripes of detail, and its alpha."""
    y, x = np.mgrid[:SIDE, :SIDE]
    alpha = np.where((abs(y - 128) < 70) & (abs(x - 128) < 50), 255, 0).astype(np.uint8)
    stripes = 40 * np.sign(np.sin(x / 4) * np.sin(y / 5))
    pixels = np.stack([170 + stripes, 40 + stripes, 40 + stripes], -1).clip(0, 255).astype(np.uint8)
    return np.where(alpha[..., None] > 0, pixels, 235).astype(np.uint8), alpha


def on(product: np.ndarray, alpha: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.where(alpha[..., None] > 0, product, np.array(colour)).astype(np.uint8)


def test_the_same_product_on_another_background(product) -> None:
    pixels, alpha = product
    found = fidelity(pixels, alpha, on(pixels, alpha, (60, 90, 160)))
    assert found.colour < 1 and found.detail > 0.95 and found.outline < 0.1
    assert fidelity(pixels, alpha, pixels) == Fidelity(0.0, pytest.approx(1.0), 0.0)
    assert Limits().failed(found) == ()


def test_light_and_noise_are_no_defects(product) -> None:
    pixels, alpha = product
    noisy = on(pixels, alpha, (200, 200, 190)) * 1.02 + np.random.default_rng(0).normal(0, 2, (SIDE, SIDE, 3))
    assert Limits().failed(fidelity(pixels, alpha, noisy.clip(0, 255).round().astype(np.uint8))) == ()


def test_a_turned_hue_is_seen(product) -> None:
    pixels, alpha = product
    assert "colour" in Limits().failed(fidelity(pixels, alpha, on(pixels[..., [1, 0, 2]], alpha, (235, 235, 235))))


def test_erased_detail_is_seen(product) -> None:
    pixels, alpha = product
    smooth = pixels.astype(float)
    smooth[100:140, 110:150] = gaussian_filter(smooth, (8, 8, 0))[100:140, 110:150]
    assert "detail" in Limits().failed(fidelity(pixels, alpha, smooth.round().astype(np.uint8)))


@pytest.mark.parametrize("by", [-10, -4, 4, 10])
def test_an_edge_pushed_in_or_out_is_seen(product, by: int) -> None:
    pixels, alpha = product
    other = alpha.copy()
    rows = slice(60, 196)
    if by < 0:
        other[rows, 178 + by : 178] = 0
    else:
        other[rows, 178 : 178 + by] = 255
    wide = pixels.copy()
    wide[rows, 178 : 178 + 10] = pixels[rows, 168:178]
    assert "outline" in Limits().failed(fidelity(pixels, alpha, on(wide, other, (60, 90, 160))))


def test_an_edge_that_no_colour_shows_is_not_said_to_be_elsewhere(product) -> None:
    """White on white; and a product that fills its picture has no outline in it."""
    white = np.full_like(product[0], 250)
    assert displaced(white, product[1], white) < 1e-9
    assert displaced(white, np.full_like(product[1], 255), product[0]) == 0


def test_thin_legs_are_compared_with_thin_legs() -> None:
    """Two pixels to the side a leg of four has the background where it was, and itself where that was."""
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[60:120, 60:200] = alpha[120:220, 70:74] = alpha[120:220, 184:188] = 255
    table, other = np.full((SIDE, SIDE, 3), (120, 70, 30), np.uint8), alpha.copy()
    other[120:220, 184:188], other[120:220, 187:191] = 0, 255
    assert displaced(table, alpha, on(table, alpha, (225, 220, 210))) < 0.1
    assert displaced(table, alpha, on(table, other, (225, 220, 210))) > 1
