"""Decibels by known cases; what is held beside an autoencoder keeps to the bytes that it is given."""

import pytest
import reconstruction
import torch

RAMP = torch.linspace(0, 255, 64).to(torch.uint8).expand(2, 3, 64, 64).contiguous()


@pytest.mark.parametrize(("by", "expected"), [(1, 48.13), (10, 28.13)])
def test_decibels_of_a_known_error(by, expected):
    x = torch.full((3, 3, 8, 8), 100, dtype=torch.uint8)
    assert reconstruction.psnr(x, x + by).tolist() == pytest.approx([expected] * 3, abs=0.01)
    assert reconstruction.psnr(x, x).tolist() == pytest.approx([100.0] * 3)


def test_each_picture_is_its_own():
    x = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    other = x.clone()
    other[1] += 10
    same, apart = reconstruction.psnr(x, other).tolist()
    assert same == pytest.approx(100) and apart == pytest.approx(28.13, abs=0.01)


@pytest.mark.parametrize("way", [reconstruction.jpeg, reconstruction.thumbnail])
def test_more_bytes_keep_more(way):
    few, small = way(RAMP, 700)
    many, large = way(RAMP, 3000)
    assert small <= 700 and large <= 3000 and few.shape == many.shape == RAMP.shape
    assert (reconstruction.psnr(RAMP, many) >= reconstruction.psnr(RAMP, few)).all()
    assert (reconstruction.psnr(RAMP, few) > 20).all()
