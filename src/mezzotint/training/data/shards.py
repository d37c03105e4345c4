"""WebDataset shards: tar files whose members of one stem make a sample: ``7.jpg``, ``7.txt``, ``7.json``, ``7.cls``.

Only headers are read to open a shard; data is read in place when its turn comes.  Nothing is ever extracted, so a
member's name is a name and not a path.  https://github.com/webdataset/webdataset (the format)
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mezzotint.errors import InputError
from mezzotint.training.data.files import MAX_BYTES, PICTURES, Names, listed, text_of
from mezzotint.training.data.source import BadItemError, Item, Report, Shard

PARTS = ("image", "txt", "cls", "json")
MAX_MEMBERS = 1_000_000
"""More in one shard is refused: its references would not be small."""


class _Limited(io.BufferedReader):
    """A file whose single reads are bounded: a lying archive header cannot ask for the memory of the machine."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > MAX_BYTES:
            raise tarfile.ReadError(f"a header asks for {size} bytes")
        return super().read(size)


def _members(path: Path) -> Iterator[tuple[str, int, int]]:
    """(name, offset, size) of each regular member.  Raises what tarfile raises at the first damage."""
    with _Limited(io.FileIO(path)) as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
        length = path.stat().st_size
        for _ in range(MAX_MEMBERS):
            member = tar.next()
            if member is None:
                _check_end(raw, tar.offset)
                return
            vars(tar)["members"].clear()  # tarfile remembers every member; this reader does not look back
            if not member.isreg() or member.issparse():
                continue
            if member.offset_data + member.size > length:
                raise tarfile.ReadError(f"{member.name[:200]!r} claims {member.size} bytes, which are not there")
            yield member.name, member.offset_data, member.size
        raise tarfile.ReadError(f"more than {MAX_MEMBERS} members")


def _check_end(raw: io.BufferedReader, offset: int) -> None:
    """An archive ends in zeros; tarfile itself takes a damaged header for the end."""
    raw.seek(offset)
    block = raw.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        raise tarfile.ReadError(f"no valid header at byte {offset}")


def _split(name: str) -> tuple[str, str]:
    """A member's name as (stem with its folder, part); the part of an unknown extension is ""."""
    folder, _, last = name.rpartition("/")
    stem, _, extension = last.partition(".")
    extension = extension.lower()
    part = "image" if f".{extension.rpartition('.')[2]}" in PICTURES else extension if extension in PARTS else ""
    return f"{folder}/{stem}" if folder else stem, part


@dataclass(frozen=True)
class TarShard:
    """One open shard: where the parts of each sample lie.   spans: (N, 4, 2) offset and size, size -1 = absent."""

    path: Path
    keys: Names = field(repr=False)
    spans: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, i: int) -> Item:
        name = f"{self.path.name}/{self.keys[i]}"
        parts = {part: self._read(name, *map(int, span)) for part, span in zip(PARTS, self.spans[i], strict=True)}
        image, facts = parts["image"], _facts(name, parts["json"])
        if image is None:
            raise BadItemError(name, "it has no picture")
        text = facts.get("text", facts.get("caption")) if parts["txt"] is None else text_of(parts["txt"])
        label = facts.get("label") if parts["cls"] is None else _number(name, parts["cls"])
        return Item(name, image, text if isinstance(text, str) else None, label if isinstance(label, int) else None)

    def _read(self, name: str, offset: int, size: int) -> bytes | None:
        if size < 0:
            return None
        if size > MAX_BYTES:
            raise BadItemError(name, f"a part of it has {size} bytes; the limit is {MAX_BYTES}")
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            raise BadItemError(name, f"it cannot be read ({error.strerror})") from None
        if len(data) < size:
            raise BadItemError(name, "the shard ends within it")
        return data


def _facts(name: str, data: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(data) if data is not None else {}
    except (ValueError, RecursionError):
        raise BadItemError(name, "its .json part is not JSON") from None
    return value if isinstance(value, dict) else {}


def _number(name: str, data: bytes) -> int:
    try:
        return int(data)
    except ValueError:
        raise BadItemError(name, "its .cls part is not a whole number") from None


def open_shard(path: Path, report: Report) -> TarShard:
    """The samples of a tar file, by its headers.  At the first damage the rest is reported by the shard's name."""
    keys: list[str] = []
    spans: list[list[tuple[int, int]]] = []
    try:
        for name, offset, size in _members(path):
            key, part = _split(name)
            if not part:
                continue
            if not keys or keys[-1] != key:
                keys.append(key)
                spans.append([(0, -1)] * len(PARTS))
            spans[-1][PARTS.index(part)] = (offset, size)
    except Exception as error:  # tarfile raises nearly everything on hostile headers
        report(BadItemError(path.name, f"damaged after {len(keys)} samples, which are used ({error})"))
    return TarShard(path, Names(keys), np.array(spans, np.int64).reshape(-1, len(PARTS), 2))


@dataclass(frozen=True)
class TarShards:
    """A folder of tar shards, by name."""

    folder: Path
    names: tuple[str, ...]
    fingerprint: str
    classes: tuple[str, ...] = ()

    @property
    def shards(self) -> int:
        return len(self.names)

    def open(self, shard: int, report: Report) -> Shard:
        return open_shard(self.folder / self.names[shard], report)


def tar_shards(folder: Path) -> TarShards:
    """The ``*.tar`` files of a folder.  Raises InputError when there are none, or only compressed ones."""
    files = [e for e in listed(folder) if e.name.endswith(".tar") and e.is_file()]
    if not files:
        raise InputError(
            f"{folder} has no .tar shards; expected uncompressed WebDataset shards;"
            " unpack .tar.gz once, pictures are compressed in themselves"
        )
    digest = hashlib.sha256("\0".join(f"{e.name}:{e.stat().st_size}" for e in files).encode())
    return TarShards(folder, tuple(e.name for e in files), digest.hexdigest())
