"""What a tuned model's pictures say: is it the product, do prompts still work, is the rest as before, is it a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.evaluation.estimate import DRAWS, Estimate, mean_of
from mezzotint.evaluation.features import Features
from mezzotint.products.adherence import background_near, has_colour
from mezzotint.products.colours import COLOURS, cielab, delta_e
from mezzotint.tuning.checks import NEARLY, thumbs
from mezzotint.tuning.masks import LEAST, MOST, NEAR, backdrop, pale
from mezzotint.tuning.photos import Photo
from mezzotint.tuning.prompts import Asked
from mezzotint.tuning.scenes import Bytes, centred, scene_on

Mask = NDArray[np.bool_]

COPY = 0.97
"""Correlation of small pictures (``checks.thumbs``) from which on a picture is a copy, unless photographs of the
product are as near to each other.

Cosines between features would not do: noise of one grey level takes them below those of two photographs of one thing.
"""

CROPS = (1.0, 0.9, 0.8)
"""Shares of a photograph's shorter side whose middle squares are looked for: as photographs are learnt from."""

DRIFT = 1.5
"""How much farther than other noise a tuned model may move pictures of other things."""

ADHERENCE = 0.8
"""The share of the base's adherence that a tuned model must keep, of backgrounds and of colours each."""


@dataclass(frozen=True)
class Evidence:
    """Of one tuned model, or of its base, on one subject or on several together.

    fidelity: mean cosine between features of the product in its pictures and in real ones, each ``alone``.
    gain: fidelity less the base's on the same noise; None of the base itself.
    colour: CIE76 between the mean colour of the product in its pictures and in real ones; None without masks.
    adherence: share of pictures whose background is the one that was asked for.
    painted: share of pictures whose product has the colour that was asked for.
    drift: how far pictures of other things moved as a whole, as a multiple of what other noise does (``drift``), the
    same for every subject; None of the base.
    copies: share of pictures of the product, those on other backgrounds and in other colours among them, that are a
    photograph that was learnt from.
    """

    fidelity: Estimate
    gain: Estimate | None
    colour: Estimate | None
    adherence: Estimate
    painted: Estimate
    drift: Estimate | None
    copies: Estimate


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a model made, (n, 3, S, S) uint8 each, in the order of ``Asked``."""

    subject: Tensor
    behind: Tensor
    painted: Tensor
    other: Tensor


def parted(images: Tensor, asked: Sequence[Asked]) -> list[Pictures]:
    """Pictures of all prompts (``prompts.prompts_of``) by subject and sort; other things are the same for every one."""
    *own, other = torch.split(images, [*(len(one.own) for one in asked), len(asked[0].other)])
    sizes = [[len(one.subject), len(one.behind), len(one.painted)] for one in asked]
    sorts = [torch.split(mine, size) for mine, size in zip(own, sizes, strict=True)]
    return [Pictures(subject, behind, painted, other) for subject, behind, painted in sorts]


@dataclass(frozen=True, eq=False)
class Marks:
    """What every picture shows, one number each, (n,), of ``copies`` (3 n,); None as in ``Evidence``."""

    likeness: Tensor
    gains: Tensor | None
    colours: Tensor | None
    holds: Tensor
    painted: Tensor
    copies: Tensor


@dataclass(frozen=True, eq=False)
class Real:
    """Real pictures of the product.

    shown: (m, 3, S, S) uint8, ``alone`` where they could be cut out.  colours: (m, 3) CIELAB, the mean of the product's
    pixels, or None without masks.   learnt: the photographs that were learnt from.
    """

    shown: Tensor
    colours: np.ndarray | None
    learnt: Sequence[Photo]


def real(judged_by: Sequence[Photo], learnt: Sequence[Photo], size: int, ground: str) -> Real:
    """Photographs as pictures of ``size`` px on a plain background by name, to hold others against."""
    # As pictures are measured, which have no mask: what of the product is the ground's colour is left out of both.
    scenes = [alone(scene_on(photo, ground, size).pixels, ground) for photo in judged_by]
    masked = [s for s, photo in zip(scenes, judged_by, strict=True) if photo.mask is not None]
    colours = np.stack([product_colour(s, ground) for s in masked]) if masked else None
    return Real(_stacked(scenes), colours, learnt)


def alone(pixels: Bytes, ground: str) -> Bytes:
    """(S, S, 3): the product in the middle of a plain background by name, whatever its plain background (S, S, 3) and
    its place there are; the picture as it is where it cannot be told apart.

    Backgrounds have a measure of their own; in features of whole pictures they outweigh the product.
    """
    mask = cut_out(pixels)
    return centred(pixels, mask.astype(np.uint8) * 255, ground, len(pixels)) if mask.any() else pixels


def cut_out(pixels: Bytes) -> Mask:
    """(S, S), where the product is on its plain background (S, S, 3), also what of it is nearly of that colour
    (``pale``); nowhere where it cannot be told apart."""
    colour = backdrop(pixels)
    if colour is None:
        return np.zeros(pixels.shape[:2], bool)
    apart = delta_e(pixels, colour)
    far = apart > NEAR
    return far | pale(apart) if LEAST <= far.mean() <= MOST else np.zeros_like(far)


def products(images: Tensor, ground: str) -> Tensor:
    """``alone`` of each of the pictures (n, 3, S, S) uint8."""
    return _stacked([alone(_rows(image), ground) for image in images])


def _stacked(pictures: Sequence[Bytes]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def _mean(pixels: Bytes, inside: np.ndarray) -> np.ndarray:
    """(3,) CIELAB of the pixels inside."""
    found = cielab(pixels[inside]) if inside.any() else cielab(pixels.reshape(-1, 3))
    return np.asarray(found.mean(0))


def product_colour(pixels: Bytes, ground: str) -> np.ndarray:
    """(3,) CIELAB of what is not the plain background's colour, by name (S, S, 3)."""
    return _mean(pixels, delta_e(pixels, COLOURS[ground]) > 12)


def unit_features(images: Tensor, features: Features) -> Tensor:
    """(n, D) float64 of pictures (n, 3, S, S), each row of length 1: products of rows are cosines."""
    return F.normalize(features(images).double(), dim=1)


def marks(made: Pictures, asked: Asked, against: Real, features: Features, before: Pictures | None = None) -> Marks:
    """What pictures of one subject show.   before: the base's on the same noise; None of a base."""
    mine = products(made.subject, asked.ground)
    wanted, own = unit_features(against.shown, features), unit_features(mine, features)
    moved = None if before is None else own - unit_features(products(before.subject, asked.ground), features)
    plain = np.zeros(made.behind.shape[-2:], np.float32)
    pairs, painted = zip(made.behind, asked.behind, strict=True), zip(made.painted, asked.painted, strict=True)
    holds = [background_near(_rows(image), plain, name) for image, (_, name) in pairs]
    return Marks(
        likeness=(own @ wanted.T).mean(1),
        gains=None if moved is None else (moved @ wanted.T).mean(1),
        colours=_colours(mine, against, asked.ground),
        holds=torch.tensor(holds).double(),
        painted=torch.tensor([_painted(_rows(image), name) for image, (_, name) in painted]).double(),
        copies=copied(torch.cat([made.subject, made.behind, made.painted]), against.learnt).double(),
    )


def together(several: Sequence[Marks]) -> Marks:
    """The pictures of several subjects as one heap; colours of those that have masks."""
    return Marks(
        likeness=torch.cat([one.likeness for one in several]),
        gains=_heap([one.gains for one in several]),
        colours=_heap([one.colours for one in several]),
        holds=torch.cat([one.holds for one in several]),
        painted=torch.cat([one.painted for one in several]),
        copies=torch.cat([one.copies for one in several]),
    )


def _heap(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [x for x in parts if x is not None]
    return torch.cat(there) if there else None


def evidence(found: Marks, drift: Estimate | None = None) -> Evidence:
    """What marks come to.   drift: of other things, which is no subject's own."""
    gains, colours = (None if x is None else mean_of(x) for x in (found.gains, found.colours))
    holds, painted, copies = (mean_of(x) for x in (found.holds, found.painted, found.copies))
    return Evidence(mean_of(found.likeness), gains, colours, holds, painted, drift, copies)


def drift_of(made: Tensor, base: Tensor, again: Tensor, features: Features) -> Estimate:
    """``drift`` of pictures of other things (n, 3, S, S)."""
    tuned, before, other = (unit_features(images, features) for images in (made, base, again))
    return drift(tuned, before, other)


def drift(made: Tensor, base: Tensor, again: Tensor, seed: int = 0) -> Estimate:
    r"""How far the middle of some pictures' features lies from the base's, as a multiple of what other noise does:

    :math:`\|\bar m - \bar a\|^2 / \|\bar b - \bar a\|^2`, 1 for the base itself, with its bootstrap interval over
    the pictures.   made, base, again: (n, D), of the same prompts; again on other noise.
    """
    random = torch.Generator().manual_seed(seed)
    n = len(made)
    drawn = torch.randint(n, (DRAWS, n), generator=random)
    weights = F.one_hot(drawn, n).sum(1).to(made) / n
    tops, bottoms = (_apart(weights @ x, weights @ again) for x in (made, base))
    low, high = torch.quantile(tops / bottoms, torch.tensor([0.025, 0.975], dtype=tops.dtype)).tolist()
    value = float(_apart(made.mean(0), again.mean(0)) / _apart(base.mean(0), again.mean(0)))
    return Estimate(value, low, high, n)


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance of rows (…, D), never 0."""
    return (a - b).square().sum(-1).clamp_min(1e-12)


def _rows(image: Tensor) -> Bytes:
    rows: Bytes = image.permute(1, 2, 0).contiguous().numpy()
    return rows


def _painted(pixels: Bytes, colour: str) -> bool:
    """Whether the product on its plain background (S, S, 3) has a colour by name."""
    return has_colour(pixels, cut_out(pixels).astype(np.float32), colour)


def _colours(images: Tensor, against: Real, ground: str) -> Tensor | None:
    if against.colours is None:
        return None
    wanted = against.colours.mean(0)
    return torch.tensor([float(np.linalg.norm(product_colour(_rows(image), ground) - wanted)) for image in images])


def copied(images: Tensor, photos: Sequence[Photo]) -> Tensor:
    """(n,) bool: whether a picture (n, 3, S, S) is one of the photographs, whole or its middle, or its mirror image:
    nearer to it than COPY, and than different photographs are to each other."""
    return nearness(images, photos).amax(1) > max(COPY, _between(photos))


def _between(photos: Sequence[Photo]) -> float:
    """The highest correlation of different photographs; below that of one picture that is there twice."""
    small = thumbs([photo.pixels for photo in photos])
    found = np.stack([(small @ _known(photo).T).max(1) for photo in photos], 1)
    np.fill_diagonal(found, -1.0)  # of one with itself
    return float(found[found <= NEARLY].max(initial=-1.0))


def nearness(images: Tensor, photos: Sequence[Photo]) -> Tensor:
    """(n, m): the highest correlation (``checks.thumbs``) of a picture (n, 3, S, S) with a photograph, whole or its
    middle, or its mirror image."""
    small = thumbs([_rows(image) for image in images])
    return torch.from_numpy(np.stack([(small @ _known(photo).T).max(1) for photo in photos], 1))


def _known(photo: Photo) -> NDArray[np.float32]:
    """(k, 3072), ``checks.thumbs`` of what of a photograph is looked for."""
    parts = [photo.pixels, *(_middle(photo.pixels, crop) for crop in CROPS)]
    return thumbs([*parts, *(part[:, ::-1] for part in parts)])


def _middle(pixels: Bytes, crop: float) -> Bytes:
    side = round(min(pixels.shape[:2]) * crop)
    top, left = ((n - side) // 2 for n in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]
