"""Pictures that receipts name by the hash of their pixels, kept under the home: a cache that may be deleted."""

from __future__ import annotations

from pathlib import Path

from mezzotint.config import home
from mezzotint.files import sha256, write_atomic
from mezzotint.pictures.png import Pixels, png, to_pil


def kept(pixels: Pixels) -> Path:
    """The file of a picture (H, W, C), written where there is none.   Raises StorageError."""
    path = place_of(sha256(pixels.tobytes()))
    return path if path.is_file() else write_atomic(path, png(to_pil(pixels), {}))


def place_of(pixels_sha256: str) -> Path:
    """Where a picture of these pixels is, if it is kept."""
    return home() / "pictures" / f"{pixels_sha256}.png"
