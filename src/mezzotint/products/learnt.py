"""Every photograph that product models learnt from, as features: what copies are looked for among."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mezzotint.evaluation.features import Features
from mezzotint.evaluation.trial import Told
from mezzotint.files import atomic_writer
from mezzotint.products.pack import PACKS
from mezzotint.products.source import Photograph, Scenes

ROWS = 100
"""Scenes in memory at a time."""


@dataclass(frozen=True)
class Learnt:
    """An ``evaluation.trial.Learnt``: one scene, that of number 0, of every photograph of ``scenes``."""

    scenes: Scenes

    def __len__(self) -> int:
        return len(self.scenes.pictures)

    def path(self, extract: Features) -> Path:
        """Where they are kept, beside the pack: one file an extractor, of these files and scenes."""
        said = f"{extract.name} {extract.dim} {self.scenes.fingerprint} {self.scenes.pack.key}"
        return self.scenes.folder / PACKS / f"features-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npy"

    def features(self, extract: Features, told: Told) -> Tensor:
        """(len, D) float32; minutes at the first call, which keeps them.   told: of scenes that are looked at."""
        path = self.path(extract)
        if not path.is_file():
            made = self._made(extract, told).numpy()
            with atomic_writer(path) as file:
                np.save(file, made)
        return torch.from_numpy(np.load(path))

    def _made(self, extract: Features, told: Told) -> Tensor:
        found, pictures = list[Tensor](), self.scenes.pictures
        for begin in range(0, len(pictures), ROWS):
            part = pictures[begin : begin + ROWS]
            found.append(extract(pictures_of(self.scenes, part)))
            told(begin + len(part), len(pictures))
        return torch.cat(found)


def pictures_of(scenes: Scenes, chosen: list[Photograph]) -> Tensor:
    """(N, 3, S, S) uint8, scene 0 of each."""
    return torch.from_numpy(np.stack([scenes.image(p, 0) for p in chosen]))
