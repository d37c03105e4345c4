"""Photographs of materials for backgrounds, taken from the catalogs' own models; same licences, same credits."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mezzotint.errors import InputError
from mezzotint.files import write_atomic
from mezzotint.products.scene import Bytes, Textures

FOLDER = "textures"
MAX_BYTES = 4 << 20

SOURCES: Mapping[str, tuple[str, ...]] = {
    "wood": (
        "BlendSwap-CC-0/oakTable/oak.jpg",
        "BlendSwap-CC-0/table/Wood_013_COLOR.jpg",
        "Scopia/round-table/oaktexture.jpg",
        "Scopia/table-on-trestles/texture-bois.jpg",
    ),
    "dark wood": ("BlendSwap-CC-0/televisionCabinet/wood9.jpg", "Scopia/double_vanity/dark_wood.jpg"),
    "marble": ("BlendSwap-CC-0/lowerCabinet/marble_14.jpg", "BlendSwap-CC-BY/fountain/white-marble.jpg"),
    "fabric": (
        "BlendSwap-CC-0/couch2/Fabric_011_COLOR.jpg",
        "BlendSwap-CC-BY/cornerSofa/Fabric_04.jpg",
        "Scopia/convertible-sofa-BZ-closed/texturefabric.jpg",
    ),
    "stone": ("BlendSwap-CC-0/stoneLantern/1K-cave_rock_1-diffuse.jpg", "Scopia/stoneGrillDevice/textureStone.jpg"),
    "leather": ("BlendSwap-CC-BY/sofa3/dark-brown_leather.jpg",),
}
"""Name -> catalog/model folder/file."""


def export(catalog: Path, out: Path) -> None:
    """Copies the photographs that a catalog's folder has to ``out``/textures/NAME-K.png.  Raises InputError."""
    for name, places in SOURCES.items():
        for k, place in enumerate(places):
            path = out / FOLDER / f"{name.replace(' ', '-')}-{k}.png"
            if not path.is_file() and (data := _read(catalog, place)) is not None:
                write_atomic(path, data)


def _read(catalog: Path, place: str) -> bytes | None:
    """A photograph as PNG, or None where the catalog or the file is not there."""
    stem, _, rest = place.partition("/")
    archive = catalog / f"{stem}.sh3f"
    if not archive.is_file():
        return None
    try:
        with zipfile.ZipFile(archive) as pack:
            found = [m for m in pack.infolist() if m.filename.endswith("/" + rest) and m.file_size <= MAX_BYTES]
            if not found:
                return None
            image = Image.open(BytesIO(pack.read(found[0]))).convert("RGB")
    except (OSError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise InputError(f"{archive}: {rest} cannot be read: {error}") from error
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def load(out: Path) -> Textures:
    """The photographs of a session's folder, by name; {} where there are none."""
    found: dict[str, list[Bytes]] = {}
    for path in sorted((out / FOLDER).glob("*.png")):
        name = path.stem.rpartition("-")[0].replace("-", " ")
        with Image.open(path) as image:
            found.setdefault(name, []).append(np.asarray(image.convert("RGB")))
    return {name: tuple(pixels) for name, pixels in found.items()}


def digest(textures: Textures) -> str:
    """sha256 of names and pixels."""
    found = hashlib.sha256()
    for name, several in sorted(textures.items()):
        for pixels in several:
            found.update(f"{name} {pixels.shape} ".encode() + pixels.tobytes())
    return found.hexdigest()
