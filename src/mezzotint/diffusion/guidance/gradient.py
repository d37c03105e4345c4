"""Gradients with respect to the state, inside samplers that otherwise record none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from mezzotint.diffusion.denoiser import Cond
from mezzotint.diffusion.level import Level

T = TypeVar("T")


def value_and_gradient(f: Callable[[Tensor], tuple[T, Tensor]], x: Tensor) -> tuple[T, Tensor]:
    """(aux, gradient of value's sum) of f: x (B, *) -> (aux, value (B,)).

    Works under no_grad and inference_mode, given a level and cond that are ``recordable``.  Where the caller itself
    differentiates through x, the graph is kept.
    """
    through = torch.is_grad_enabled() and x.requires_grad
    with torch.inference_mode(False), torch.enable_grad():
        y = x if through else x.detach().clone().requires_grad_()
        aux, value = f(y)
        (gradient,) = torch.autograd.grad(value.sum(), y, create_graph=through)
    return aux, gradient


def recordable(level: Level, cond: Cond) -> tuple[Level, Cond]:
    """The same, with what inference_mode made (an earlier stage's output) copied so that autograd takes it."""
    with torch.inference_mode(False):
        index = None if level.index is None else _normal(level.index)
        return Level(_normal(level.alpha), _normal(level.sigma), index), {k: _normal(v) for k, v in cond.items()}


def _normal(x: Tensor) -> Tensor:
    return x.clone() if x.is_inference() else x
