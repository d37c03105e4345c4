"""A trial: what models are asked for, and the real pictures that the answers are held against."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from torch import Tensor

from mezzotint.errors import UsageError
from mezzotint.evaluation.estimate import Estimate
from mezzotint.evaluation.features import Features
from mezzotint.evaluation.score import images_hash

TRAIN_TIMES = 3
"""Training pictures for each held-out one: to hold distances and neighbours against, and for copies where a trial knows
no more of what was learnt (``Trial.learnt``)."""

Judged = Callable[[Tensor], Mapping[str, Estimate]]
"""Pictures (N, 3, H, W) uint8, the k-th made for the k-th prompt -> the shares that show what was asked."""


Told = Callable[[int, int], None]
"""(done, of how many)."""


class Learnt(Protocol):
    """Every picture that was learnt from; only their features are held in memory."""

    def __len__(self) -> int: ...

    @property
    def among(self) -> dict[str, int]:
        """What they are, in numbers, as evaluations say it."""
        ...

    def features(self, extract: Features, told: Told) -> Tensor:
        """(len, D) float32."""
        ...


def not_judged(images: Tensor) -> Mapping[str, Estimate]:
    """Nothing is known of what the prompts say."""
    return {}


@dataclass(frozen=True, eq=False)
class Trial:
    """prompts: one a picture.  reference: held-out real pictures (N, C, H, W) uint8, the k-th one of what the k-th
    prompt says.  train: pictures that were learnt from (M, C, H, W), M >= N.   judged: whether a picture shows what its
    prompt says.   learnt: all of them, among which copies are looked for; None is ``train``.
    Raises UsageError for other numbers of pictures.
    """

    name: str
    prompts: tuple[str, ...]
    reference: Tensor
    train: Tensor
    judged: Judged = not_judged
    learnt: Learnt | None = None

    def __post_init__(self) -> None:
        if not len(self.prompts) == len(self.reference) <= len(self.train):
            raise UsageError(
                f"trial {self.name}: {len(self.prompts)} prompts, {len(self.reference)} held-out and {len(self.train)}"
                " training pictures; expected as many prompts as held-out pictures, and no fewer training pictures"
            )

    @property
    def copies_among(self) -> dict[str, int]:
        """Among what copies are looked for: training pictures, or as ``learnt`` says."""
        return {"pictures": len(self.train)} if self.learnt is None else self.learnt.among

    @cached_property
    def sha256(self) -> str:
        """Of the reference pictures and of the prompts: results compare where it is the same."""
        said = "\0".join(self.prompts)
        return hashlib.sha256(f"{images_hash(self.reference)}\0{said}".encode()).hexdigest()
