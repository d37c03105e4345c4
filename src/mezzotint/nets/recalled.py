"""First-block caching: a step in which the first block says nearly what it said takes the others' part from before.

Cheng, 2024, ParaAttention (First Block Cache), after Liu et al., 2024, TeaCache (Timestep Embedding Tells), and Ma et
al., 2023, DeepCache, for networks of several resolutions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.level import expand

KEPT = 2
"""Askings that are remembered beside each other: of the prompt and of what stands in its place, where guidance asks for
them in turn."""


@dataclass(frozen=True, eq=False)
class Split:
    """An evaluation in three parts: ``last(middle(after))`` is the answer.

    before, after: the state before and after the first block, (B, *), of the shape that ``middle`` gives too.
    """

    before: Tensor
    after: Tensor
    middle: Callable[[Tensor], Tensor]
    last: Callable[[Tensor], Tensor]

    @property
    def answer(self) -> Tensor:
        """All of it."""
        return self.last(self.middle(self.after))


@runtime_checkable
class Splitting(Protocol):
    """A network whose evaluation comes in three parts."""

    def split(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Split: ...


@dataclass(frozen=True, eq=False)
class Seen:
    """What is remembered of an asking: what it was told; what the first block and what the middle added, (B, *)."""

    cond: Cond
    first: Tensor
    rest: Tensor

    def fits(self, split: Split, cond: Cond) -> bool:
        """Whether it is of the same rows, told the same."""
        if self.first.shape != split.after.shape or self.cond.keys() != cond.keys():
            return False
        return all(self.cond[k] is cond[k] or torch.equal(self.cond[k], cond[k]) for k in cond)


def change(now: Tensor, before: Tensor) -> Tensor:
    r""":math:`\overline{|r - r'|}/\overline{|r'|}` of each row, (B,) float32."""
    far = (now - before).abs().flatten(1).mean(1, dtype=torch.float32)
    return far / before.abs().flatten(1).mean(1, dtype=torch.float32)


class Recalled:
    """A network with the memory of one trajectory; called as the network is.

    threshold: a row whose first block's addition changed by less, since its middle was last taken, takes the middle's
    addition from then.  The middle is run where any row needs it, and then for the whole batch: a row's bits depend on
    its own contents alone.  0 is exactly the network.
    rows, ran: how many rows were asked for, and for how many of them the middle was run.
    """

    def __init__(self, net: Splitting, threshold: float) -> None:
        self._net, self._threshold = net, threshold
        self._seen: tuple[Seen, ...] = ()
        self.rows = self.ran = 0

    def __call__(self, x: Tensor, c_noise: Tensor, cond: Cond) -> Tensor:
        split = self._net.split(x, c_noise, cond)
        seen = next((one for one in self._seen if one.fits(split, cond)), None)
        first = split.after - split.before
        need = torch.ones(len(x), dtype=torch.bool) if seen is None else self._needed(first, seen)
        self.rows += len(x)
        if seen is not None and not bool(need.any()):
            return split.last(split.after + seen.rest)
        self.ran += len(x)
        middle = split.middle(split.after)
        now = Seen(cond, first, middle - split.after)
        if seen is not None and not bool(need.all()):
            rows = expand(need, first)
            now = Seen(cond, torch.where(rows, first, seen.first), torch.where(rows, now.rest, seen.rest))
            middle = torch.where(rows, middle, split.after + seen.rest)
        others = [one for one in self._seen if one is not seen]
        self._seen = (now, *others)[:KEPT]
        return split.last(middle)

    def _needed(self, first: Tensor, seen: Seen) -> Tensor:
        """Which rows, (B,) bool; what is not finite among them."""
        return ~(change(first, seen.first) < self._threshold)
