"""Folders of pictures: with ``metadata.jsonl``, with class folders, or with side-car captions.  One shard each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError
from mezzotint.training.data.files import MAX_BYTES, Names, is_picture, listed, pictures_under, read_item, text_of
from mezzotint.training.data.source import BadItemError, Item, Report, Shard

METADATA = "metadata.jsonl"


@dataclass(frozen=True)
class Described:
    """A folder with ``metadata.jsonl``: a line is ``{"file_name": …, "text": …, "label": …}``, the last two at will.

    Lines are found by their place in the file, so a picture costs eight bytes of memory.
    """

    folder: Path
    starts: NDArray[np.int64] = field(repr=False)
    fingerprint: str
    classes: tuple[str, ...] = ()
    shards: int = 1

    def open(self, shard: int, report: Report) -> Shard:
        return self

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> Item:
        name = f"{METADATA} line at byte {self.starts[i]}"
        facts = self._line(int(self.starts[i]), name)
        file, text, label = facts.get("file_name"), facts.get("text"), facts.get("label")
        if not isinstance(file, str) or not isinstance(text, str | None) or not isinstance(label, int | None):
            raise BadItemError(name, 'expected {"file_name": text, "text": text, "label": whole number}')
        inside = PurePosixPath(file)
        if inside.is_absolute() or ".." in inside.parts or not file:
            raise BadItemError(name, f"file_name {file[:200]!r} points outside the folder")
        return Item(file, read_item(self.folder / inside, file), text, label)

    def _line(self, start: int, name: str) -> dict[str, Any]:
        try:
            with (self.folder / METADATA).open("rb") as file:
                file.seek(start)
                value = json.loads(file.readline(MAX_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            raise BadItemError(name, f"it is not JSON ({type(error).__name__})") from None
        if not isinstance(value, dict):
            raise BadItemError(name, "expected a JSON table")
        return value


def described(folder: Path) -> Described:
    """The folder's ``metadata.jsonl``, scanned once.  Raises InputError when it cannot be read or has no lines."""
    starts, at, digest = [], 0, hashlib.sha256()
    try:
        with (folder / METADATA).open("rb") as file:
            for line in iter(lambda: file.readline(MAX_BYTES), b""):
                if line.strip():
                    starts.append(at)
                at += len(line)
                digest.update(line)
    except OSError as error:
        raise InputError(f"cannot read {folder / METADATA}: {error.strerror}") from None
    if not starts:
        raise InputError(f"{folder / METADATA} has no lines; expected one a picture")
    return Described(folder, np.array(starts, np.int64), digest.hexdigest())


@dataclass(frozen=True)
class Pictures:
    """Pictures in and below a folder, each with its caption in ``<name>.txt`` beside it, where there is one.

    labels: (N,) class numbers when the first level of folders are classes, else None.
    """

    folder: Path
    names: Names = field(repr=False)
    fingerprint: str
    classes: tuple[str, ...] = ()
    labels: NDArray[np.int32] | None = field(default=None, repr=False)
    shards: int = 1

    def open(self, shard: int, report: Report) -> Shard:
        return self

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> Item:
        name = self.names[i]
        label = None if self.labels is None else int(self.labels[i])
        return Item(name, read_item(self.folder / name, name), self._caption(name, label), label)

    def _caption(self, name: str, label: int | None) -> str | None:
        beside = (self.folder / name).with_suffix(".txt")
        if beside.is_file():
            return text_of(read_item(beside, name))
        return None if label is None else self.classes[label]


def pictures(folder: Path) -> Pictures:
    """The pictures in and below a folder.  When all lie in folders of the first level, those are classes.

    Raises InputError when there are none.
    """
    digest, names = hashlib.sha256(), []
    for name, size in pictures_under(folder):
        digest.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
        names.append(name)
    if not names:
        raise InputError(f"{folder} has no pictures; expected .png, .jpg, .webp … in it, or class folders of them")
    classes, labels = _classes(folder, names)
    return Pictures(folder, Names(names), digest.hexdigest(), classes, labels)


def _classes(folder: Path, names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int32] | None]:
    if any(is_picture(e.name) and e.is_file() for e in listed(folder)):
        return (), None
    first = [name.partition("/")[0] for name in names]
    classes = tuple(sorted(set(first)))
    number = {name: k for k, name in enumerate(classes)}
    return classes, np.array([number[name] for name in first], np.int32)
