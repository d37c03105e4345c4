"""Gradients with respect to the state, inside samplers that otherwise record none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def value_and_gradient(f: Callable[[Tensor], tuple[T, Tensor]], x: Tensor) -> tuple[T, Tensor]:
    """(aux, gradient of value's sum) of f: x (B, *) -> (aux, value (B,)).

    Works under no_grad and inference_mode.  Where the caller itself differentiates through x, the graph is kept.
    """
    through = torch.is_grad_enabled() and x.requires_grad
    with torch.inference_mode(False), torch.enable_grad():
        y = x if through else x.detach().clone().requires_grad_()
        aux, value = f(y)
        (gradient,) = torch.autograd.grad(value.sum(), y, create_graph=through)
    return aux, gradient
