"""Every photograph that product models learnt from, as features: what copies are looked for among."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mezzotint.errors import StorageError
from mezzotint.evaluation.features import WEIGHTS_SHA256, Features
from mezzotint.evaluation.trial import Told
from mezzotint.files import atomic_writer
from mezzotint.products.pack import PACKS
from mezzotint.products.source import DRAWING, Photograph, Scenes
from mezzotint.products.textures import digest

ROWS = 100
"""Scenes in memory at a time."""


@dataclass(frozen=True)
class Learnt:
    """An ``evaluation.trial.Learnt``: one scene, that of number 0, of every photograph of ``scenes``."""

    scenes: Scenes

    def __len__(self) -> int:
        return len(self.scenes.pictures)

    @property
    def among(self) -> dict[str, int]:
        """Of the scenes of each photograph that models learn from, one."""
        return {"photographs": len(self), "scenes_of_each": 1}

    def path(self, extract: Features) -> Path:
        """Where they are kept, beside the pack: one file an extractor, of these files, textures and scenes."""
        said = f"{extract.name} {extract.dim} {self.scenes.fingerprint} {self.scenes.pack.key}"
        said = f"{said} {WEIGHTS_SHA256} {digest(self.scenes.textures)} {DRAWING}"
        return self.scenes.folder / PACKS / f"features-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npy"

    def features(self, extract: Features, told: Told) -> Tensor:
        """(len, D) float32; minutes at the first call, which keeps them where it can.   told: of scenes looked at."""
        path = self.path(extract)
        kept = _read(path, (len(self), extract.dim))
        if kept is not None:
            return kept
        made = self._made(extract, told)
        with suppress(StorageError), atomic_writer(path) as file:
            np.save(file, made.numpy())
        return made

    def _made(self, extract: Features, told: Told) -> Tensor:
        found, pictures = list[Tensor](), self.scenes.pictures
        for begin in range(0, len(pictures), ROWS):
            part = pictures[begin : begin + ROWS]
            found.append(extract(pictures_of(self.scenes, part)))
            told(begin + len(part), len(pictures))
        return torch.cat(found)


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    """Features that were kept; None where there are none, or damaged ones."""
    try:
        found = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    whole = isinstance(found, np.ndarray) and found.shape == shape and found.dtype == np.float32
    return torch.from_numpy(found) if whole else None


def pictures_of(scenes: Scenes, chosen: list[Photograph]) -> Tensor:
    """(N, 3, S, S) uint8, scene 0 of each."""
    return torch.from_numpy(np.stack([scenes.image(p, 0) for p in chosen]))
