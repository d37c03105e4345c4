"""The same network anew, for a request that changes some of its layers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

from torch import nn

Net = TypeVar("Net", bound=nn.Module)


def alike(net: Net, parts: Mapping[str, nn.Module | None]) -> Net:
    """A module anew, with the same parameters and buffers, and these children."""
    made = copy.copy(net)
    made.__dict__ = dict(net.__dict__)
    made._parameters, made._buffers, made._modules = dict(net._parameters), dict(net._buffers), dict(parts)
    return made


def shared(net: Net) -> Net:
    """The same modules anew, with the same parameters and buffers: changing one's layers does not reach the other."""
    return alike(net, {name: None if m is None else shared(m) for name, m in net._modules.items()})


def put(net: nn.Module, path: str, layer: nn.Module) -> None:
    """A layer in the place of the one at a path."""
    owner, _, last = path.rpartition(".")
    setattr(net.get_submodule(owner), last, layer)
