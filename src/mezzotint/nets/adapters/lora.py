"""LoRA: a layer's weight W plus a product of two thin matrices, (alpha / r) B A.

Hu et al., 2021, LoRA: Low-Rank Adaptation of Large Language Models, eq. 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.errors import ModelError
from mezzotint.nets.adapters.changes import Change, Cut, Full, part_of, taken
from mezzotint.nets.adapters.devices import beside
from mezzotint.nets.shared import put, shared

Layer = nn.Linear | nn.Conv2d
"""What can be adapted."""

Norm = nn.LayerNorm | nn.GroupNorm | nn.RMSNorm
"""Layers that only a difference of their own shape is added to."""


def adaptable(layer: nn.Module) -> bool:
    """Whether a file may change a layer."""
    return isinstance(layer, Layer) or (isinstance(layer, Norm) and layer.weight is not None)


@dataclass(frozen=True, eq=False)
class LowRank:
    """One layer's addition.

    down: A, (r, in) or (r, in, kh, kw).  up: B, (out, r) or (out, r, 1, 1).   alpha: None is r, so that nothing is
    scaled.  bias: what is added to the layer's.
    """

    down: Tensor
    up: Tensor
    alpha: float | None = None
    bias: Tensor | None = None

    @property
    def scaled(self) -> bool:
        return self.alpha is not None

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])

    @property
    def scale(self) -> float:
        """alpha / r."""
        return 1.0 if self.alpha is None else self.alpha / self.rank

    def delta(self, weight: Tensor) -> Tensor:
        """What is added to the layer's weight, float32, on its device: (out, in) or (out, in, kh, kw)."""
        up, down = beside(weight, self.up).flatten(1), beside(weight, self.down).flatten(1)
        return (self.scale * up @ down).reshape(len(up), *self.down.shape[1:])


def low_rank(found: Mapping[str, Tensor], alpha: float | None) -> LowRank | None:
    """Of a layer's tensors, None where one is missing.

    ``mid``: a core between both, (r, s, kh, kw), as LoCon has for convolutions: A is the core times down.
    """
    if "down" not in found or "up" not in found:
        return None
    down, core = found["down"], found.get("mid")
    if core is not None:
        down = torch.einsum("rskl,si->rikl", core.float(), down.float().flatten(1))
    return LowRank(down, found["up"], alpha, found.get("diff_b"))


def cut_of(change: Change, cut: Cut) -> Change | None:
    """Some output rows of a change, thin where it is thin; None where it cannot be cut, or has other rows."""
    if not isinstance(change, LowRank):
        return part_of(change, cut)
    if change.up.shape[0] != cut.of:
        return None
    bias = None if change.bias is None else taken(change.bias, cut)
    return LowRank(change.down, taken(change.up, cut), change.alpha, bias)


def fits(layer: nn.Module, change: Change) -> str:
    """ "" where a change fits a layer, else what is wrong."""
    if isinstance(layer, Layer | Norm) and change.bias is not None and change.bias.shape != layer.weight.shape[:1]:
        has = tuple(layer.weight.shape[:1])
        return f"has a bias of {has}; the change has one for {tuple(change.bias.shape)}"
    if isinstance(layer, Norm) and isinstance(change, Full):
        has, given = tuple(layer.weight.shape), tuple(change.whole.shape)
        return "" if has == given else f"has weights of {has}; the change is for {given}"
    if not isinstance(layer, Layer):
        return f"is a {type(layer).__name__}, which takes no low-rank addition"
    if isinstance(layer, nn.Conv2d) and layer.groups != 1:
        return "is a grouped convolution, which takes no low-rank addition"
    if isinstance(change, LowRank):
        return _fits_thin(layer, change)
    wanted = tuple(layer.weight.shape)
    try:
        found = tuple(change.delta(torch.ones(wanted)).shape)
    except (RuntimeError, ArithmeticError):  # shapes of no such layer, blocks of rotations that have no halves
        return f"has weights of {wanted}; the change is for others"
    same = found[0] == wanted[0] and math.prod(found) == math.prod(wanted)
    return "" if same else f"has weights of {wanted}; the change is for {found}"


def _fits_thin(layer: Layer, low: LowRank) -> str:
    flat = low.up.flatten(1)
    if low.down.shape[0] != flat.shape[1]:
        return f"has matrices of ranks {low.down.shape[0]} and {flat.shape[1]}"
    wanted, found = tuple(layer.weight.shape), (len(flat), *low.down.shape[1:])
    spread = (*found, 1, 1) if len(found) == 2 and len(wanted) == 4 else found
    squeezed = found[:2] if len(wanted) == 2 and found[2:] == (1, 1) else spread
    return "" if squeezed == wanted else f"has weights of {wanted}; the addition is for {found}"


class Adapted(nn.Module):
    """A layer and what is added to it: y = layer(x) + sum of weight (alpha / r) B A x.

    Low-rank additions are computed in the layer's own format, in two thin products; other changes are made into one
    weight in the place of the layer's, which stays as it is.
    """

    def __init__(self, layer: Layer, changes: Sequence[tuple[Change, float]]) -> None:
        super().__init__()
        whole = [(c, w) for c, w in changes if not isinstance(c, LowRank) or c.bias is not None]
        self.layer: Layer = changed(layer, whole) if whole else layer  # type: ignore[assignment]
        like = layer.weight
        lows = [(c, w) for c, w in changes if isinstance(c, LowRank) and c.bias is None]
        tail = (1, 1) if isinstance(layer, nn.Conv2d) else ()
        self.spread = (layer.stride, layer.padding, layer.dilation) if isinstance(layer, nn.Conv2d) else None
        for i, (low, weight) in enumerate(lows):
            down = low.down if low.down.ndim == like.ndim else low.down.flatten(1).reshape(*low.down.shape[:2], *tail)
            up = (low.up.float() * (low.scale * weight)).flatten(1).reshape(*low.up.shape[:2], *tail)
            self.register_buffer(f"down_{i}", down.to(like), persistent=False)
            self.register_buffer(f"up_{i}", up.to(like), persistent=False)
        self.count = len(lows)

    @property
    def weight(self) -> Tensor:
        """The layer's own, for code that asks for a dtype or device."""
        return self.layer.weight

    @property
    def bias(self) -> Tensor | None:
        return self.layer.bias

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        for i in range(self.count):
            y = y + self._added(x, self.get_buffer(f"down_{i}"), self.get_buffer(f"up_{i}"))
        return y

    def _added(self, x: Tensor, down: Tensor, up: Tensor) -> Tensor:
        if self.spread is None:
            return F.linear(F.linear(x, down), up)
        stride, padding, dilation = self.spread
        return F.conv2d(F.conv2d(x, down, None, stride, padding, dilation), up)


def adapted(net: nn.Module, changes: Mapping[str, Sequence[tuple[Change, float]]]) -> nn.Module:
    """A network that shares every weight with ``net``, with additions (and their weights) at some layers, by path.

    ``net`` is left as it is, so networks with other adapters can run beside it.
    Raises ModelError for a path that is not there, or an addition that does not fit.
    """
    made = shared(net)
    for path, stack in changes.items():
        try:
            layer = made.get_submodule(path)
        except AttributeError as error:
            raise ModelError(f"the base has no layer {path}; the adapter is for another base") from error
        for change, _ in stack:
            if wrong := fits(layer, change):
                raise ModelError(f"{path} {wrong}; the adapter is for another base")
        if isinstance(layer, Layer):
            put(made, path, Adapted(layer, stack))
        else:
            put(made, path, changed(layer, stack))  # a normalisation
    return made


def merged(weight: Tensor, stack: Sequence[tuple[Change, float]]) -> Tensor:
    """A layer's weight with changes put in, in its own format: for files, and to check that both ways agree."""
    total = weight.float()
    for change, w in stack:
        total = total + w * change.delta(weight).reshape(weight.shape)
    return total.to(weight.dtype)


def changed(layer: nn.Module, stack: Sequence[tuple[Change, float]]) -> nn.Module:
    """A layer of the same kind with changes put in; the one it is made of stays as it is."""
    made, base = shared(layer), layer.get_parameter("weight")
    made.weight = nn.Parameter(merged(base, stack), requires_grad=False)
    biases = [w * c.bias.to(base) for c, w in stack if c.bias is not None]
    if biases:
        own = dict(layer.named_parameters(recurse=False)).get("bias")
        start = torch.zeros_like(biases[0]) if own is None else own
        made.bias = nn.Parameter(torch.stack([start, *biases]).sum(0), requires_grad=False)
    return made
