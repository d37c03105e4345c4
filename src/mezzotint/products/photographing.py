"""Photographs products into a folder each: the work of one child process (``python -m
mezzotint.products.photographing``).

A long-lived VTK process can die without a word, so a parent gives each child a few products; see ``session``.
A product's folder holds ``NN.png`` (RGBA), ``NN-shadow.png`` and, written last, ``product.json``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mezzotint.errors import InputError
from mezzotint.files import pretty_json, write_atomic
from mezzotint.products.catalog import Product, products, unpack
from mezzotint.products.colours import NAMES, shares
from mezzotint.products.shots import Shot, shots
from mezzotint.products.studio import Bytes, Photo, Studio
from mezzotint.products.vocabulary import vocabulary

SCHEMA = "mezzotint/product/1"
RECORD = "product.json"
LEAST_VISIBLE = 0.003
"""A picture of which the product takes less than this share shows nothing."""


def photograph(product: Product, folder: Path, n: int, size: int, seed: int) -> dict[str, Any]:
    """Takes a product's pictures.   Returns: its record, as written.  Raises InputError where there is nothing to
    see.
    """
    with tempfile.TemporaryDirectory(prefix="mezzotint-") as unpacked:
        studio = Studio(product, unpack(product, Path(unpacked)), size)
        try:
            colours = () if product.kind in vocabulary().natural else NAMES
            taken = [_take(studio, shot, folder) for shot in shots(product.id, product.dimensions, n, seed, colours)]
        finally:
            studio.close()
    return record(product, folder, {"size": size, "seed": seed, "shots": taken})


def record(product: Product, folder: Path, more: dict[str, Any]) -> dict[str, Any]:
    """Writes what is known of a product, ``product.json``; with it the product is done."""
    facts = asdict(product) | {"archive": product.archive.name}
    made = {"schema": SCHEMA, **facts, **more}
    write_atomic(folder / RECORD, pretty_json(made))
    return made


def _take(studio: Studio, shot: Shot, folder: Path) -> dict[str, Any]:
    if shot.colour:
        studio.paint(shot.srgb)
    try:
        photo = studio.photograph(shot.azimuth, shot.elevation)
    finally:
        studio.unpaint()
    solid = photo.rgba[..., 3] > 127
    if solid.mean() < LEAST_VISIBLE:
        raise InputError(f"{folder.name}: the model has no visible surface")
    _save(photo, folder, shot.number)
    found = {name: round(share, 3) for name, share in shares(photo.rgba[solid][:, :3]).items() if share >= 0.01}
    return {**asdict(shot), "shares": found}


def _save(photo: Photo, folder: Path, number: int) -> None:
    write_atomic(folder / f"{number:02d}.png", _png(photo.rgba))
    write_atomic(folder / f"{number:02d}-shadow.png", _png(photo.shadow))


def _png(pixels: Bytes) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def main(argv: list[str]) -> int:
    """Reads one JSON order from standard input, says one JSON line a product on standard output."""
    order = json.load(sys.stdin)
    out, known = Path(order["out"]), {p.id: p for p in products(Path(order["catalog"]))}
    for name in order["ids"]:
        print(json.dumps({"begun": name}), flush=True)
        try:
            photograph(known[name], out / name, order["n"], order["size"], order["seed"])
        except InputError as error:
            record(known[name], out / name, {"skipped": str(error)})
        print(json.dumps({"done": name}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
