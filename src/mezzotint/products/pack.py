"""Photographs reduced once to what a model of small pictures reads: one array on disk, mapped into memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mezzotint.errors import InputError
from mezzotint.files import atomic_writer
from mezzotint.products.session import records

Bytes = NDArray[np.uint8]
PACKS = "packs"
SIDES = (64, 128, 256)
"""Sides at which photographs are packed; a scene of S px reads the first that is half as large again, or the last."""


@dataclass(frozen=True)
class Pack:
    """Row i is one photograph: colour (R, R, 4) RGB times alpha, and alpha; shadow (R, R); uint8.

    key: of the files.
    """

    read: Callable[[int], Bytes]
    key: str

    def __getitem__(self, row: int) -> tuple[Bytes, Bytes]:
        both = self.read(row)
        return both[..., :4], both[..., 4]


def premultiplied(rgba: Bytes) -> Bytes:
    """RGB times alpha / 255, rounded, and alpha: (…, 4)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    colour = (rgba[..., :3] * alpha + 127) // 255
    return np.concatenate([colour, alpha], -1).astype(np.uint8)


def opened(path: Path) -> Bytes:
    """A photograph's file and its shadow's: (R, R, 5), colour premultiplied.  Raises InputError."""
    try:
        with Image.open(path) as image, Image.open(path.with_name(f"{path.stem}-shadow.png")) as shadow:
            if image.mode != "RGBA" or shadow.mode != "L" or image.size != shadow.size:
                raise InputError(f"{path} is not a photograph of this studio: {image.mode}, {image.size}")
            colour = premultiplied(np.asarray(image))
            return np.concatenate([colour, np.asarray(shadow)[..., None]], -1)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read: {error}; delete its folder and render again") from error


def smaller(both: Bytes, side: int) -> Bytes:
    """(R, R, 5) -> (side, side, 5), each cell the mean of what it covers."""
    if both.shape[0] == side:
        return both
    layers = (Image.fromarray(np.ascontiguousarray(both[..., c])) for c in range(5))
    return np.stack([np.asarray(layer.resize((side, side), Image.Resampling.BOX)) for layer in layers], -1)


def packed(folder: Path, size: int) -> Pack:
    """The photographs of a folder for scenes of ``size`` px; made at the first call, which reads every file once.

    Raises InputError, StorageError.
    """
    files = [
        folder / name / f"{shot['number']:02d}.png"
        for name, r in records(folder).items()
        for shot in r.get("shots", ())
    ]
    if size > SIDES[-1]:
        return Pack(lambda row: opened(files[row]), _key(files))
    side = next((s for s in SIDES if s >= 1.5 * size), SIDES[-1])
    path = folder / PACKS / f"{side}-{_key(files)}.npy"
    if not path.is_file():
        _make(path, files, side)
    array: Bytes = np.load(path, mmap_mode="r")
    return Pack(lambda row: np.asarray(array[row]), _key(files))


def _key(files: list[Path]) -> str:
    said = [[f.parent.name, f.name, f.stat().st_size] for f in files]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _make(path: Path, files: list[Path], side: int) -> None:
    shape = (len(files), side, side, 5)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_writer(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for name in files:
            file.write(np.ascontiguousarray(smaller(opened(name), side)).tobytes())
