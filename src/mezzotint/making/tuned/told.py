"""What a network is told of captions while it is tuned: what its own system would tell it of them as prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from mezzotint.conditioning.prompts import Prompts
from mezzotint.diffusion.denoiser import Cond
from mezzotint.errors import UsageError
from mezzotint.making.prompt import told
from mezzotint.pretrained.families.legible import Legible
from mezzotint.pretrained.system import System
from mezzotint.training.data.source import Item

Read = Callable[[str], tuple[Cond, Cond]]
"""A caption -> (cond, null) of one row."""


def reader(system: System, size: tuple[int, int], takes: Sequence[str], scale: float) -> Read:
    """Reads captions as a system does prompts, each once; float32, and only what the network takes.

    scale: what a network is told whose guidance is in its weights: as its pictures are made, it learns.
    Raises UsageError, when it is used, for a caption that takes more chunks of text than the one before.
    """
    known: dict[str, tuple[Cond, Cond]] = {}

    def taken(cond: Cond) -> Cond:
        # Encoders run in inference mode, whose tensors may not be learnt from: their copies may.
        own = {k: (v.float() if v.is_floating_point() else v).clone() for k, v in cond.items() if k in takes}
        return {**own, "guidance": torch.tensor([scale])} if "guidance" in takes else own

    def read(caption: str) -> tuple[Cond, Cond]:
        if caption not in known:
            cond, null = (taken(one) for one in told(system, Prompts(caption), size).conds(torch.float32))
            for one, _ in list(known.values())[:1]:
                if any(one[k].shape != v.shape for k, v in cond.items()):
                    raise UsageError(f"the caption {caption[:80]!r}… is longer than the others; say it shorter")
            known[caption] = cond, null
        return known[caption]

    return read


@dataclass(frozen=True)
class Spelled:
    """A ``Conditioning`` of captions as tokens, for text encoders that are learnt on (``pretrained.families.legible``).

    tokens: ``Legible.tokens``.  beside: (cond, null) of one row, of what a network is told beside texts.   instead: as
    of ``Told``, and the empty caption as there.
    """

    tokens: Callable[[Sequence[str]], Cond]
    beside: tuple[Cond, Cond]
    instead: str

    def __call__(self, items: Sequence[Item]) -> Cond:
        return self._told([self.instead if item.text is None else item.text for item in items])

    def null(self, rows: int) -> Cond:
        return self._told([""] * rows)

    def _told(self, captions: Sequence[str]) -> Cond:
        beside = [self.beside[not caption] for caption in captions]
        return {**self.tokens(captions), **{name: torch.cat([row[name] for row in beside]) for name in self.beside[0]}}


def spelled(reads: Legible, read: Read, instead: str) -> Spelled:
    """read: as the system reads captions, for what it is told beside texts."""
    cond, null = ({k: v for k, v in one.items() if k not in reads.told} for one in read(instead))

    def tokens(captions: Sequence[str]) -> Cond:
        return reads.tokens(captions)  # a function, as a recipe names it; whose encoders, its net says

    return Spelled(tokens, (cond, null), instead)


@dataclass(frozen=True)
class Told:
    """A ``Conditioning`` of captions that a system reads; of the empty one it is told what guidance holds others
    against.   instead: the caption of what has none."""

    read: Read
    instead: str

    def __call__(self, items: Sequence[Item]) -> Cond:
        rows = [self.read(item.text or self.instead)[item.text == ""] for item in items]
        return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}

    def null(self, rows: int) -> Cond:
        return {name: value.expand(rows, *value.shape[1:]) for name, value in self.read(self.instead)[1].items()}
