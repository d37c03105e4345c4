"""What an adapter holds, layer by layer: the one form between the layouts of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mezzotint.nets.adapters.begun import Tensors
from mezzotint.nets.adapters.changes import Change, change_of
from mezzotint.nets.adapters.layouts import Part
from mezzotint.nets.adapters.lora import low_rank
from mezzotint.nets.adapters.trained import Learnt

THIN = ("down", "up", "mid")
"""Tensors of LoRA that have the number of axes of the layer's weight."""


@dataclass(frozen=True, eq=False)
class Held:
    """What is said of one layer.

    tensors: by what they are (``layouts``), with as many axes as the layer's weight has.
    alpha: in float32, as files keep it; the rank where a file says none; None where there is no rank.
    """

    tensors: Tensors
    alpha: float | None

    @property
    def rank(self) -> int | None:
        """Of its thin matrices, None where it has none."""
        return rank_of(self.tensors)

    @property
    def method(self) -> str:
        """lora, dora, loha, lokr or full, with "+dora" behind the others."""
        found = next((name for start, name in STARTS.items() if any(k.startswith(start) for k in self.tensors)), "full")
        if "magnitude" not in self.tensors:
            return found
        return "dora" if found == "lora" else f"{found}+dora"

    @property
    def change(self) -> Change | None:
        """What it does to the layer; None where a tensor is missing."""
        return change_of(self.tensors, self.alpha, low_rank(self.tensors, self.alpha))


STARTS = {"down": "lora", "hada_": "loha", "lokr_": "lokr"}
"""How a tensor is called -> the method that has it."""

Contents = Mapping[Part, Mapping[str, Held]]
"""Network -> path of a layer -> what is said of it.

Where a file says of several layers at once what none of them can be told alone (LoKr on FLUX's joint q, k and v), the
path is the name of them all in the original layout.
"""


def rank_of(tensors: Tensors) -> int | None:
    """Of thin matrices, None where there are none."""
    if "up" in tensors:
        return int(tensors["up"].shape[1])
    thin = next((name for name in ("hada_w1_b", "lokr_w1_b", "lokr_w2_b") if name in tensors), None)
    return None if thin is None else int(tensors[thin].shape[0])


def rounded(alpha: float) -> float:
    """The nearest of float32, in which files keep it."""
    return float(torch.tensor(alpha, dtype=torch.float32))


def held(tensors: Tensors, alpha: float | None) -> Held:
    """The same, with an alpha where a rank or LoKr asks for one: what is not said scales nothing."""
    said = dict(tensors)
    rank = rank_of(said)
    if alpha is not None:
        return Held(said, rounded(alpha))
    whole = 1.0 if "lokr_w1" in said and rank is None else None
    return Held(said, whole if rank is None else float(rank))


def shaped(one: Held, axes: int) -> Held:
    """The same with the axes of the layer's weight: files also say 1 x 1 convolutions and rows' norms in fewer."""
    made = {k: _spread(t, axes) if k in (*THIN, "magnitude") else t for k, t in one.tensors.items()}
    return replace(one, tensors=made)


def _spread(tensor: Tensor, axes: int) -> Tensor:
    more = axes - tensor.ndim
    if more >= 0:
        return tensor.reshape(*tensor.shape, *(1,) * more)
    return tensor.reshape(tensor.shape[:axes]) if tensor.shape[axes:].numel() == 1 else tensor


def contents_of(learnt: Mapping[str, Learnt], part: Part = "denoiser") -> Contents:
    """What was learnt of a network, as it is written."""
    return {part: {path: held(one.tensors, one.alpha) for path, one in learnt.items()}}


def each(contents: Contents, make: Callable[[Part, str, Held], Held]) -> Contents:
    """Contents whose layers are each made anew."""
    return {part: {k: make(part, k, one) for k, one in layers.items()} for part, layers in contents.items()}


def same(one: Contents, other: Contents) -> bool:
    """Whether two hold the same layers, alphas and tensors to the bit."""
    return {p: set(layers) for p, layers in one.items()} == {p: set(layers) for p, layers in other.items()} and all(
        _alike(a, other[part][path]) for part, layers in one.items() for path, a in layers.items()
    )


def _alike(one: Held, other: Held) -> bool:
    return (
        one.alpha == other.alpha
        and set(one.tensors) == set(other.tensors)
        and all(t.dtype == other.tensors[k].dtype and torch.equal(t, other.tensors[k]) for k, t in one.tensors.items())
    )
