"""What an adapter holds, layer by layer: the one form between the layouts of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.nets.adapters.begun import Tensors
from mezzotint.nets.adapters.changes import Change, change_of
from mezzotint.nets.adapters.layouts import Part, rank_of
from mezzotint.nets.adapters.lora import low_rank
from mezzotint.nets.adapters.trained import Learnt

THIN = ("down", "up", "mid")
"""Tensors of LoRA that have the number of axes of the layer's weight."""


@dataclass(frozen=True, eq=False)
class Held:
    """What is said of one layer.

    tensors: by what they are (``layouts``), with as many axes as the layer's weight has.
    alpha: in float32, as files keep it; None where nothing is scaled or bounded.
    """

    tensors: Tensors
    alpha: float | None

    @property
    def rank(self) -> int | None:
        """Of its thin matrices, None where it has none."""
        return rank_of(self.tensors)

    @property
    def method(self) -> str:
        """lora, dora, loha, lokr, oft, boft or full, with "+dora" behind the others."""
        found = next((name for start, name in STARTS.items() if any(k.startswith(start) for k in self.tensors)), "full")
        if "magnitude" not in self.tensors:
            return found
        return "dora" if found == "lora" else f"{found}+dora"

    @property
    def change(self) -> Change | None:
        """What it does to the layer; None where a tensor is missing."""
        return change_of(self.tensors, self.alpha, low_rank(self.tensors, self.alpha))


STARTS = {"down": "lora", "hada_": "loha", "lokr_": "lokr", "oft_": "oft", "boft_": "boft"}
"""How a tensor is called -> the method that has it."""

Contents = Mapping[Part, Mapping[str, Held]]
"""Network -> path of a layer -> what is said of it.

Where a file says of several layers at once what none of them can be told alone (LoKr on FLUX's joint q, k and v), the
path is the name of them all in the original layout.
"""


def rounded(alpha: float) -> float:
    """The nearest of float32, in which files keep it."""
    return float(torch.tensor(alpha, dtype=torch.float32))


def held(tensors: Tensors, alpha: float | None) -> Held:
    """The same, with the alpha that is meant: where none is said the rank, and 1 of a product of whole matrices, which
    is scaled by nothing whatever is said; of rotations it is what bounds them, if anything does."""
    rank = rank_of(tensors)
    if "oft_blocks" in tensors:
        return Held(tensors, None if alpha is None else rounded(alpha))
    if rank is None:
        return Held(tensors, 1.0 if "lokr_w1" in tensors else None)
    return Held(tensors, float(rank) if alpha is None else rounded(alpha))


def shaped(one: Held, axes: int) -> Held:
    """The same with the axes that writers give them where a layer's weight has so many."""
    return replace(one, tensors={k: _shaped(k, t, axes) for k, t in one.tensors.items()})


def _shaped(what: str, tensor: Tensor, axes: int) -> Tensor:
    if what == "lokr_w2_b":
        return tensor.flatten(1)
    if what not in (*THIN, "magnitude"):
        return tensor
    more = axes - tensor.ndim
    if more >= 0:
        return tensor.reshape(*tensor.shape, *(1,) * more)
    return tensor.reshape(tensor.shape[:axes]) if tensor.shape[axes:].numel() == 1 else tensor


def contents_of(learnt: Mapping[str, Learnt], part: Part = "denoiser") -> Contents:
    """What was learnt of a network, as it is written."""
    return {part: {path: _held(one) for path, one in learnt.items()}}


def _held(one: Learnt) -> Held:
    made = held(one.tensors, one.alpha)
    return replace(made, tensors={k: _shaped(k, t, t.ndim) for k, t in made.tensors.items()})
