"""Pictures -> feature vectors.

Convention of ``efficientnet-lite0-<size>``: uint8 pictures (N, C, H, W), C = 1 repeated to 3; resized bilinearly
(half-pixel centres, antialiased when shrinking) to size x size; (x - 127)/128, the normalisation the network was
trained with; the globally averaged last feature map, 1280 numbers, float32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from mezzotint.config import home
from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.evaluation import efficientnet
from mezzotint.places import places

DEFAULT_SIZE = 64
FOLDER, WEIGHTS = "efficientnet-lite0", "weights.safetensors"
WEIGHTS_SHA256 = "7a57b67119637f696c8cf77f76aa376b32e5a1beb81e3963e7b174ebea421614"
CHUNK = 50
"""Pictures a forward pass: enough to fill two cores, small enough for the cache."""


def digest(weights: Mapping[str, Tensor]) -> str:
    """sha256 over names, shapes and bytes in order of name: the identity of weights whatever file holds them."""
    h = hashlib.sha256()
    for name in sorted(weights):
        h.update(f"{name}{tuple(weights[name].shape)}".encode())
        h.update(weights[name].contiguous().numpy().tobytes())
    return h.hexdigest()


def cache() -> Path:
    """Where the moments of reference sets are kept; it may be deleted at any time."""
    return home() / "features"


def checked(weights: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """The weights, or ModelError when they are not to the bit the ones that define the metric."""
    found = digest(weights)
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"feature weights from {where} have digest {found[:16]}; expected {WEIGHTS_SHA256[:16]};"
            " install mezzotint-models again"
        )
    return weights


def load_weights() -> dict[str, Tensor]:
    """The folded weights that ship.  Raises ModelError where they are not installed, or are others."""
    from safetensors.torch import load_file

    for _, place in places():
        path = place / FOLDER / WEIGHTS
        if path.is_file():
            return checked(load_file(path), str(path))
    raise ModelError("the feature network is not installed; expected the package mezzotint-models; install it")


def check_images(images: Tensor) -> Tensor:
    """The pictures, or InputError unless uint8 (N, 1 | 3, H, W)."""
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise InputError(f"features need pictures as uint8 (N, 1 or 3, H, W); got {images.dtype} {tuple(images.shape)}")
    return images


def prepare(images: Tensor, size: int) -> Tensor:
    """uint8 (N, 1 | 3, H, W) -> float32 (N, 3, size, size), normalised as the module says."""
    x = functional.interpolate(images.float(), (size, size), mode="bilinear", antialias=max(images.shape[-2:]) > size)
    return ((x - 127) / 128).expand(-1, 3, -1, -1)


class Features(Protocol):
    """A named map from pictures to vectors: uint8 (N, 1 | 3, H, W) -> float32 (N, dim), each row on its own."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def distances(self) -> tuple[str, str]:
        """What Fréchet and kernel distances of these features are called."""
        ...

    def __call__(self, images: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Extractor:
    """A feature network with its input convention: uint8 (N, 1 | 3, H, W) -> float32 (N, dim), on the CPU."""

    name: str
    size: int
    weights: Mapping[str, Tensor]
    device: str = "cpu"
    dim: int = efficientnet.DIM

    @property
    def distances(self) -> tuple[str, str]:
        """After the network: FID and KID are those of Inception alone."""
        return f"frechet-{self.name}", f"kernel-{self.name}"

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return torch.cat(list(self.chunks(check_images(images)))) if len(images) else torch.empty(0, self.dim)

    def chunks(self, images: Tensor) -> Iterator[Tensor]:
        """The features, CHUNK pictures at a time."""
        for part in torch.split(images, CHUNK):
            yield efficientnet.pooled(self.weights, prepare(part.to(self.device), self.size)).float().cpu()


def extractor(size: int = DEFAULT_SIZE, device: str = "cpu") -> Extractor:
    """EfficientNet-Lite0 at an input size, a multiple of 32 from 32 to 224.

    Raises UsageError at another size, ModelError without weights.
    """
    if size % 32 or not 32 <= size <= 224:
        raise UsageError(f"feature size {size} is not possible; expected a multiple of 32 from 32 to 224")
    weights = {
        k: w.to(device, memory_format=torch.channels_last) if w.ndim == 4 else w.to(device)
        for k, w in load_weights().items()
    }
    return Extractor(f"efficientnet-lite0-{size}", size, weights, device)
