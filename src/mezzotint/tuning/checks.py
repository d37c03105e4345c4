"""What is wrong with photographs before anything is learnt: small, blurred, twice there, of several things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mezzotint.evaluation.features import Features
from mezzotint.pictures.png import Pixels
from mezzotint.tuning.few import few
from mezzotint.tuning.photos import Photo

BLURRED = 25.0
"""Variance of the Laplacian, in grey levels squared at 256 px, below which a picture is called blurred.

Pech-Pacheco et al., 2000, Diatom autofocusing in brightfield microscopy, sec. 2.
"""

LONG = 2.5
"""A picture whose sides differ by more loses much where it is made square."""

NEARLY = 0.99
"""Correlation of ``thumbs`` from which on two photographs are nearly the same."""

APART = 0.35
"""Mean cosine between features of photographs below which they seem to show several things.

Of six renders of one product of our catalog on grounds of several colours 2.5 % lie below it, of six of six products
83 %, of three each of two 40 %.
"""


def notes(photos: Sequence[Photo], side: int, features: Features) -> list[str]:
    """What people should know of photographs for a model of ``side`` px."""
    found = [note for kind in (_small, _long, _blurred) for note in few(kind(photos, side))]
    if len(photos) == 1:
        found.append("one photograph: the model will learn its view and its light as much as the product")
    found += few(_twice(photos))
    found += list(_several(photos, features))
    bare = sum(photo.mask is None for photo in photos)
    if bare:
        who = "it has" if len(photos) == 1 else f"{bare} of {len(photos)} have"
        found.append(
            f"{who} no mask and no plain background: what is behind the product is learnt too; put NAME.mask.png"
            " beside it, white where the product is"
        )
    return found


def _small(photos: Sequence[Photo], side: int) -> Iterator[str]:
    for photo in photos:
        width, height = photo.whole
        if min(width, height) < side:
            yield f"{photo.name} is {width}x{height}, smaller than the {side} px that are made"


def _long(photos: Sequence[Photo], side: int) -> Iterator[str]:
    for photo in photos:
        width, height = photo.whole
        if max(width, height) > LONG * min(width, height):
            yield f"{photo.name} is {width}x{height}: much of it is lost where it is made square"


def _blurred(photos: Sequence[Photo], side: int) -> Iterator[str]:
    for photo in photos:
        if sharpness(photo) < BLURRED:
            yield f"{photo.name} looks blurred"


def sharpness(photo: Photo) -> float:
    """The variance of the Laplacian of a photograph, inside its mask where it has one."""
    grey = Image.fromarray(photo.pixels).convert("L")
    grey.thumbnail((256, 256), Image.Resampling.BOX)
    x = np.asarray(grey, np.float32)
    sides = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    laplacian = sides - 4 * x[1:-1, 1:-1]
    if photo.mask is None:
        return float(laplacian.var())
    mask = np.asarray(Image.fromarray(photo.mask.alpha).resize(grey.size))[1:-1, 1:-1] > 127
    return float(laplacian[mask].var()) if mask.any() else 0.0


def thumbs(pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    """(n, 3072), each picture at 32 x 32 less its mean and of length 1: products of them are correlations.

    A hash of differences would not do: on a plain background its bits are the noise's.
    """
    small = [
        Image.fromarray(np.ascontiguousarray(x)).convert("RGB").resize((32, 32), Image.Resampling.BOX) for x in pictures
    ]
    x = np.stack([np.asarray(image, np.float32).reshape(-1) for image in small])
    x -= x.mean(1, keepdims=True)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-6), np.float32)


def _twice(photos: Sequence[Photo]) -> Iterator[str]:
    """Of every photograph that is like an earlier one, one note."""
    seen = thumbs([photo.pixels for photo in photos])
    for k, photo in enumerate(photos):
        alike = [photos[int(j)] for j in np.flatnonzero(seen[:k] @ seen[k] > NEARLY)]
        same = [other for other in alike if other.sha256 == photo.sha256]
        if alike:
            yield f"{(same or alike)[0].name} and {photo.name} are {'' if same else 'nearly '}the same picture"


def pictures(photos: Sequence[Photo], side: int) -> Tensor:
    """(N, 3, side, side) uint8, each scaled to fit on the colour of its frame."""
    made = []
    for photo in photos:
        edge = np.median(np.concatenate([photo.pixels[0], photo.pixels[-1]]), 0)
        image = Image.fromarray(photo.pixels)
        image.thumbnail((side, side))
        paper = Image.new("RGB", (side, side), tuple(int(v) for v in edge))
        paper.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        made.append(torch.from_numpy(np.asarray(paper, np.uint8).copy()).permute(2, 0, 1))
    return torch.stack(made)


def _several(photos: Sequence[Photo], features: Features) -> Iterator[str]:
    if len(photos) < 3:
        return
    found = F.normalize(features(pictures(photos, 128)), dim=1)
    alike = found @ found.T
    mean = (alike.sum() - len(photos)) / (len(photos) * (len(photos) - 1))
    if float(mean) < APART:
        worst = int(alike.sum(1).argmin())
        yield (
            f"the photographs seem to show several things (mean similarity {float(mean):.2f}), {photos[worst].name}"
            " least like the others; one adapter learns one product, give each a folder"
        )
