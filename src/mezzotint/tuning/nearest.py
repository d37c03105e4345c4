"""How near a model's pictures come to the photographs that it learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mezzotint.evaluation.estimate import Estimate, mean_of
from mezzotint.tuning.evidence import Pictures, nearness
from mezzotint.tuning.photos import Photo


@dataclass(frozen=True)
class Nearest:
    """similarity: of a picture with the photograph nearest to it (``evidence.nearness``), the mean over pictures of the
    product, those on other backgrounds and in other colours among them; a copy is nearer than ``evidence.COPY``, and
    than different photographs are to each other.
    most: of the one picture that is nearest of all.  photograph: the name of the one that it is nearest to.
    """

    similarity: Estimate
    most: float
    photograph: str

    def __str__(self) -> str:
        return f"{self.similarity}, {self.photograph} at {self.most:.4g}"


def nearest(made: Pictures, photos: Sequence[Photo]) -> Nearest:
    """Of one subject's pictures.   photos: those that were learnt from, at least one."""
    alike = nearness(torch.cat([made.subject, made.behind, made.painted]), photos)
    photo = int(alike.argmax()) % alike.shape[1]
    return Nearest(mean_of(alike.amax(1)), float(alike.max()), photos[photo].name)
