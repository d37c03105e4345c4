"""Adam on one vector, as values: a step is a pure function, a state is four tensors and a number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BETAS = 0.9, 0.99
EPSILON = 1e-8


@dataclass(frozen=True)
class Moving:
    """theta; the averages of its gradient and of that squared; of theta itself; and how many steps were made."""

    theta: Tensor
    first: Tensor
    second: Tensor
    average: Tensor
    step: int = 0


def begun(theta: Tensor) -> Moving:
    """Before the first step."""
    return Moving(theta, torch.zeros_like(theta), torch.zeros_like(theta), theta)


def stepped(now: Moving, gradient: Tensor, rates: Tensor, clip: float, keep: float) -> Moving:
    r"""One step: :math:`\theta \leftarrow \theta - r\,\hat m/(\sqrt{\hat v}+\epsilon)`, the gradient's norm at most
    ``clip``; the average keeps ``keep`` of itself, less in the first steps.

    Kingma & Ba, 2015, Adam, alg. 1.   rates: one for each entry.
    """
    k, (b1, b2) = now.step + 1, BETAS
    g = gradient * min(1.0, clip / max(gradient.norm().item(), 1e-30))
    first, second = b1 * now.first + (1 - b1) * g, b2 * now.second + (1 - b2) * g * g
    theta = now.theta - rates * (first / (1 - b1**k)) / ((second / (1 - b2**k)).sqrt() + EPSILON)
    beta = min(keep, (k - 1) / (k + 9))
    return Moving(theta, first, second, beta * now.average + (1 - beta) * theta, k)
