"""The registry: signatures of pictures whose copies are not given out, in one SQLite file under the home.

Thumbnails of 64 x 64 pixels are kept, no more of a picture; of banned marks, which are looked for inside pictures, the
whole at 256 pixels.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from mezzotint.config import home
from mezzotint.errors import GateError, StorageError
from mezzotint.files import make_folder, sha256
from mezzotint.governance.safety.output.copies.sign import COARSE, SIDE, WINDOWS, Floats, Signature, signed
from mezzotint.pictures.png import Pixels, png, to_pil

NAME = "copies.sqlite"
VERSION, WAIT_SECONDS = 1, 60.0
KINDS = ("protected", "training", "output", "mark")
MARK = "mark"
MARK_SIDE = 256
TABLES = f"""
CREATE TABLE IF NOT EXISTS picture (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
  pixels_sha256 TEXT NOT NULL, rgb BLOB NOT NULL, pdq BLOB NOT NULL, vectors BLOB NOT NULL, whole BLOB NOT NULL,
  UNIQUE (kind, pixels_sha256)) STRICT;
PRAGMA user_version = {VERSION};
"""
VECTORS = (len(WINDOWS), COARSE * COARSE)


@dataclass(frozen=True, eq=False)
class Entry:
    """One picture.   whole: a PNG file's bytes, of marks."""

    kind: str
    name: str
    pixels_sha256: str
    signature: Signature
    whole: bytes = b""


@dataclass(frozen=True, eq=False)
class Registered:
    """What a registry holds, read at once.   vectors: (N, windows, 144) of ``entries``, which are all but marks."""

    entries: tuple[Entry, ...] = ()
    marks: tuple[Entry, ...] = ()
    vectors: Floats = field(default_factory=lambda: np.zeros((0, *VECTORS), np.float32))

    @cached_property
    def sha256(self) -> str:
        """Of what it holds, in order."""
        every = (*self.entries, *self.marks)
        return sha256(f"{one.kind} {one.pixels_sha256}\n".encode() for one in every)

    def without(self, pixels_sha256: str) -> Registered:
        """All but that very picture as an earlier output: made again it is no copy."""
        same = [i for i, e in enumerate(self.entries) if e.kind == "output" and e.pixels_sha256 == pixels_sha256]
        if not same:
            return self
        kept = tuple(one for i, one in enumerate(self.entries) if i not in same)
        return Registered(kept, self.marks, np.delete(self.vectors, same, 0))

    @cached_property
    def pdqs(self) -> NDArray[np.uint8]:
        """(entries that have one, 32); their numbers are ``hashed``."""
        return np.array(
            [np.frombuffer(self.entries[i].signature.pdq, np.uint8) for i in self.hashed], np.uint8
        ).reshape(-1, 32)

    @cached_property
    def hashed(self) -> tuple[int, ...]:
        """The numbers of entries that have a PDQ hash."""
        return tuple(i for i, one in enumerate(self.entries) if one.signature.pdq)


def place() -> Path:
    """The registry's file."""
    return home() / "safety" / NAME


def entry(kind: str, name: str, pixels: Pixels) -> Entry:
    """Of a picture (H, W, C).   name: a label; bytes of a file's name that are no text are spelt out in it."""
    label = name.encode("utf-8", "backslashreplace").decode()
    return Entry(kind, label, sha256(pixels.tobytes()), signed(pixels), _small(pixels) if kind == MARK else b"")


def _small(pixels: Pixels) -> bytes:
    picture = to_pil(pixels)
    picture.thumbnail((MARK_SIDE, MARK_SIDE))
    return png(picture, {})


ADDING = "INSERT OR IGNORE INTO picture VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
SOME = 256
"""Pictures that are read before they are written together: while others are being read, nobody waits for the file."""


def added(path: Path, entries: Iterable[Entry]) -> int:
    """Adds pictures; those that are there already are left.   Returns: how many are new.   Raises StorageError."""
    make_folder(path.parent)
    rows, new = map(_row, entries), 0
    while some := list(islice(rows, SOME)):
        with _open(path) as base:
            before = base.total_changes
            base.executemany(ADDING, some)
            base.commit()
            new += base.total_changes - before
    return new


def replaced(path: Path, kind: str, entries: Iterable[Entry]) -> tuple[int, int]:
    """Removes every picture of a kind and adds others, both or neither.   Returns: how many are new, how many are gone.

    The others are read into a file beside it first.   Raises StorageError.
    """
    make_folder(path.parent)
    with TemporaryDirectory(dir=path.parent) as beside:
        others = Path(beside) / NAME
        added(others, entries)
        with _open(others), _open(path) as base:
            base.execute("ATTACH ? AS others", (str(others),))
            gone = int(base.execute("DELETE FROM main.picture WHERE kind = ?", (kind,)).rowcount)
            before = base.total_changes
            columns = "kind, name, pixels_sha256, rgb, pdq, vectors, whole"
            base.execute(f"INSERT OR IGNORE INTO main.picture SELECT NULL, {columns} FROM others.picture")
            base.commit()
            return base.total_changes - before, gone


def counted(path: Path) -> dict[str, int]:
    """Pictures of each kind.   Raises StorageError."""
    if not path.exists():
        return dict.fromkeys(KINDS, 0)
    with _open(path) as base:
        found = dict(base.execute("SELECT kind, COUNT(*) FROM picture GROUP BY kind").fetchall())
    return {kind: int(found.get(kind, 0)) for kind in KINDS}


def registered(path: Path, kinds: Sequence[str] = KINDS) -> Registered:
    """What is there of some kinds.   Raises GateError for a file that is damaged: nothing can be checked with it."""
    if not path.exists():
        return Registered()
    try:
        with _open(path) as base:
            rows = base.execute("SELECT kind, name, pixels_sha256, rgb, pdq, vectors, whole FROM picture").fetchall()
        found = [(_entry(row), _vectors(row[5])) for row in rows if row[0] in kinds]
    except (StorageError, ValueError) as error:
        raise GateError(
            f"the registry of protected pictures {path} is damaged or in use, so nothing is made ({error}); try again,"
            " and where it is damaged put back a copy of it"
        ) from error
    shown = [(one, vectors) for one, vectors in found if one.kind != MARK]
    vectors = np.stack([v for _, v in shown]) if shown else np.zeros((0, *VECTORS), np.float32)
    return Registered(tuple(one for one, _ in shown), tuple(one for one, _ in found if one.kind == MARK), vectors)


def _row(one: Entry) -> tuple[object, ...]:
    thumb, vectors = one.signature.rgb, one.signature.vectors.astype(np.float16)
    return (one.kind, one.name, one.pixels_sha256, thumb.tobytes(), one.signature.pdq, vectors.tobytes(), one.whole)


def _entry(row: tuple[str, str, str, bytes, bytes, bytes, bytes]) -> Entry:
    """Raises ValueError for blobs of another size."""
    rgb = np.frombuffer(row[3], np.uint8).reshape(SIDE, SIDE, 3)
    return Entry(row[0], row[1], row[2], Signature(rgb, row[4]), row[6])


def _vectors(data: bytes) -> Floats:
    return np.frombuffer(data, np.float16).astype(np.float32).reshape(VECTORS)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Raises StorageError for what SQLite cannot do."""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as base:
            base.executescript(TABLES)
            yield base
    except sqlite3.Error as error:
        raise StorageError(f"cannot use the registry {path}: {error}; free some space, or put back a copy") from error


def pixels_of(mark: Entry) -> Pixels:
    """Of a mark, (H, W, C)."""
    from PIL import Image

    from mezzotint.pictures.png import to_pixels

    return to_pixels(Image.open(io.BytesIO(mark.whole)))
