"""Token states of captions, computed once: a cache in SQLite under the Mezzotint home, shared by all runs.

States are kept as int8 with one float16 scale a token, which is as exact as the encoder's own int8 weights.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mezzotint.conditioning.text import TextEncoder, encoder
from mezzotint.config import home
from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import StorageError
from mezzotint.files import make_folder

LEVELS = 127
BATCH = 64
_LOCAL = threading.local()


@dataclass(frozen=True)
class CachedTexts:
    """Captions -> {"text": (B, length, D) float32, "text_mask": (B, length) bool}; tokens beyond ``length`` are
    dropped.

    encoder: the name of a text encoder that ships.  Raises StorageError where the cache cannot be written.
    """

    encoder: str
    length: int

    def __call__(self, captions: Sequence[str]) -> Cond:
        states = self.states(captions)
        width = next(iter(states.values())).shape[1] if states else 0
        text = torch.zeros(len(captions), self.length, width)
        mask = torch.zeros(len(captions), self.length, dtype=torch.bool)
        for i, caption in enumerate(captions):
            found = states[caption]
            text[i, : len(found)] = found
            mask[i, : len(found)] = True
        return {"text": text, "text_mask": mask}

    def states(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
        """Caption -> its token states (L, D), L <= length; what is not in the cache is computed and kept."""
        wanted = list(dict.fromkeys(captions))
        known = self._read(wanted)
        missing = sorted((c for c in wanted if c not in known), key=len)
        for i in range(0, len(missing), BATCH):
            part = missing[i : i + BATCH]
            made = self._encoder.states(part, self.length)
            packed = {c: _pack(t[m]) for c, t, m in zip(part, made["text"], made["text_mask"], strict=True)}
            self._write(packed)
            known |= packed
        return {c: _unpack(blob) for c, blob in known.items()}

    @cached_property
    def _encoder(self) -> TextEncoder:
        return encoder(self.encoder)

    @cached_property
    def _path(self) -> Path:
        return make_folder(home() / "texts") / f"{self._encoder.sha256[:16]}-{self.length}.sqlite"

    def _connection(self) -> sqlite3.Connection:
        """One a process, thread and file: SQLite's may not be taken along into a forked process.  A cache made by
        another process at the same time is waited for."""
        known: dict[tuple[int, Path], sqlite3.Connection] = _LOCAL.__dict__.setdefault("connections", {})
        here = (os.getpid(), self._path)
        if here not in known:
            made = sqlite3.connect(self._path, timeout=60)
            made.execute("pragma journal_mode = wal")
            made.execute("create table if not exists states (caption blob primary key, packed blob) without rowid")
            known[here] = made
        return known[here]

    def _read(self, captions: Sequence[str]) -> dict[str, bytes]:
        keys = {_key(c): c for c in captions}
        marks = ",".join("?" * len(keys))
        try:
            rows = self._connection().execute(
                f"select caption, packed from states where caption in ({marks})", list(keys)
            )
            return {keys[k]: bytes(packed) for k, packed in rows}
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from error

    def _write(self, packed: Mapping[str, bytes]) -> None:
        try:
            with self._connection() as connection:
                rows = [(_key(c), blob) for c, blob in packed.items()]
                connection.executemany("insert or ignore into states values (?, ?)", rows)
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> StorageError:
        return StorageError(f"cannot use the cache of captions {self._path}: {error}; delete it, it is made again")


def _key(caption: str) -> bytes:
    return hashlib.sha256(caption.encode()).digest()[:16]


def _pack(states: Tensor) -> bytes:
    """(L, D) -> L float16 scales, then L x D int8; L in the first two bytes."""
    scale = states.abs().amax(1).clamp(min=1e-6) / LEVELS
    scale = scale.half().float().clamp(min=1e-6)
    whole = (states / scale[:, None]).round().clamp(-LEVELS, LEVELS).to(torch.int8)
    head = len(states).to_bytes(2, "little")
    return head + scale.half().numpy().tobytes() + whole.numpy().tobytes()


def _unpack(blob: bytes) -> Tensor:
    count = int.from_bytes(blob[:2], "little")
    scale = np.frombuffer(blob, np.float16, count, 2).astype(np.float32)
    whole: NDArray[np.int8] = np.frombuffer(blob, np.int8, offset=2 + 2 * count).reshape(count, -1)
    return torch.from_numpy(whole.astype(np.float32) * scale[:, None])
