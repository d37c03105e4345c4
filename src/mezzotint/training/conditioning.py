"""From what a data set says of a sample (label, caption) to what the network is told (``cond``), and its null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.level import expand
from mezzotint.errors import InputError
from mezzotint.training.data.source import Item


class Conditioning(Protocol):
    """items (B of them) -> cond, each entry (B, *); ``null`` (rows) -> the unconditional cond of as many rows, of
    equal shapes."""

    def __call__(self, items: Sequence[Item]) -> Cond: ...
    def null(self, rows: int) -> Cond: ...


@dataclass(frozen=True)
class Unconditional:
    """Nothing is told."""

    def __call__(self, items: Sequence[Item]) -> Cond:
        return {}

    def null(self, rows: int) -> Cond:
        return {}


@dataclass(frozen=True)
class Labels:
    """cond["label"] (B,) int64; null is ``num_classes``.  Raises InputError for a sample without a label or with one
    out of range."""

    num_classes: int

    def __call__(self, items: Sequence[Item]) -> Cond:
        for item in items:
            if item.label is None or not 0 <= item.label < self.num_classes:
                raise InputError(
                    f"{item.id} has label {item.label}; expected 0 to {self.num_classes - 1};"
                    " sort the pictures into class folders"
                )
        return {"label": torch.tensor([item.label for item in items], dtype=torch.int64)}

    def null(self, rows: int) -> Cond:
        return {"label": torch.full((rows,), self.num_classes, dtype=torch.int64)}


@dataclass(frozen=True)
class Captions:
    """What ``encode`` (captions -> cond, each entry (B, *)) makes of the captions; null is the empty caption."""

    encode: Callable[[Sequence[str]], Cond]

    def __call__(self, items: Sequence[Item]) -> Cond:
        return self.encode([item.text or "" for item in items])

    def null(self, rows: int) -> Cond:
        return self.encode([""] * rows)


def dropped(cond: Cond, null: Cond, drop: Tensor) -> Cond:
    """``cond`` with the rows where ``drop`` (B,) bool is true taken from ``null``."""
    return {k: torch.where(expand(drop, v), null[k].to(v.device), v) for k, v in cond.items()}


def trimmed(cond: Cond) -> Cond:
    """``cond`` without the columns of "text" and "text_mask" at the end that no row uses; one stays."""
    if "text_mask" not in cond:
        return cond
    used = torch.nonzero(cond["text_mask"].any(0))
    width = int(used[-1]) + 1 if len(used) else 1
    return {k: v[:, :width] if k in ("text", "text_mask") else v for k, v in cond.items()}
