"""Distances of patches: nothing of the same, exact where it is known, and each defect at its own resolution."""

from __future__ import annotations

import pytest
import torch

from mezzotint.errors import UsageError
from mezzotint.evaluation.patches import Looks, descriptors, patch_distances, pyramid, scaled, sliced

FEW = Looks(patches=8, directions=64)


def pictures(n: int, seed: int) -> torch.Tensor:
    """Smooth blobs of two colours, uint8 (n, 3, 32, 32)."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, 3, 6, 6, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, (32, 32), mode="bicubic")
    return (127.5 + 60 * smooth).clamp(0, 255).byte()


A, B = pictures(300, 1), pictures(300, 2)


def test_the_same_pictures_are_no_distance_apart() -> None:
    assert patch_distances(A, A, FEW) == (0.0, 0.0)
    assert max(patch_distances(A, A.flip(0), FEW)) < max(patch_distances(A, B, FEW)) * 2


def test_a_shift_is_the_mean_of_its_projections() -> None:
    a = torch.randn(500, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    shift = torch.tensor([1.0, 0, 0, 0, 0, 0], dtype=torch.float64)
    random = torch.Generator().manual_seed(FEW.seed + 1)
    directions = torch.nn.functional.normalize(torch.randn(6, FEW.directions, generator=random), dim=0)
    assert sliced(a, a + shift, FEW) == pytest.approx(float(directions[0].abs().double().mean()), rel=1e-6)
    assert sliced(a, a[torch.randperm(500)], FEW) == pytest.approx(0, abs=1e-12)


def test_it_is_symmetric_but_for_the_scale_of_the_reference() -> None:
    assert patch_distances(A, B, FEW) == pytest.approx(patch_distances(B, A, FEW), rel=0.02)
    a, b = (descriptors(x.float(), FEW).flatten(1) for x in (A, B))
    assert sliced(a, b, FEW) == pytest.approx(sliced(b, a, FEW))


def test_fine_noise_is_seen_at_the_fine_resolution_first() -> None:
    noise = torch.randn(B.shape, generator=torch.Generator().manual_seed(4))
    noisy = (B + 20 * noise).clamp(0, 255).byte()
    clean, spoilt = patch_distances(B, A, FEW), patch_distances(noisy, A, FEW)
    assert spoilt[0] > 3 * clean[0] and spoilt[0] / clean[0] > spoilt[1] / clean[1]


def test_a_pyramid_keeps_everything_between_its_levels() -> None:
    x = A[:4].float()
    fine, coarse = pyramid(x)
    assert coarse.shape[2:] == (16, 16)
    grown = torch.nn.functional.interpolate(coarse, (32, 32), mode="bilinear")
    torch.testing.assert_close(fine + grown, x)


def test_patches_have_one_scale_in_every_channel() -> None:
    reference = descriptors(A.float() * torch.tensor([1.0, 10.0, 100.0]).view(3, 1, 1), FEW)
    weak, found = (x.unflatten(1, (3, -1)) for x in scaled(reference / 2, reference))
    torch.testing.assert_close(found.mean((0, 2)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.std((0, 2)), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(weak.std((0, 2)), torch.full((3,), 0.5), atol=1e-4, rtol=0)


@pytest.mark.parametrize("wrong", [A[:50], A[:, :1], A[..., :16]])
def test_too_few_or_of_another_size(wrong: torch.Tensor) -> None:
    with pytest.raises(UsageError, match="need 200 pictures of one size"):
        patch_distances(wrong, A, FEW)
