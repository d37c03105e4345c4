"""The fidelity gate: equal products pass, planted defects do not; what the limits do is measured in a benchmark."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mezzotint.catalog.product.fidelity import Fidelity, Limits, fidelity

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
    assert found.colour < 1 and found.detail > 0.95 and found.outline < 10 and found.leak == 0
    assert fidelity(pixels, alpha, pixels) == Fidelity(0.0, pytest.approx(1.0), 0.0, 0.0)
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


@pytest.mark.parametrize(("by", "which"), [(-10, "outline"), (10, "leak")])
def test_an_edge_pushed_in_or_out_is_seen(product, by: int, which: str) -> None:
    pixels, alpha = product
    other = alpha.copy()
    rows = slice(60, 196)
    if by < 0:
        other[rows, 178 + by : 178] = 0
    else:
        other[rows, 178 : 178 + by] = 255
    wide = pixels.copy()
    wide[rows, 178 : 178 + 10] = pixels[rows, 168:178]
    assert which in Limits().failed(fidelity(pixels, alpha, on(wide, other, (60, 90, 160))))
