"""Names of many files in little memory, and bounded reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mezzotint.errors import InputError
from mezzotint.training.data.source import BadItemError

MAX_BYTES = 64 << 20
"""A single picture, caption or archive header that is larger is refused unread."""
PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))


class Names:
    """A sequence of texts as one block of bytes: eight bytes each beside the text, where a list takes sixty."""

    def __init__(self, names: Iterable[str]) -> None:
        block, ends = bytearray(), []
        for name in names:
            block += os.fsencode(name)
            ends.append(len(block))
        self._block, self._ends = bytes(block), np.array([0, *ends], np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, i: int) -> str:
        return os.fsdecode(self._block[self._ends[i] : self._ends[i + 1]])


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name; hidden files are not."""
    return f".{name.rpartition('.')[2].lower()}" in PICTURES and not name.startswith(".")


def listed(folder: Path) -> list[os.DirEntry[str]]:
    """A folder's entries by name.  Raises InputError when it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda e: e.name)
    except OSError as error:
        raise InputError(
            f"cannot read the folder {folder}: {error.strerror}; give an existing one with --data"
        ) from None


def pictures_under(folder: Path, inside: str = "") -> Iterator[tuple[str, int]]:
    """(path relative to the folder, size in bytes) of every picture in it and below, in a fixed order.

    Linked pictures are read; linked folders are not entered (they may lead in circles).
    """
    for entry in listed(folder / inside):
        path = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from pictures_under(folder, path)
        elif is_picture(entry.name) and entry.is_file():
            yield path, entry.stat().st_size


def read_item(path: Path, name: str) -> bytes:
    """A whole file.  Raises BadItemError when it cannot be read or is larger than MAX_BYTES."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadItemError(name, f"it cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MAX_BYTES:
        raise BadItemError(name, f"it is larger than {MAX_BYTES >> 20} MiB")
    return data


def text_of(data: bytes) -> str:
    """A caption file's text: UTF-8 (with or without a mark), damage replaced, without space around it."""
    return data.decode("utf-8-sig", errors="replace").strip()
