"""The photographs of a product, as they are read: upright, sRGB, small enough, with masks and captions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError
from mezzotint.pictures.flat import flat
from mezzotint.pictures.png import Pixels, read_picture
from mezzotint.training.data.detect import open_source
from mezzotint.training.data.files import MAX_BYTES, is_picture, listed, pictures_under
from mezzotint.training.data.folders import METADATA, Described, Pictures, pictures
from mezzotint.training.data.source import BadItemError, Item, Shard
from mezzotint.tuning.few import few
from mezzotint.tuning.masks import LARGEST, Mask, is_mask, mask_of

WORDS = (".txt", ".md", ".json", ".csv")
"""Files of words, which nobody means as photographs."""

MOST = 1000
"""Photographs that are read, where MEMORY holds so many; of more, so many are taken evenly."""

MEMORY = 1 << 31
"""Bytes that the pixels and masks of all photographs take at most."""


Place = tuple[Shard, int]
"""Where a photograph is read from."""


@dataclass(frozen=True, eq=False)
class Photo:
    """One photograph.

    name: of its file.  pixels: (H, W, 3), no side longer than was asked for.  whole: (width, height) of the file.
    mask: None where nothing says where the product is.  caption: None where none lies beside it.
    sha256: of the pixels.  said_in: the file that a caption is read from, "" where nobody knows.
    """

    name: str
    pixels: Pixels
    whole: tuple[int, int]
    mask: Mask | None
    caption: str | None
    sha256: str
    said_in: str = ""


@dataclass(frozen=True)
class Shoot:
    """What a folder holds.   notes: what people should know: files that cannot be read, captions without a picture."""

    photos: tuple[Photo, ...]
    notes: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the pictures, masks and captions, in their order."""
        digest = hashlib.sha256()
        for photo in self.photos:
            digest.update(f"{photo.sha256}\0{photo.caption or ''}\0".encode())
            digest.update(b"" if photo.mask is None else photo.mask.alpha.tobytes())
        return digest.hexdigest()


def read_shoot(folder: Path, side: int) -> Shoot:
    """The photographs of a folder, each at most ``side`` px long; captions and masks lie beside them.

    Captions: ``name.txt``, or ``metadata.jsonl`` with ``file_name`` and ``text``; photographs that such a table does
    not name are read too.   Raises InputError where no
    photograph can be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; expected a folder of photographs")
    bad: list[str] = []
    shard = open_source(folder).open(0, lambda damage: bad.append(str(damage)))
    photos: list[Photo] = []
    unnamed = _unnamed(folder) if isinstance(shard, Described) else []
    candidates, most = [*_candidates(shard), *unnamed], _most(side)
    for shard, k in _evenly(candidates, most):
        try:
            item = shard[k]
            if not is_mask(Path(item.id)):
                photo = _photo(folder / item.id, item.id, _said(shard, item), side)
                photos.append(replace(photo, said_in=_said_in(shard, item)))
        except BadItemError as damage:
            bad.append(str(damage))
        except InputError as error:
            bad.append(str(error))
    if not photos:
        raise InputError(f"{folder}: no photograph can be read ({bad[0] if bad else 'masks alone'})")
    n = len(candidates)
    more = [f"{n} photographs; {most} of them are taken, evenly"] if n > most else []
    more += _beside_the_table(len(unnamed))
    left = few(f"left out: {what}" for what in bad)
    return Shoot(tuple(photos), (*more, *left, *few(_lonely(folder)), *few(_unread(folder))))


def _candidates(shard: Shard) -> list[Place]:
    """What is no mask, as far as names are known without reading."""
    names = shard.names if isinstance(shard, Pictures) else None
    return [(shard, k) for k in range(len(shard)) if names is None or not is_mask(Path(names[k]))]


def _unnamed(folder: Path) -> list[Place]:
    """The photographs of a folder that its table does not name: they are read as they are without a table."""
    known = _named(folder)
    if all(name in known for name, _ in pictures_under(folder)):
        return []
    beside = pictures(folder)
    return [(beside, k) for _, k in _candidates(beside) if beside.names[k] not in known]


def _named(folder: Path) -> set[str]:
    """The files that a folder's table names; of a line that cannot be read, none."""
    with (folder / METADATA).open("rb") as lines:
        return {name for line in iter(lambda: lines.readline(MAX_BYTES), b"") for name in _file_named(line)}


def _file_named(line: bytes) -> Iterator[str]:
    with suppress(ValueError, RecursionError):
        facts = json.loads(line)
        if isinstance(facts, dict) and isinstance(facts.get("file_name"), str):
            yield str(PurePosixPath(facts["file_name"]))


def _beside_the_table(n: int) -> list[str]:
    """That a table leaves photographs out, which are read all the same."""
    if not n:
        return []
    who, their = ("one photograph", "its caption is") if n == 1 else (f"{n} photographs", "their captions are")
    return [f"{METADATA} does not name {who}: {their} what lies beside, else the name and the class"]


def _most(side: int) -> int:
    """Photographs of ``side`` px that are read."""
    return min(MOST, MEMORY // (4 * side * side))


def _evenly(places: Sequence[Place], most: int) -> list[Place]:
    """At most so many of them."""
    n = len(places)
    return [places[int(k)] for k in np.linspace(0, n - 1, min(n, most)).round()]


def _said(shard: Shard, item: Item) -> str | None:
    """An item's caption; the name of its folder is none, though it is a class to those who train on classes."""
    folders = shard.classes if isinstance(shard, Pictures) else ()
    return None if item.label is not None and folders and item.text == folders[item.label] else item.text


def _said_in(shard: Shard, item: Item) -> str:
    """The file that an item's caption is read from."""
    return f"{METADATA}, {item.id}" if isinstance(shard, Described) else str(PurePosixPath(item.id).with_suffix(".txt"))


def _lonely(folder: Path) -> Iterator[str]:
    """Of captions for pictures that are not there."""
    stems = {p.stem for p in folder.iterdir() if p.suffix.lower() != ".txt"}
    for text in sorted(folder.glob("*.txt")):
        if text.stem not in stems:
            yield f"{text.name} is a caption of no picture"


def _unread(folder: Path) -> Iterator[str]:
    """Of files that may be meant as photographs, of a format that is not read."""
    for entry in listed(folder):
        name = entry.name
        known = is_picture(name) or name == METADATA or Path(name).suffix.lower() in WORDS or ".tar" in name
        if entry.is_file() and not known and not name.startswith("."):
            yield f"left out: {name} is no picture by its name; expected PNG, JPEG or WebP"


def _photo(path: Path, name: str, caption: str | None, side: int) -> Photo:
    image = read_picture(path, LARGEST)
    whole = image.size
    image = image.convert("RGBA") if image.mode in ("P", "PA", "1") else image  # these shrink without a mean
    image.thumbnail((side, side))
    pixels: Pixels = np.asarray(flat(image), np.uint8)
    mask = mask_of(path, pixels, _alpha(image.convert("RGBA").getchannel("A")), whole)
    said = caption.strip() if caption and caption.strip() else None
    return Photo(name, pixels, whole, mask, said, hashlib.sha256(pixels.tobytes()).hexdigest())


def _alpha(channel: object) -> NDArray[np.uint8] | None:
    """A picture's own alpha where it says something."""
    alpha: NDArray[np.uint8] = np.asarray(channel, np.uint8)
    return None if alpha.min() > 250 else alpha
