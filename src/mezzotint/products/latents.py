"""Scenes as latents of an autoencoder: encoded when they are first read, then kept on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mezzotint.codecs.latent import Latent, Stored
from mezzotint.files import make_folder
from mezzotint.products.source import Scenes, SceneShard
from mezzotint.training.data.source import Item, Report, Shard

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LatentScenes:
    """A ``Source`` of ``scenes`` whose pictures are latents, uint8 (``codecs.latent.Stored``).

    codec: made when a scene is first encoded.  encoder_sha256: of the encoder's weights; names the files.
    """

    scenes: Scenes
    codec: Callable[[], Latent]
    encoder_sha256: str
    shape: tuple[int, int, int]

    @property
    def classes(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def shards(self) -> int:
        return self.scenes.shards

    @cached_property
    def fingerprint(self) -> str:
        """Of the scenes and of the encoder."""
        return f"{self.scenes.fingerprint}/{self.encoder_sha256[:16]}"

    def open(self, shard: int, report: Report) -> Shard:
        return _Latents(self, self.scenes.open(shard, report), self._file(shard))

    def _file(self, shard: int) -> Path:
        folder = make_folder(
            self.scenes.folder / "latents" / f"{self.encoder_sha256[:12]}-{self.scenes.fingerprint[:12]}"
        )
        return folder / f"{shard:02d}.bin"

    @cached_property
    def ready(self) -> Latent:
        """The codec."""
        return self.codec()


_LOCK = threading.Lock()


class _Latents:
    """One shard: a file of rows, each a byte that says whether it is there, and the latent."""

    def __init__(self, source: LatentScenes, base: SceneShard, path: Path) -> None:
        self._source, self._base, self._stored = source, base, Stored(source.shape)
        size = 1 + int(np.prod(source.shape))
        if not path.is_file() or path.stat().st_size != len(base) * size:
            with path.open("wb") as file:
                file.truncate(len(base) * size)
        self._rows: Bytes = np.memmap(path, np.uint8, "r+", shape=(len(base), size))

    def __len__(self) -> int:
        return len(self._base)

    def __getitem__(self, i: int) -> Item:
        row = self._rows[i]
        if not row[0]:
            picture = torch.from_numpy(np.asarray(self._base[i].image))[None]
            with _LOCK:
                row[1:] = self._stored.decode(self._source.ready.encode(picture)).numpy().reshape(-1)
                row[0] = 1
        return Item(self._base.name(i), np.array(row[1:]).reshape(self._source.shape), self._base.caption(i))
