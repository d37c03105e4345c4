"""Layers whose change is learnt: the layer stays as it is, the change's tensors are the only parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mezzotint.errors import ModelError, UsageError
from mezzotint.nets.adapters.begun import Begin, Begun, Tensors
from mezzotint.nets.adapters.changes import Change
from mezzotint.nets.adapters.falling import Falling, Told, added
from mezzotint.nets.adapters.lora import Layer, LowRank
from mezzotint.nets.adapters.thin import thin_linear
from mezzotint.nets.shared import put, shared


class Trained(nn.Module):
    """A frozen layer and what is learnt of it: y = layer(x) with W + ΔW, ΔW made anew of the parameters each time.

    path: of the layer in its base.  A change whose rank falls with noise is asked by ``falling.at``.
    """

    def __init__(self, path: str, layer: Layer, begun: Begun) -> None:
        super().__init__()
        self.path, self.layer, self.begun = path, layer, begun
        self.told = Told()
        where = layer.weight.device  # a start is drawn on the processor, so that it is the same on every device
        begins = {name: t.to(where, copy=True) for name, t in begun.tensors.items()}
        self.learnt = nn.ParameterDict({name: nn.Parameter(t) for name, t in begins.items()})

    def change(self) -> Change:
        """As it stands; part of the graph where gradients are on."""
        return self.begun.change(dict(self.learnt.items()))

    @property
    def weight(self) -> Tensor:
        """The layer's own, for code that asks for a dtype or device."""
        return self.layer.weight

    @property
    def bias(self) -> Tensor | None:
        return self.layer.bias

    def forward(self, x: Tensor) -> Tensor:
        layer, change = self.layer, self.change()
        if isinstance(change, Falling):
            plain: Tensor = layer(x)
            return plain + added(x, layer, change.low, change.least, self.told)
        if isinstance(layer, nn.Linear):
            if isinstance(change, LowRank):
                return thin_linear(x, layer.weight, layer.bias, change.down, change.up, change.scale)
            return F.linear(x, _moved(layer, change), layer.bias)
        if isinstance(change, LowRank):
            down, up = (t.to(x.dtype) for t in (change.down, change.up * change.scale))
            thin = F.conv2d(x, down, None, layer.stride, layer.padding, layer.dilation)
            y: Tensor = layer(x)
            return y + F.conv2d(thin, up)
        return F.conv2d(x, _moved(layer, change), layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def _moved(layer: Layer, change: Change) -> Tensor:
    weight = layer.weight
    return (weight.float() + change.delta(weight).reshape(weight.shape)).to(weight.dtype)


def trained(net: nn.Module, begins: Mapping[str, Begin], seed: int) -> nn.Module:
    """A network that shares every weight with ``net``, none of which is learnt, with a learnt change at some layers.

    ``net`` itself is left as it is, but that its weights ask for no gradients any more.   seed: of what is drawn.
    Raises ModelError for a path without a layer that can be adapted, UsageError for a rank larger than the layer.
    """
    net.requires_grad_(False)
    made, generator = shared(net), torch.Generator().manual_seed(seed)
    for path, begin in begins.items():
        layer = made.get_submodule(path)
        if not isinstance(layer, Layer):
            raise ModelError(f"{path} is a {type(layer).__name__}, which takes no adapter")
        try:
            put(made, path, Trained(path, layer, begin(layer, generator)))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
    return made


@dataclass(frozen=True, eq=False)
class Learnt:
    """What was learnt of one layer.  tensors: as a file says them.  alpha: as there, None where the method has none."""

    tensors: Tensors
    alpha: float | None
    change: Change


def learnt(net: nn.Module, values: Tensors | None = None, dtype: torch.dtype = torch.float32) -> dict[str, Learnt]:
    """Path in the base -> what every learnt layer says, on its own memory.

    net: that ``trained`` made, or one that it is a part of.   values: parameters by their names in ``net`` in the place
    of its own: an average, a checkpoint.   dtype: that a file keeps; the change is that of the rounded numbers.
    """
    known = dict(net.named_parameters()) if values is None else values
    layers = {name: m for name, m in net.named_modules() if isinstance(m, Trained)}
    return {layer.path: _learnt(layer, name, known, dtype) for name, layer in layers.items()}


def _learnt(layer: Trained, name: str, values: Tensors, dtype: torch.dtype) -> Learnt:
    own = {k: values[f"{name}.learnt.{k}"].detach().float().cpu() for k in layer.learnt}
    said = {k: t.to(dtype, copy=True).contiguous() for k, t in layer.begun.said(own).items()}
    return Learnt(said, layer.begun.alpha, layer.begun.meant(said))
