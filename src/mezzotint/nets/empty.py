"""Networks without memory for their parameters, and without the work of filling them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


class _Unfilled(TorchFunctionMode):
    """What ``torch.nn.init`` would fill stays as it is: on "meta" its random numbers import the whole compiler."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if getattr(func, "__module__", "") == nn.init.__name__:
            return named["tensor"] if "tensor" in named else args[0]
        return func(*args, **named)


def empty(make: Callable[[], nn.Module]) -> nn.Module:
    """What is made, its parameters and buffers on "meta"."""
    with torch.device("meta"), _Unfilled():
        return make()
