"""The same network anew, for a request that changes some of its layers."""

from __future__ import annotations

import copy

from torch import nn


def shared(net: nn.Module) -> nn.Module:
    """The same modules anew, with the same parameters and buffers: changing one's layers does not reach the other."""
    made = copy.copy(net)
    made.__dict__ = dict(net.__dict__)
    made._parameters, made._buffers = dict(net._parameters), dict(net._buffers)
    made._modules = {name: None if m is None else shared(m) for name, m in net._modules.items()}
    return made


def put(net: nn.Module, path: str, layer: nn.Module) -> None:
    """A layer in the place of the one at a path."""
    owner, _, last = path.rpartition(".")
    setattr(net.get_submodule(owner), last, layer)
