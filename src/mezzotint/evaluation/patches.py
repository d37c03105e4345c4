r"""How far the patches of two sets of pictures are apart, at each resolution: no network looks, so that it can disagree
with one.

Karras, Aila, Laine & Lehtinen, 2018, Progressive Growing of GANs for Improved Quality, Stability, and Variation,
https://arxiv.org/abs/1710.10196, sec. 5: the sliced Wasserstein distance of patches of a Laplacian pyramid.  There
either set is brought to variance 1 by itself; here both by the reference, so that too little of a band, or too much, is
seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mezzotint.errors import UsageError

LEAST = 200
"""Pictures on either side, as for a kernel distance."""

SIDE = 7
"""Of a patch."""

SMALLEST = 14
"""Pixels of the coarsest level, at least: two patches beside each other."""

OFTEN = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
"""Burt & Adelson, 1983, The Laplacian Pyramid as a Compact Image Code, a = 0.375."""


@dataclass(frozen=True)
class Looks:
    """How much is looked at: patches of each picture, directions, and the seed of both."""

    patches: int = 32
    directions: int = 256
    seed: int = 0


USUAL = Looks()


def _blurred(x: Tensor) -> Tensor:
    """(N, C, H, W) by the binomial filter of five, mirrored at the edges."""
    rows = OFTEN.to(x).view(1, 1, 1, 5).expand(x.shape[1], 1, 1, 5)
    x = F.conv2d(F.pad(x, (2, 2, 0, 0), mode="reflect"), rows, groups=x.shape[1])
    return F.conv2d(F.pad(x, (0, 0, 2, 2), mode="reflect"), rows.mT, groups=x.shape[1])


def pyramid(x: Tensor) -> list[Tensor]:
    """What each resolution adds to the next coarser one, the finest first; the coarsest as it is.

    x: (N, C, H, W), float.   Returns: (N, C, H / 2^k, W / 2^k), each.
    """
    found = []
    while min(x.shape[2:]) // 2 >= SMALLEST:
        coarse = _blurred(x)[:, :, ::2, ::2]
        found.append(x - F.interpolate(coarse, x.shape[2:], mode="bilinear"))
        x = coarse
    return [*found, x]


def descriptors(x: Tensor, looks: Looks) -> Tensor:
    """Patches at random places, the same for any set of as many pictures.  (N, C, H, W) -> (N patches, C, SIDE^2)."""
    random = torch.Generator().manual_seed(looks.seed)
    places = [torch.randint(n - SIDE + 1, (len(x), looks.patches), generator=random) for n in x.shape[2:]]
    windows = x.unfold(2, SIDE, 1).unfold(3, SIDE, 1)  # (N, C, H', W', SIDE, SIDE), a view
    return windows[torch.arange(len(x))[:, None], :, places[0], places[1]].flatten(0, 1).flatten(2)


def scaled(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Patches (M, C, d) of two sets as rows (M, C d), each channel of mean 0 and variance 1 in the second."""
    spread, mean = torch.std_mean(b, (0, 2), keepdim=True)
    one, two = (((x - mean) / spread.clamp_min(1e-8)).flatten(1) for x in (a, b))
    return one, two


def sliced(a: Tensor, b: Tensor, looks: Looks) -> float:
    r"""The sliced Wasserstein-1 distance of rows a (M, d) and b (M, d): the mean over directions of
    :math:`\frac1M\sum_i |a_{(i)} - b_{(i)}|` of the sorted projections.

    Rabin, Peyré, Delon & Bernot, 2011, Wasserstein Barycenter and its Application to Texture Mixing, sec. 2.2.
    """
    random = torch.Generator().manual_seed(looks.seed + 1)
    directions = F.normalize(torch.randn(a.shape[1], looks.directions, generator=random), dim=0).to(a)
    one, two = (torch.sort(x @ directions, dim=0).values for x in (a, b))
    return float((one - two).abs().mean())


def patch_distances(
    pictures: Tensor, reference: Tensor, looks: Looks = USUAL, minimum: int = LEAST
) -> tuple[float, ...]:
    """Of each resolution, the finest first; 0 for the same sets, never below what chance leaves.

    Args: pictures, reference: uint8 (N, C, H, W) and (M, C, H, W) of one size; as many as the smaller set has are used.
    Raises UsageError where either has fewer than ``minimum``, or they are of other shapes.
    """
    n = min(len(pictures), len(reference))
    if n < minimum or pictures.shape[1:] != reference.shape[1:]:
        raise UsageError(
            f"distances of patches need {minimum} pictures of one size on either side, got {tuple(pictures.shape)} and"
            f" {tuple(reference.shape)}; make more"
        )
    levels = zip(*(pyramid(x[:n].float() / 127.5 - 1) for x in (pictures, reference)), strict=True)
    return tuple(sliced(*scaled(descriptors(a, looks), descriptors(b, looks)), looks) for a, b in levels)
