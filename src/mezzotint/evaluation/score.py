"""Pictures against a reference set: ``score`` is the number, ``distance`` the number and what it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.features import DEFAULT_SIZE, WEIGHTS_SHA256, Features, cache, extractor
from mezzotint.evaluation.frechet import Distance, Moments, between, moments
from mezzotint.files import write_atomic


def images_hash(images: Tensor) -> str:
    """sha256 of a set of pictures, the same in any order: shape, then the sorted digests of the pictures."""
    rows = images.contiguous().numpy()
    digests = sorted(hashlib.sha256(row.tobytes()).digest() for row in rows)
    return hashlib.sha256(f"{tuple(images.shape[1:])}".encode() + b"".join(digests)).hexdigest()


@dataclass(frozen=True)
class Reference:
    """A reference set, reduced to the moments of its features.  hash: of its pictures, in any order."""

    features: str
    hash: str
    moments: Moments


def reference_path(extract: Features, hash_: str) -> Path:
    """Where the moments of a reference set are kept."""
    return cache() / f"{extract.name}-{WEIGHTS_SHA256[:8]}-{hash_[:24]}.safetensors"


def reference(images: Tensor, extract: Features) -> Reference:
    """The moments of a reference set, computed once and then kept in the cache.  images: uint8 (N, 1 | 3, H, W)."""
    from safetensors.torch import load_file, save

    hash_ = images_hash(images)
    path = reference_path(extract, hash_)
    if path.is_file():
        saved = load_file(path)
        return Reference(extract.name, hash_, Moments(len(images), saved["mean"], saved["scatter"]))
    found = moments_of([images], extract)
    write_atomic(path, save({"mean": found.mean, "scatter": found.scatter}))
    return Reference(extract.name, hash_, found)


def moments_of(batches: Iterable[Tensor], extract: Features) -> Moments:
    """The moments of the features of any number of batches uint8 (N, 1 | 3, H, W), one batch in memory at a time."""
    zero = torch.zeros(extract.dim, dtype=torch.float64)
    total = Moments(0, zero, torch.outer(zero, zero))
    for batch in batches:
        total = total.add(extract(batch))
    return total


def distance_of(found: Moments, ref: Reference, extract: Features, minimum: int | None = None) -> Distance:
    """The Fréchet distance of features' moments to a reference; ``minimum`` as in ``frechet.between``.

    Raises UsageError when the reference was measured with other features.
    """
    if ref.features != extract.name:
        raise UsageError(f"the reference has features {ref.features}, the pictures {extract.name}; use one for both")
    value = between(found, ref.moments, minimum)
    return Distance(extract.distances[0], value, found.n, ref.moments.n, ref.hash)


def distance(images: Tensor, ref: Reference, extract: Features, minimum: int | None = None) -> Distance:
    """The Fréchet distance of pictures uint8 (N, 1 | 3, H, W) to a reference; ``minimum`` as in ``frechet.between``."""
    return distance_of(moments(extract(images)), ref, extract, minimum)


def score(images: Tensor, references: Tensor, size: int = DEFAULT_SIZE, minimum: int | None = None) -> float:
    """The Fréchet distance between two sets of pictures uint8 (N, 1 | 3, H, W); the references' moments are cached."""
    extract = extractor(size)
    return distance(images, reference(references, extract), extract, minimum).value
