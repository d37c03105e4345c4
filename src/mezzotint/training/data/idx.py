"""IDX files, the layout of MNIST and its successors: a big-endian header, then bytes.
http://yann.lecun.com/exdb/mnist"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError
from mezzotint.files import CHUNK_BYTES
from mezzotint.training.data.source import Data, Item, Report, Shard

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where the Debian package dataset-fashion-mnist puts its files."""

FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""The class names of Fashion-MNIST.  Xiao et al., 2017, Fashion-MNIST: a Novel Image Dataset, table 2."""

_UBYTE = 0x08


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _exactly(file: _Readable, n: int, path: Path) -> bytearray:
    data = bytearray()
    # In pieces: a header that lies must not reserve what it promises.
    while len(data) < n and (piece := file.read(min(n - len(data), CHUNK_BYTES))):
        data += piece
    if len(data) < n:
        raise InputError(f"{path} ends after {len(data)} of the {n} bytes its header promises; fetch the file again")
    return data


def _parse(file: _Readable, path: Path) -> NDArray[np.uint8]:
    zero, kind, ndim = struct.unpack(">HBB", _exactly(file, 4, path))
    if zero != 0 or kind != _UBYTE or not 1 <= ndim <= 4:
        raise InputError(f"{path} is not an IDX file of unsigned bytes (its first four bytes are wrong)")
    shape = struct.unpack(f">{ndim}I", _exactly(file, 4 * ndim, path))
    pixels = _exactly(file, math.prod(shape), path)
    if file.read(1):
        raise InputError(f"{path} holds more bytes than its header {shape} promises; fetch the file again")
    return np.frombuffer(pixels, np.uint8).reshape(shape)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, gzipped or plain; its header is checked against what is there.

    Raises InputError for a missing, foreign, short or long file.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _parse(raw, path)
            with gzip.GzipFile(fileobj=raw) as file:
                return _parse(file, path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the folder of the IDX files with --data") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}); fetch the file again") from None


@dataclass(frozen=True)
class IDX:
    """Pictures and labels of a pair of IDX files, held in memory: one shard.

    images: (N, H, W) uint8.  labels: (N,) uint8.
    """

    name: str
    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    classes: tuple[str, ...] = ()
    shards: int = 1

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Item:
        label = int(self.labels[i])
        text = self.classes[label] if self.classes else None
        return Item(f"{self.name}[{i}]", self.images[i], text, label)

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.images.shape, self.classes)).encode())
        digest.update(self.images[:: max(1, len(self.images) // 1000)].tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def open(self, shard: int, report: Report) -> Shard:
        return self


def _one(folder: Path, stem: str) -> Path:
    plain = folder / stem
    return plain if plain.exists() else folder / f"{stem}.gz"


def open_idx(folder: Path, part: str, classes: tuple[str, ...] = ()) -> IDX:
    """``part`` ("train" or "t10k") of a folder in MNIST's naming.  Raises InputError for files that are missing or
    disagree."""
    images = read_idx(_one(folder, f"{part}-images-idx3-ubyte"))
    labels = read_idx(_one(folder, f"{part}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.shape != images.shape[:1] or not len(images):
        raise InputError(
            f"{folder}: {part} has pictures {images.shape} and labels {labels.shape}; expected (N, H, W) and (N,)"
        )
    if classes and int(labels.max()) >= len(classes):
        raise InputError(f"{folder}: {part} has label {int(labels.max())}, but there are {len(classes)} classes")
    return IDX(part, images, labels, classes)


def fashion_mnist(folder: Path | None = None) -> Data:
    """Fashion-MNIST: 60,000 pictures to learn from, 10,000 held out.  folder: of the IDX files; None is Debian's
    place."""
    where = folder or DEBIAN
    if not where.is_dir():
        raise InputError(
            f"no folder {where}; install the Debian package dataset-fashion-mnist,"
            " or give the folder of the four IDX files with --data"
        )
    return Data(open_idx(where, "train", FASHION), open_idx(where, "t10k", FASHION))
