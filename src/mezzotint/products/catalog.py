"""Catalogs of 3-D products in the Sweet Home 3D format (.sh3f): a ZIP of Java properties, OBJ models and textures.

The Debian package ``sweethome3d-furniture`` has five of them, CC-BY 3.0 and CC0.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mezzotint.errors import InputError, UsageError
from mezzotint.products.vocabulary import Vocabulary, vocabulary

DEFAULT = Path("/usr/share/sweethome3d/furniture")
PROPERTIES = "PluginFurnitureCatalog"
MAX_PROPERTIES_BYTES = 8 << 20
MAX_MODEL_BYTES = 256 << 20
LICENCES = {"BlendSwap-CC-0": "CC0-1.0"}
"""Catalogs that are not CC-BY-3.0."""

Rotation = tuple[float, ...]


@dataclass(frozen=True)
class Product:
    """One model of a catalog.

    id: catalog and model, a-z, 0-9 and hyphens, unique.  name: in English.  kind: its class in the vocabulary.
    archive, model: where the OBJ lies.  dimensions: (width, depth, height) in cm.  elevation: above the floor, cm.
    rotation: row-major 3 x 3 that turns the model to face +z with +y up, or () for as it is.
    """

    id: str
    name: str
    kind: str
    category: str
    archive: Path
    model: str
    dimensions: tuple[float, float, float]
    elevation: float
    rotation: Rotation
    creator: str
    licence: str


def archives(folder: Path) -> list[Path]:
    """The catalogs of a folder.  Raises InputError where there is none."""
    found = sorted(folder.glob("*.sh3f"))
    if not found:
        raise InputError(
            f"no catalog (*.sh3f) in {folder}; install the Debian package sweethome3d-furniture, or give --catalog DIR"
        )
    return found


def products(folder: Path = DEFAULT) -> list[Product]:
    """Every product of every catalog, less what the vocabulary leaves out, in the order of their ids.

    Raises InputError (no catalog, or a damaged one).
    """
    known = vocabulary()
    made = [p for archive in archives(folder) for p in _entries(archive, known)]
    return sorted(made, key=lambda p: p.id)


def _entries(archive: Path, known: Vocabulary) -> list[Product]:
    table = properties(archive, "")
    rows = [table_of(table, i) for i in range(1, count(table) + 1)]
    kept = [row for row in rows if known.keeps(row["name"], row["category"])]
    return [_product(archive, row, known) for row in kept]


def _product(archive: Path, row: Mapping[str, str], known: Vocabulary) -> Product:
    try:
        dimensions = (float(row["width"]), float(row["depth"]), float(row["height"]))
        return Product(
            id=_slug(f"{archive.stem} {PurePosixPath(row['model']).stem}"),
            name=row["name"],
            kind=known.class_of(row["name"], row["category"]),
            category=row["category"],
            archive=archive,
            model=row["model"].lstrip("/"),
            dimensions=dimensions,
            elevation=float(row.get("elevation", "0")),
            rotation=tuple(map(float, row.get("modelRotation", "").split())),
            creator=row.get("creator", ""),
            licence=LICENCES.get(archive.stem, "CC-BY-3.0"),
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{archive.name}: entry {row.get('name', '?')!r} is damaged: {error}") from error


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def properties(archive: Path, language: str) -> dict[str, str]:
    """The catalog's table of a language ("" is English, "de", "zh_CN" …).  Raises InputError, UsageError."""
    name = f"{PROPERTIES}{language and '_' + language}.properties"
    try:
        import javaproperties
    except ImportError as error:
        raise UsageError("catalogs need more packages: pip install 'mezzotint[render]'") from error
    try:
        with zipfile.ZipFile(archive) as pack:
            if pack.getinfo(name).file_size > MAX_PROPERTIES_BYTES:
                raise InputError(f"{archive}: {name} is larger than a catalog's table can be")
            return dict(javaproperties.loads(pack.read(name).decode("latin-1")))
    except KeyError as error:
        raise InputError(f"{archive} has no {name}; expected a Sweet Home 3D catalog") from error
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise InputError(f"{archive} is not a readable catalog: {error}") from error


def count(table: Mapping[str, str]) -> int:
    """Entries of a catalog's table."""
    return max((int(k.rpartition("#")[2]) for k in table if re.fullmatch(r"model#\d{1,6}", k)), default=0)


def table_of(table: Mapping[str, str], i: int) -> dict[str, str]:
    """Entry i, 1 …, of a catalog's table: key -> value."""
    end = f"#{i}"
    return {k.removesuffix(end): v for k, v in table.items() if k.endswith(end)}


def unpack(product: Product, folder: Path) -> Path:
    """Writes the model's own folder (OBJ, MTL, textures) under ``folder``.   Returns: the OBJ's path.

    Raises InputError: damaged, larger than it may be, or a name that leads elsewhere.
    """
    inside = str(PurePosixPath(product.model).parent) + "/"
    try:
        with zipfile.ZipFile(product.archive) as pack:
            wanted = [m for m in pack.infolist() if m.filename.startswith(inside) and not m.is_dir()]
            _check(product, wanted)
            for member in wanted:
                pack.extract(member, folder)
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise InputError(f"{product.id}: cannot be unpacked: {error}") from error
    path = folder / product.model
    if not path.is_file():
        raise InputError(f"{product.id}: {product.archive.name} has no {product.model}")
    return path


def _check(product: Product, members: Sequence[zipfile.ZipInfo]) -> None:
    if sum(m.file_size for m in members) > MAX_MODEL_BYTES:
        raise InputError(f"{product.id}: the model is larger than {MAX_MODEL_BYTES} bytes unpacked")
    for member in members:
        if ".." in PurePosixPath(member.filename).parts or member.filename.startswith("/"):
            raise InputError(f"{product.id}: the archive names {member.filename!r}, outside its folder")
